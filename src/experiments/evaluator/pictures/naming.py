"""Valid file names of figures, and headings of clusters."""

import re
from collections.abc import Mapping
from types import MappingProxyType

NO_NAMES: Mapping[int, str] = MappingProxyType({})
PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # valid on every operating system


def check_name(key: str, name: str) -> None:
    """Raise ValueError unless `name` is a valid name of a folder, or of a file without suffix."""
    if not PART.fullmatch(name):
        raise ValueError(
            f"{key}={name} is not a file name; use letters, digits, _, - and dots, such as {key}=clusters"
        )


def cluster_name(cluster: int, names: Mapping[int, str]) -> str:
    """Return `noise`, `cluster 3`, or with the name that an evaluator gave it, `cluster 3 (teapot)`."""
    if cluster < 0:
        return "noise"
    return f"cluster {cluster} ({names[cluster]})" if cluster in names else f"cluster {cluster}"
