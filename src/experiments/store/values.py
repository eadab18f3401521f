"""Values that are kept: what names them, and how each is written into a folder and read back."""

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, get_origin

import numpy as np

from experiments.store.short_repr import ShortRepr

BLOCK = 1 << 24  # bytes of a file that are read at a time
TEXTS = 1 << 16  # of an array that are looked at as objects at a time


def digest(*parts: Any) -> str:
    """Name a value by its content: 16 hexadecimal digits that change when any part changes."""
    hasher = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            hasher.update(_heading(part))
            hasher.update(np.ascontiguousarray(part).data if part.size else b"")
        else:
            hasher.update(json.dumps(plain(part), sort_keys=True).encode())
        hasher.update(b"\0")
    return hasher.hexdigest()[:16]


def file_digest(path: Path) -> str:
    """Return the digest of the array in an .npy file, which is read block by block."""
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if not array.flags.c_contiguous:
        return digest(array)
    hasher = hashlib.sha256(_heading(array))
    with path.open("rb") as file:
        file.seek(array.offset)
        while block := file.read(BLOCK):
            hasher.update(block)
    hasher.update(b"\0")
    return hasher.hexdigest()[:16]


def _heading(array: np.ndarray) -> bytes:
    return f"{array.dtype.str}{array.shape}".encode()


def joined(texts: np.ndarray, between: str = "") -> str:
    """Join an array of texts, block by block: as objects of their own, millions take gigabytes."""
    blocks = (texts[start : start + TEXTS].tolist() for start in range(0, len(texts), TEXTS))
    return between.join(between.join(block) for block in blocks)


def plain(value: Any) -> Any:
    """Return JSON values: a stage as its class, VERSION and every field that can change a result.

    DERIVED names properties that can change it too, such as what a file holds that a field only names.
    """
    if is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        names = [f.name for f in fields(value) if f.compare] + list(getattr(kind, "DERIVED", ()))
        compared = {name: plain(getattr(value, name)) for name in names}
        about = {"class": f"{kind.__module__}.{kind.__qualname__}", "VERSION": getattr(kind, "VERSION", 0)}
        return {**about, "fields": compared}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(f"{type(value).__name__} has no place in a key; use numbers, text, lists and stages")


class Kept(Protocol):
    """A value that the store can write to a folder and read back."""

    def save(self, folder: Path) -> None:
        """Write everything into the empty `folder`."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; cheap, and without importing a framework."""


T = TypeVar("T", bound="Kept")


class Store(Protocol):
    """Where values dear to compute are kept; see cache.py. It lists the keys that it was asked for."""

    computed: list[str]
    kept: list[str]

    def holds(self, key: str) -> bool:
        """Tell whether `key` is kept."""

    def fitted(self, key: str, make: Callable[[], T]) -> T:
        """Return the value kept under `key`, or make and keep it."""

    def array(self, key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array kept under `key` (read-only memory map), or make and keep it."""

    def fill(
        self, key: str, shape: tuple[int, ...], dtype: str, write: Callable[[np.ndarray], None]
    ) -> np.ndarray:
        """Return the array kept under `key`, or let `write` fill a memory map of it and keep that."""

    def folder(self, key: str, write: Callable[[Path], None]) -> Path:
        """Return the folder kept under `key`, or let `write` fill an empty one and keep that."""

    def workdir(self, key: str) -> Path:
        """Return a folder that survives an interruption; it goes when the value of `key` is kept."""

    def digest(self, key: str) -> str:
        """Name the array kept under `key` by its values; "" if none is kept."""

    def origin(self, key: str) -> dict[str, str]:
        """Return in which circumstances the value kept under `key` was computed; empty if none is kept."""


class OtherCodeError(ValueError):
    """A class that is named where a run was recorded, and that this code does not have, or has otherwise.

    Parameters
    ----------
    name
        The class, as `module.Name` or `module:Name`.
    why
        The fact, without what to type.
    """

    def __init__(self, name: str, why: str, use: str) -> None:
        super().__init__(f"{why}; {use}")
        self.name = name
        self.why = why

    @property
    def ours(self) -> bool:
        """True if the class belongs to this package, in whichever version of it."""
        return self.name.startswith("experiments.")


def class_name(value: Kept) -> str:
    """Spell the class of a value as `kept_class` finds it."""
    return f"{type(value).__module__}:{type(value).__qualname__}"


def kept_class(name: str, folder: Path, *does: str) -> Any:
    """Import the class that a folder says it holds: ours, or one of your own that is installed.

    A folder may come from anybody, so whatever else a module holds is never called.

    Parameters
    ----------
    does
        What values of the class do besides being kept, such as `transform`.

    Raises
    ------
    ValueError
        If there is no such class, or none of kept values.
    """
    module, _, qualname = name.partition(":")
    try:
        kind = getattr(importlib.import_module(module), qualname)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        why = f"{folder} holds a {name}, which cannot be imported ({error})"
        raise OtherCodeError(name, why, "install it") from error
    wanted = ("save", "load", *does)
    fits = isinstance(kind, type) and is_dataclass(kind)
    if not fits or not all(callable(getattr(kind, method, None)) for method in wanted):
        raise ValueError(
            f"{folder} holds a {name}, which is no value with {', '.join(wanted)}; use what was saved here"
        )
    return kind


def plain_number(value: Any) -> Any:
    """Return a number of numpy's as Python's, which JSON can hold: `default` of json.dumps."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in JSON; use numbers, text, lists and dictionaries")


@dataclass(frozen=True, eq=False)
class Record(ShortRepr):
    """A kept value of plain fields: each array becomes an .npy file, all the rest one fields.json."""

    def save(self, folder: Path) -> None:
        """Write every field into `folder`."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        for name in [name for name, value in values.items() if isinstance(value, np.ndarray)]:
            np.save(folder / f"{name}.npy", values.pop(name), allow_pickle=False)
        (folder / "fields.json").write_text(json.dumps(values, default=plain_number), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; arrays stay on disk until they are looked at."""
        values = json.loads((folder / "fields.json").read_text(encoding="utf-8"))
        for f in fields(cls):
            array = folder / f"{f.name}.npy"
            if f.name not in values and array.exists():  # else it was kept before it had this field
                values[f.name] = np.load(array, mmap_mode="r", allow_pickle=False)
            elif get_origin(f.type) is tuple and f.name in values:
                values[f.name] = tuple(values[f.name])
        try:
            return cls(**values)
        except TypeError as error:
            why = f"{folder} holds other fields than {cls.__name__} has ({error})"
            raise OtherCodeError(f"{cls.__module__}:{cls.__qualname__}", why, "make it anew") from error
