"""Saved values: their digests, and how they are written to and read from a folder."""

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, get_origin

import numpy as np

from experiments.store.short_repr import ShortRepr
from experiments.store.sources import source

FILE_BLOCK = 1 << 24  # bytes of a file read at a time
TEXT_BLOCK = 1 << 16  # texts of an array converted to Python objects at a time


def digest(*parts: Any) -> str:
    """Return 16 hexadecimal digits that change when any part changes."""
    hasher = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            hasher.update(_heading(part))
            hasher.update(np.ascontiguousarray(part).data if part.size else b"")
        else:
            hasher.update(json.dumps(to_json_values(part), sort_keys=True).encode())
        hasher.update(b"\0")
    return hasher.hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Return the digest of the array in an .npy file, read block by block."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not array.flags.c_contiguous:
        return digest(array)
    hasher = hashlib.sha256(_heading(array))
    with path.open("rb") as file:
        file.seek(array.offset)
        while block := file.read(FILE_BLOCK):
            hasher.update(block)
    hasher.update(b"\0")
    return hasher.hexdigest()[:16]


def _heading(array: np.ndarray) -> bytes:
    return f"{array.dtype.str}{array.shape}".encode()


def joined(texts: np.ndarray, between: str = "") -> str:
    """Join an array of texts, block by block: as Python objects, millions of texts take gigabytes."""
    blocks = (texts[start : start + TEXT_BLOCK].tolist() for start in range(0, len(texts), TEXT_BLOCK))
    return between.join(between.join(block) for block in blocks)


def to_json_values(value: Any) -> Any:
    """Return JSON values: a stage as its class, VERSION and every field that can change a result.

    DERIVED names properties that count like fields, such as the content of a file that a field names. The
    source of a stage from outside this package counts too, so that an edited one is computed again.
    """
    if is_dataclass(value) and not isinstance(value, type):
        cls = type(value)
        names = [f.name for f in fields(value) if f.compare] + list(getattr(cls, "DERIVED", ()))
        compared = {name: to_json_values(getattr(value, name)) for name in names}
        heading = {"class": f"{cls.__module__}.{cls.__qualname__}", "VERSION": getattr(cls, "VERSION", 0)}
        if text := source(cls):
            heading["source"] = digest(text)
        return {**heading, "fields": compared}
    if isinstance(value, Mapping):
        return {str(key): to_json_values(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json_values(entry) for entry in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{type(value).__name__} cannot be part of a key; use numbers, text, lists and stages")


class Saveable(Protocol):
    """A value that can be saved to a folder and loaded again."""

    def save(self, folder: Path) -> None:
        """Write the value into the empty `folder`."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the value that `save` wrote; cheap, and without importing a framework."""


T = TypeVar("T", bound="Saveable")


class Store(Protocol):
    """The cache of expensive values (cache.py); lists the keys that were computed and reused."""

    computed: list[str]
    reused: list[str]

    def holds(self, key: str) -> bool:
        """Return True if a value is cached under `key`."""

    def fitted(self, key: str, make: Callable[[], T]) -> T:
        """Return the value cached under `key`, or make and cache it."""

    def array(self, key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array cached under `key` (read-only memory map), or make and cache it."""

    def fill(
        self, key: str, shape: tuple[int, ...], dtype: str, write: Callable[[np.ndarray], None]
    ) -> np.ndarray:
        """Return the array cached under `key`, or let `write` fill a memory map and cache it."""

    def folder(self, key: str, write: Callable[[Path], None]) -> Path:
        """Return the folder cached under `key`, or let `write` fill an empty one and cache it."""

    def workdir(self, key: str) -> Path:
        """Return a folder for checkpoints: kept after an interruption, removed once `key` is cached."""

    def digest(self, key: str) -> str:
        """Return a digest of the array cached under `key`; "" if none is."""

    def origin(self, key: str) -> dict[str, str]:
        """Return the circumstances in which the value of `key` was computed; empty if none is cached."""


class OtherCodeError(ValueError):
    """A saved value's class is missing from this code, or has other fields.

    Parameters
    ----------
    name
        The class, as `module.Name` or `module:Name`.
    why
        The message without the suggestion.
    """

    def __init__(self, name: str, why: str, use: str) -> None:
        super().__init__(f"{why}; {use}")
        self.name = name
        self.why = why

    @property
    def ours(self) -> bool:
        """True if the class belongs to this package, in any version of it."""
        return self.name.startswith("experiments.")


def class_name(value: Saveable) -> str:
    """Return the name of a value's class in the form that `load_saved_class` reads."""
    return f"{type(value).__module__}:{type(value).__qualname__}"


def load_saved_class(name: str, folder: Path, *methods: str) -> Any:
    """Import the class of a saved value, from this package or another installed one.

    The folder may be untrusted, so only a dataclass with `save` and `load` is accepted.

    Parameters
    ----------
    methods
        Methods that the class must have besides `save` and `load`, such as `transform`.

    Raises
    ------
    ValueError
        If there is no such class, or if it lacks one of the methods.
    """
    module, _, qualname = name.partition(":")
    try:
        kind = getattr(importlib.import_module(module), qualname)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        why = f"{folder} contains a {name}, which cannot be imported ({error})"
        raise OtherCodeError(name, why, "install its module, or add the folder to PYTHONPATH") from error
    required = ("save", "load", *methods)
    fits = isinstance(kind, type) and is_dataclass(kind)
    if not fits or not all(callable(getattr(kind, method, None)) for method in required):
        raise ValueError(
            f"{folder} contains a {name}, which is not a dataclass with {', '.join(required)}; use a "
            "folder that this project saved"
        )
    return kind


def plain_number(value: Any) -> Any:
    """Return a numpy number as a Python number, as the `default` of json.dumps."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} is not JSON; use numbers, text, lists and dictionaries")


@dataclass(frozen=True, eq=False)
class SavedFields(ShortRepr):
    """A dataclass that saves its fields: each array as an .npy file, all others in fields.json."""

    def save(self, folder: Path) -> None:
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in [name for name, value in values.items() if isinstance(value, np.ndarray)]:
            np.save(folder / f"{name}.npy", values.pop(name), allow_pickle=False)
        (folder / "fields.json").write_text(json.dumps(values, default=plain_number), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the saved value; arrays are memory-mapped."""
        values = json.loads((folder / "fields.json").read_text(encoding="utf-8"))
        for f in fields(cls):
            array = folder / f"{f.name}.npy"
            if f.name not in values and array.exists():  # values of older commits may lack a field
                values[f.name] = np.load(array, mmap_mode="r", allow_pickle=False)
            elif get_origin(f.type) is tuple and f.name in values:
                values[f.name] = tuple(values[f.name])
        try:
            return cls(**values)
        except TypeError as error:
            why = f"{folder} has other fields than {cls.__name__} ({error})"
            raise OtherCodeError(f"{cls.__module__}:{cls.__qualname__}", why, "create it again") from error
