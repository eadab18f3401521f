"""Cache keys with their parts, which explain why two keys differ."""

import json
from typing import Any, Self

import numpy as np

from experiments.store.values import digest, to_json_values

LONG = 200  # characters of JSON; longer parts are shown as their digest


class FullList(list[str]):
    """A list that the text of a key shows in full, whatever its length."""


class Key(str):
    """A cache key, or the digest of a stage's input.

    Parameters
    ----------
    text
        The hashed parts by name, as JSON values; arrays and long parts as their digest.
    """

    text: dict[str, Any] | None

    def __new__(cls, value: str, text: dict[str, Any] | None = None) -> Self:
        """Create the key; copies and pickles include the text."""
        key = super().__new__(cls, value)
        key.text = text
        return key


def digest_of(**parts: Any) -> Key:
    """Return the digest of the parts; their names explain the key and are not hashed."""
    return Key(digest(*parts.values()), {name: _described(part) for name, part in parts.items()})


def cache_key(name: str, /, **parts: Any) -> Key:
    """Return `<name>-<digest of the parts>`."""
    key_digest = digest_of(**parts)
    return Key(f"{name}-{key_digest}", key_digest.text)


def _described(part: Any) -> Any:
    """Return a part as JSON values: a digest of inputs with its parts, a long value as its digest."""
    if isinstance(part, Key):
        return {"digest": str(part), **part.text} if part.text and "-" not in part else str(part)
    if isinstance(part, FullList):
        return list(part)
    if isinstance(part, np.ndarray):
        return {"dtype": part.dtype.str, "shape": list(part.shape), "digest": digest(part)}
    return _shortened(to_json_values(part))


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(inner) for name, inner in value.items()}
    if isinstance(value, (str, list)) and (len(value) > LONG or len(json.dumps(value)) > LONG):
        return {"length": len(value), "digest": digest(value)}
    return value
