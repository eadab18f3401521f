"""The libraries whose numbers a result may depend on, and which versions of them are installed."""

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
    """Return the installed packages among these, with their versions."""
    return {name: installed for name in names if (installed := _version(name))}


@cache
def _version(name: str) -> str | None:
    """Return the installed version; read once, as every cached value is written with a dozen of them."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
