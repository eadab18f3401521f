"""Check a table for numbers that are too large or too small, and for fill values of missing ones."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.dataset.vectors.vector_rows import RawTable
from experiments.messages import DataError, join_few
from experiments.messages import setting as override

LARGEST = 2.0**64  # beyond it squares overflow float32; below its inverse they lose digits
FILLS = {
    9.96921e36: "netCDF's fill value", 1e20: "CMIP's fill value", 3.4028235e38: "the largest float32",
    -999: "", -9999: "", -99999: "", -32768: "", 999: "", 9999: "", 99999: "",
}  # fmt: skip
MISSING = "leave such cells empty, or make them nan, and use dataset=table, which takes the median"
SAMPLE = 1 << 18  # values of the first rows, whose quartiles select the columns to check
FAR = 100  # a repeated extreme farther than this many ranges from all other values is suspect
CHUNK = 1 << 21  # number of values compared at a time


def check_sizes(
    raw: RawTable,
    features: np.ndarray,
    names: tuple[str, ...],
    where: Callable[[int], str],
    file: tuple[str, Path],
) -> None:
    """Raise DataError if a value's square overflows float32, or all values' squares underflow.

    Parameters
    ----------
    features
        int64 (p,): the columns that are features.
    where
        Returns the line and id of a row, counted from 0.
    file
        The setting of the file, and its path.
    """
    magnitude = np.fmax(np.abs(raw.low), np.abs(raw.high))[features]
    beyond = features[magnitude > LARGEST]
    if len(beyond):
        column = np.array(raw.values[:, beyond[0]])
        rows = np.flatnonzero(np.abs(column) > LARGEST)
        raise DataError(
            *file,
            f": {column[rows[0]]:g} in the column {names[beyond[0]]!r} ({where(int(rows[0]))}; such "
            f"values in this column: {len(rows)}, columns with such values: {len(beyond)}) is beyond "
            f"{LARGEST:.2g}, the largest allowed value{_fill_name(column[rows[0]])}",
            f"if it stands for a missing value, {MISSING}; else leave the column out: "
            f"{override('dataset.exclude', [names[beyond[0]]])}",
        )
    largest = int(magnitude.argmax())
    if 0 < magnitude[largest] < 1 / LARGEST:
        column = np.array(raw.values[:, features[largest]])
        row = int(np.abs(column).argmax())
        raise DataError(
            *file,
            f": the largest of all values is {column[row]:g}, in the column "
            f"{names[features[largest]]!r} ({where(row)}), below {1 / LARGEST:.2g}, the smallest allowed "
            "maximum",
            "multiply all columns by a power of ten",
        )


def note_fill_values(raw: RawTable, features: np.ndarray, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a note on columns whose smallest or largest value looks like a fill value.

    Suspect values are common fill values that are farther from all other values than their range, and
    repeated values farther than `FAR` times this range.
    """
    columns, values = _candidates(raw, features)
    if not len(columns):
        return ()
    counts = np.zeros(len(columns), np.int64)
    low, high = np.full(len(columns), np.inf), np.full(len(columns), -np.inf)
    step = max(1, CHUNK // raw.values.shape[1])
    for start in range(0, raw.n, step):
        part = np.array(raw.values[start : start + step])[:, columns]
        hits = part == values
        counts += hits.sum(axis=0)
        part[hits] = np.nan
        low = np.fmin(low, np.fmin.reduce(part, axis=0, initial=np.inf))
        high = np.fmax(high, np.fmax.reduce(part, axis=0, initial=-np.inf))
    spread = high - low  # -inf for a column without other values
    gap = np.maximum(low - values, values - high)
    odd = (spread >= 0) & (gap > spread) & _known(values)
    odd |= (spread > 0) & (gap > FAR * spread) & (counts > 1)
    suspect = [f"{names[columns[i]]!r} ({values[i]:g}, {counts[i]} times)" for i in np.flatnonzero(odd)]
    if not suspect:
        return ()
    return (f"outliers that may be fill values: {join_few(suspect)}; if they are, {MISSING}",)


def _candidates(raw: RawTable, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns with a suspect extreme, and the extreme: a common fill value or a far outlier."""
    head = raw.values[: max(64, SAMPLE // raw.values.shape[1])][:, features]
    head.sort(axis=0)  # NaN last
    first, third = head[len(head) // 4], head[3 * len(head) // 4]
    low, high = raw.low[features], raw.high[features]
    reach = FAR * (third - first)
    lows = _known(low) | (low < first - reach)
    highs = _known(high) | (high > third + reach)
    columns = np.concatenate([features[lows], features[highs]])
    return columns, np.concatenate([low[lows], high[highs]])


def _known(values: np.ndarray) -> np.ndarray:
    return np.isin(values, np.array([*FILLS, *(-value for value in FILLS if value > 1e6)], np.float32))


def _fill_name(value: np.float32) -> str:
    names = [name for fill, name in FILLS.items() if np.float32(fill) == abs(value) and name]
    return f" ({names[0]})" if names else ""
