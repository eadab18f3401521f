"""Valid file names of figures."""

import re

PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # valid on every operating system


def check_name(key: str, name: str) -> None:
    """Raise ValueError unless `name` is a valid name of a folder, or of a file without suffix."""
    if not PART.fullmatch(name):
        raise ValueError(
            f"{key}={name} is not a file name; use letters, digits, _, - and dots, such as {key}=clusters"
        )
