"""Settings and names in the messages of tables."""

from collections.abc import Iterable

from experiments.quoting import setting as override

__all__ = ["few", "override"]

NAMED = 12  # of many names, those that a message lists


def few(names: Iterable[str], most: int = NAMED) -> str:
    """List the first of many names."""
    names = list(names)
    return ", ".join(names[:most]) + (f", ... ({len(names)} in all)" if len(names) > most else "")
