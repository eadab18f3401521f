"""The repr of values that hold arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments.store.short_repr import ShortRepr, short
from experiments.store.values import SavedFields


def test_arrays_and_long_values_are_shown_by_their_size() -> None:
    assert short(np.zeros((3, 2), np.float32)) == "<float32 (3, 2)>"
    assert short(tuple(range(100))) == "<tuple of 100>"
    assert short({"a": np.zeros(3)}) == "<dict of 1>"
    assert [short(value) for value in (None, 0.5, "pca", (1, 2), Path("/a"))] == [
        "None", "0.5", "'pca'", "(1, 2)", "'/a'",
    ]  # fmt: skip


def test_saved_fields_have_a_short_repr_unless_the_class_defines_one() -> None:
    @dataclass(frozen=True)
    class Line(SavedFields):
        slope: np.ndarray
        unit: str

    @dataclass(frozen=True)
    class Named(ShortRepr):
        unit: str

        def __repr__(self) -> str:
            return self.unit

    assert repr(Line(np.ones(2), "mm")) == "Line(slope=<float64 (2,)>, unit='mm')"
    assert repr(Named("mm")) == "mm"
