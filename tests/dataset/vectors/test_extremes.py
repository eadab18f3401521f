"""Values out of range, and values that may be fill values."""

from pathlib import Path

import numpy as np
import pytest
from tests.messages import says

from experiments.dataset.vectors.extremes import LARGEST, check_sizes, note_fill_values
from experiments.dataset.vectors.vector_rows import RawTable

NAMES = ("depth", "width", "mass")
PLACES = np.arange(3)


def raw(values):
    values = np.asarray(values, np.float32)
    return RawTable(values, {}, {}, np.fmin.reduce(values, axis=0), np.fmax.reduce(values, axis=0))


def table(**columns):
    """Return columns of 40 numbers around 10, with some replaced."""
    values = np.random.default_rng(0).normal(10, 2, (40, 3))
    for name, others in columns.items():
        values[: len(others), NAMES.index(name)] = others
    return values


def check(values):
    check_sizes(
        raw(values), PLACES, NAMES, lambda row: f"line {row + 2}, id 'r{row}'", ("dataset.path", Path("a"))
    )


@pytest.mark.parametrize(
    ("fill", "called"),
    [(9.96921e36, "netCDF's fill value"), (-1e20, "CMIP's fill value"), (3.4e38, ""), (5e19, "")],
)  # fmt: skip
def test_a_value_beyond_the_range_is_named_with_its_column_and_row(fill, called):
    values = table(width=[9, 9, fill, fill], mass=[fill])
    with pytest.raises(ValueError) as error:
        check(values)
    text = says(error, key="dataset.path=a", use="dataset.exclude=[width]")
    says(text, key=f"{np.float32(fill):g} in the column 'width'", use="line 4, id 'r2'")
    says(text, key="this column: 2", use="values: 2")
    assert called in text


def test_values_up_to_the_range_are_accepted():
    check(table() * 1e18)
    check(table() * 1e-18)
    check(table(mass=[1e-40, 0, LARGEST]))
    check(np.zeros((5, 3)))


def test_values_that_are_all_too_small_say_so():
    with pytest.raises(ValueError) as error:
        check([[1e-25, 3e-25, 0], [2e-25, 1e-25, 0]])
    assert "line 2, id 'r0'" in says(error, key="3e-25, in the column 'width'", use="multiply")


@pytest.mark.parametrize(
    ("columns", "suspected"),
    [
        ({"depth": [-9999] * 3}, ["'depth' (-9999, 3 times)"]),
        ({"mass": [-32768], "depth": [9999]}, ["'mass' (-32768, 1 times)", "'depth' (9999, 1 times)"]),
        ({"mass": [5e6, 5e6]}, ["'mass' (5e+06, 2 times)"]),
        ({"mass": [5e6, 4e6]}, []),
        ({"mass": [99, 99, 99]}, []),
        ({"width": [-9999, *range(-9000, 0, 300)]}, []),
        ({"width": [-9999, 0] * 20}, ["'width' (-9999, 20 times)"]),
        ({"width": [0, 1] * 20}, []),
        ({"width": [0] * 38 + [1, 1]}, []),
        ({"width": [np.nan] * 20 + [-999]}, ["'width' (-999, 1 times)"]),
        ({"width": [np.nan] * 40}, []),
    ],
)
def test_only_extreme_values_that_repeat_or_are_known_are_suspected(columns, suspected):
    note = "".join(note_fill_values(raw(table(**columns)), PLACES, NAMES))
    assert bool(note) == bool(suspected)
    for text in suspected:
        assert text in note
