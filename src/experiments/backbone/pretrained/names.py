"""Suggest similar names for a misspelt one."""

from collections.abc import Iterable
from difflib import get_close_matches

MAX_NAMES = 5


def suggest(name: str, known: Iterable[str]) -> str:
    """Return `use <similar names>`, or `use one of <some names>` if none is similar."""
    names = list(known)
    matches = get_close_matches(name, names, MAX_NAMES, 0.6)
    return (
        f"use {' or '.join(matches)}"
        if matches
        else f"use one of {len(names)}, such as {', '.join(names[:MAX_NAMES])}"
    )
