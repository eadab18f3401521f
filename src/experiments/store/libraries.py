"""The libraries whose numbers a result may depend on, and which versions of them are installed."""

from collections.abc import Iterable
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
    """Return the version of each of these packages that is installed."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
