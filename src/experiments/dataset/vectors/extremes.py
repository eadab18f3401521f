"""Numbers too large or too small to compute with, and those that may stand for a missing value."""

from collections.abc import Callable

import numpy as np

from experiments.dataset.vectors.vector_rows import RawTable
from experiments.messages import few
from experiments.messages import setting as override

LARGEST = 2.0**64  # float32 holds no larger square; below its inverse squares lose their digits
FILLS = {
    9.96921e36: "netCDF's fill value", 1e20: "CMIP's fill value", 3.4028235e38: "the largest float32",
    -999: "", -9999: "", -99999: "", -32768: "", 999: "", 9999: "", 99999: "",
}  # fmt: skip
MISSING = "leave such cells empty, or make them nan, and use dataset=table, which takes the median"
SAMPLE = 1 << 18  # values of the first rows, whose quartiles tell which columns are looked at
FAR = 100  # of the range of all other values: what is farther from them, and repeats, is suspected
CHUNK = 1 << 21  # values compared at a time


def check_sizes(
    raw: RawTable, features: np.ndarray, names: tuple[str, ...], where: Callable[[int], str], key: str
) -> None:
    """Raise ValueError for a value whose square float32 cannot hold, or if all are too small for theirs.

    Parameters
    ----------
    places
        int64 (p,): the columns that are features.
    where
        Names a row, counted from 0, by its line and id.
    key
        The setting and the file, as in `dataset.path=a.csv`.
    """
    most = np.fmax(np.abs(raw.low), np.abs(raw.high))[features]
    beyond = features[most > LARGEST]
    if len(beyond):
        column = np.array(raw.values[:, beyond[0]])
        rows = np.flatnonzero(np.abs(column) > LARGEST)
        raise ValueError(
            f"{key}: {column[rows[0]]:g} in the column {names[beyond[0]]!r} ({where(int(rows[0]))}; such "
            f"values in this column: {len(rows)}, columns with such values: {len(beyond)}) is beyond "
            f"{LARGEST:.2g}, the largest that is computed with{_called(column[rows[0]])}; if it stands for a "
            f"missing value, {MISSING}; else leave the column out: "
            f"{override('dataset.exclude', [names[beyond[0]]])}"
        )  # fmt: skip
    largest = int(most.argmax())
    if 0 < most[largest] < 1 / LARGEST:
        column = np.array(raw.values[:, features[largest]])
        row = int(np.abs(column).argmax())
        raise ValueError(
            f"{key}: the largest of all values is {column[row]:g}, in the column {names[features[largest]]!r} "
            f"({where(row)}), below {1 / LARGEST:.2g}, the least that is computed with; multiply "
            "all columns by a power of ten"
        )


def note_fill_values(raw: RawTable, features: np.ndarray, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a note on columns whose lowest or highest value looks like a fill value for missing ones.

    It is farther from all other values than these are from each other, and well known as a fill value; or it
    repeats, and is a hundred times as far.
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
    spread = high - low  # -inf where the value is the only one
    gap = np.maximum(low - values, values - high)
    odd = (spread >= 0) & (gap > spread) & _known(values)
    odd |= (spread > 0) & (gap > FAR * spread) & (counts > 1)
    suspect = [f"{names[columns[i]]!r} ({values[i]:g}, {counts[i]} times)" for i in np.flatnonzero(odd)]
    if not suspect:
        return ()
    return (f"values far from all others may stand for missing ones: {few(suspect)}; if they do, {MISSING}",)


def _candidates(raw: RawTable, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return columns and their extreme values that are known fill values, or far outside the quartiles."""
    head = raw.values[: max(64, SAMPLE // raw.values.shape[1])][:, features]
    head.sort(axis=0)  # missing ones last
    first, third = head[len(head) // 4], head[3 * len(head) // 4]
    low, high = raw.low[features], raw.high[features]
    reach = FAR * (third - first)
    lows = _known(low) | (low < first - reach)
    highs = _known(high) | (high > third + reach)
    columns = np.concatenate([features[lows], features[highs]])
    return columns, np.concatenate([low[lows], high[highs]])


def _known(values: np.ndarray) -> np.ndarray:
    return np.isin(values, np.array([*FILLS, *(-value for value in FILLS if value > 1e6)], np.float32))


def _called(value: np.float32) -> str:
    names = [name for fill, name in FILLS.items() if np.float32(fill) == abs(value) and name]
    return f" ({names[0]})" if names else ""
