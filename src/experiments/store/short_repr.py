"""A repr in one line for values that hold arrays, as notebooks print whatever a cell ends with."""

from collections.abc import Mapping, Sized
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

LONG = 60  # characters from which a value stands by its type and length


class ShortRepr:
    """A dataclass whose repr has arrays by dtype and shape, and what is long by its type and length."""

    def __init_subclass__(cls, **named: Any) -> None:
        """Give the class the repr, which `dataclass` then leaves as it is."""
        super().__init_subclass__(**named)
        if "__repr__" not in vars(cls):
            cls.__repr__ = ShortRepr.__repr__  # type: ignore[method-assign]

    def __repr__(self) -> str:
        values = {f.name: getattr(self, f.name) for f in fields(self) if f.repr}  # type: ignore[arg-type]
        parts = [f"{name}={short(value)}" for name, value in values.items()]
        return f"{type(self).__name__}({', '.join(parts)})"


def short(value: object) -> str:
    """Return a value's repr, of an array its dtype and shape, of what is long its type and length."""
    if isinstance(value, np.ndarray):
        return f"<{value.dtype.name} {value.shape}>"
    if isinstance(value, Path):
        return repr(str(value))
    text = "" if isinstance(value, Mapping) else repr(value)
    if 0 < len(text) <= LONG:
        return text
    length = f" of {len(value)}" if isinstance(value, Sized) else ""
    return f"<{type(value).__name__}{length}>"
