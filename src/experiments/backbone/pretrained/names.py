"""Answer a name that does not exist with those that come near."""

from collections.abc import Iterable
from difflib import get_close_matches

SHOWN = 5


def suggested(name: str, known: Iterable[str]) -> str:
    """Return `use <the nearest names>`, or a few of all."""
    names = list(known)
    near = get_close_matches(name, names, SHOWN, 0.6)
    return (
        f"use {' or '.join(near)}" if near else f"use one of {len(names)}, such as {', '.join(names[:SHOWN])}"
    )
