"""Means and differences with 95 % confidence intervals."""

from typing import NamedTuple

import numpy as np

CONFIDENCE = 0.95


class Interval(NamedTuple):
    """A value and its 95 % confidence interval; the ends are nan without an interval."""

    value: float
    low: float
    high: float


def mean_interval(values: "np.ndarray | list[float]") -> Interval:
    """Return the mean with Student's interval; the ends are nan for a single value.

    Parameters
    ----------
    values
        A value per seed; the differences in a paired comparison.
    """
    array = np.asarray(values, np.float64)
    mean, n = float(array.mean()), len(array)
    if n < 2:
        return Interval(mean, np.nan, np.nan)
    from scipy.stats import t

    half = float(t.ppf((1 + CONFIDENCE) / 2, n - 1) * array.std(ddof=1) / np.sqrt(n))
    return Interval(mean, mean - half, mean + half)


def proportion_difference(first: float, n_first: int, second: float, n_second: int) -> Interval:
    """Return the difference first - second of two independent shares, with Newcombe's interval.

    Source
    ------
    Newcombe, "Interval estimation for the difference between independent proportions", 1998, method 10.
    """
    low_first, high_first = _wilson(first, n_first)
    low_second, high_second = _wilson(second, n_second)
    difference = first - second
    below = np.hypot(first - low_first, high_second - second)
    above = np.hypot(high_first - first, second - low_second)
    return Interval(difference, float(difference - below), float(difference + above))


def _wilson(share: float, n: int) -> tuple[float, float]:
    from scipy.stats import binomtest

    interval = binomtest(round(share * n), n).proportion_ci(CONFIDENCE, "wilson")
    return float(interval.low), float(interval.high)
