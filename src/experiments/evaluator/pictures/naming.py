"""What the file of a picture may be called."""

import re

PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")  # of a name that every system can write


def check_name(key: str, name: str) -> None:
    """Raise ValueError unless `name` can be a file's, without its ending, or a folder's."""
    if not PART.fullmatch(name):
        raise ValueError(
            f"{key}={name} is no file name; use letters, digits, _, - and dots, such as {key}=clusters"
        )
