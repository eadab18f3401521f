"""The libraries that can change a result, and their installed versions."""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

NUMERIC = (
    "faiss-cpu",
    "faiss-gpu",
    "fast-hdbscan",
    "numba",
    "numpy",
    "open-clip-torch",
    "openTSNE",
    "scikit-learn",
    "timm",
    "torch",
    "torchvision",
    "umap-learn",
)


def versions(names: Iterable[str] = NUMERIC) -> dict[str, str]:
    """Return the versions of these packages; packages that are not installed are missing."""
    return {name: installed for name in names if (installed := _version(name))}


@cache
def _version(name: str) -> str | None:
    """Return the installed version; read once, as the meta.json of every cached value lists a dozen."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
