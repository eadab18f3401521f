"""A one-line repr for values with arrays, as notebooks print the last value of a cell."""

from collections.abc import Mapping, Sized
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

LONG = 60  # characters; a longer value is shown as its type and length


class ShortRepr:
    """A dataclass whose repr shows arrays as dtype and shape, and long values as type and length."""

    def __init_subclass__(cls, **named: Any) -> None:
        """Set the class's repr, which `dataclass` does not overwrite."""
        super().__init_subclass__(**named)
        if "__repr__" not in vars(cls):
            cls.__repr__ = ShortRepr.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.repr}  # type: ignore[arg-type]
        parts = [f"{name}={short(value)}" for name, value in values.items()]
        return f"{type(self).__name__}({', '.join(parts)})"


def short(value: object) -> str:
    """Return a value's repr; dtype and shape of an array, type and length of a long value."""
    if isinstance(value, np.ndarray):
        return f"<{value.dtype.name} {value.shape}>"
    if isinstance(value, Path):
        return repr(str(value))
    text = "" if isinstance(value, Mapping) else repr(value)
    if 0 < len(text) <= LONG:
        return text
    length = f" of {len(value)}" if isinstance(value, Sized) else ""
    return f"<{type(value).__name__}{length}>"
