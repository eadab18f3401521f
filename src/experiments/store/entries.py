"""The values in a cache folder: list them all, or find one by the beginning of its key."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DIGITS, HEXADECIMAL = 16, "0123456789abcdef"  # of a digest
SHOWN_KEYS = 3  # in a message


@dataclass(frozen=True)
class Entry:
    """One cached value.

    Parameters
    ----------
    size
        Bytes.
    used
        Time of the last use, in seconds since 1970.
    dataset
        Name of the data set; "" if an older commit cached it.
    made_of
        Parts of its key, by name; None if an older commit cached it or if the key has no parts.
    """

    key: str
    size: int
    used: float
    dataset: str
    made_of: dict[str, Any] | None

    @property
    def name(self) -> str:
        """Return the step that made it, such as `pca`: the key without its digest."""
        return self.key.rpartition("-")[0] or self.key

    def inputs(self) -> list[str]:
        """Return the cache keys of its inputs."""
        return list(dict.fromkeys(_keys(self.made_of)))


def entries(root: Path) -> list[Entry]:
    """Return the values in a cache folder, largest first."""
    values = [_entry(path) for path in root.glob("[!.]*/meta.json")]
    return sorted(values, key=lambda entry: entry.size, reverse=True)


def entry(root: Path, prefix: str) -> Entry:
    """Return the value whose key, or the digest in it, begins with `prefix`.

    Raises
    ------
    ValueError
        If no key or several keys match.
    """
    keys = sorted(path.parent.name for path in root.glob("[!.]*/meta.json"))
    if prefix in keys:
        return _entry(root / prefix / "meta.json")
    matches = [key for key in keys if prefix and (key.startswith(prefix) or _digest(key).startswith(prefix))]
    if not matches:
        raise ValueError(
            f"KEY={prefix} matches none of the {len(keys)} keys in cache.root={root}; use a key that "
            "scripts/cache.py list shows"
        )
    if len(matches) > 1:
        raise ValueError(f"KEY={prefix} matches {len(matches)} keys; use {' or '.join(matches[:SHOWN_KEYS])}")
    return _entry(root / matches[0] / "meta.json")


def _entry(path: Path) -> Entry:
    meta = json.loads(path.read_text(encoding="utf-8"))
    size = sum(part.stat().st_size for part in path.parent.rglob("*") if part.is_file())
    used = path.stat().st_mtime
    return Entry(path.parent.name, size, used, meta.get("dataset", ""), meta.get("made_of"))


def _digest(key: str) -> str:
    return key.rpartition("-")[2]


def _keys(value: Any) -> Iterator[str]:
    """Yield every string in JSON values that has the form of a cache key."""
    if isinstance(value, dict):
        for inner in value.values():
            yield from _keys(inner)
    elif isinstance(value, str) and len(_digest(value)) == DIGITS and set(_digest(value)) <= set(HEXADECIMAL):
        yield from [value] if "-" in value else []
