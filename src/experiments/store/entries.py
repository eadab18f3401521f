"""What a cache folder holds: a list of its values, and one of them by its abbreviated key."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIGITS, HEXADECIMAL = 16, "0123456789abcdef"  # of a digest
NAMED = 3  # keys that a message names


@dataclass(frozen=True)
class Entry:
    """One cached value.

    Parameters
    ----------
    size
        Bytes.
    used
        When it was last used, in seconds since 1970.
    dataset
        The data set that it was computed for; "" if an older commit cached it.
    made_of
        What its key was made of, by name; None if an older commit cached it, or if the key says it all.
    """

    key: str
    size: int
    used: float
    dataset: str
    made_of: dict[str, Any] | None

    @property
    def name(self) -> str:
        """Return what made it, such as `pca`: the key without its digest."""
        return self.key.rpartition("-")[0] or self.key

    def inputs(self) -> list[str]:
        """Return the keys of the values that it was made of."""
        return list(dict.fromkeys(_keys(self.made_of)))


def entries(root: Path) -> list[Entry]:
    """List the values in a cache folder, largest first."""
    found = [_entry(path) for path in root.glob("[!.]*/meta.json")]
    return sorted(found, key=lambda entry: entry.size, reverse=True)


def entry(root: Path, word: str) -> Entry:
    """Return the value whose key, or the digest in it, begins with a word.

    Raises
    ------
    ValueError
        If there is none, or more than one.
    """
    keys = sorted(path.parent.name for path in root.glob("[!.]*/meta.json"))
    if word in keys:
        return _entry(root / word / "meta.json")
    found = [key for key in keys if word and (key.startswith(word) or _digest(key).startswith(word))]
    if not found:
        raise ValueError(
            f"KEY={word} is no value of cache.root={root}, which holds {len(keys)}; use a key that "
            "scripts/cache.py list shows"
        )
    if len(found) > 1:
        raise ValueError(f"KEY={word} begins {len(found)} keys; use {' or '.join(found[:NAMED])}")
    return _entry(root / found[0] / "meta.json")


def _entry(path: Path) -> Entry:
    meta = json.loads(path.read_text(encoding="utf-8"))
    size = sum(part.stat().st_size for part in path.parent.rglob("*") if part.is_file())
    used = path.stat().st_mtime
    return Entry(path.parent.name, size, used, meta.get("dataset", ""), meta.get("made_of"))


def _digest(key: str) -> str:
    return key.rpartition("-")[2]


def _keys(value: Any) -> Iterator[str]:
    """Give every text in JSON values that reads as a cache key."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _keys(inner)
    elif isinstance(value, str) and len(_digest(value)) == DIGITS and set(_digest(value)) <= set(HEXADECIMAL):
        yield from [value] if "-" in value else []
