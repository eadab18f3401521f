"""Cache keys that remember what was hashed, so that a person can read why two of them differ."""

import json
from typing import Any, Self

import numpy as np

from experiments.store.values import digest, plain

LONG = 200  # characters of JSON from which a part stands by its digest


class Names(list[str]):
    """Names that the text of a key shows whole, however many there are."""


class Key(str):
    """A cache key, or the digest of what a stage is given.

    Parameters
    ----------
    text
        What was hashed, by name, as JSON values; arrays and long parts by their digest.
    """

    text: dict[str, Any] | None

    def __new__(cls, value: str, text: dict[str, Any] | None = None) -> Self:
        """Make the key; copies and pickles of it keep the text."""
        made = super().__new__(cls, value)
        made.text = text
        return made


def digest_of(**parts: Any) -> Key:
    """Return the digest of the parts; their names are for whoever reads the text, and are not hashed."""
    return Key(digest(*parts.values()), {name: _readable(part) for name, part in parts.items()})


def cache_key(name: str, /, **parts: Any) -> Key:
    """Return `<name>-<digest of the parts>`."""
    digits = digest_of(**parts)
    return Key(f"{name}-{digits}", digits.text)


def _readable(part: Any) -> Any:
    """Return a part as JSON values: the text of a bare digest, and of what is long its digest."""
    if isinstance(part, Key):
        return {"digest": str(part), **part.text} if part.text and "-" not in part else str(part)
    if isinstance(part, Names):
        return list(part)
    if isinstance(part, np.ndarray):
        return {"dtype": part.dtype.str, "shape": list(part.shape), "digest": digest(part)}
    return _shortened(plain(part))


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(inner) for name, inner in value.items()}
    if isinstance(value, (str, list)) and (len(value) > LONG or len(json.dumps(value)) > LONG):
        return {"length": len(value), "digest": digest(value)}
    return value
