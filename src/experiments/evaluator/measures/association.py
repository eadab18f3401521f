"""How far two ways of grouping the same rows go together: the chi-square of their table, and Cramer's V."""

from typing import NamedTuple

import numpy as np

FEW = 5  # rows that a cell should be expected to hold, and the share of cells that may be below
BELOW = 0.2


class Association(NamedTuple):
    """What the table says; `few` is the share of cells in which fewer than 5 rows are expected."""

    chi_square: float
    p: float
    cramers_v: float
    corrected: float
    few: float


def association(table: np.ndarray) -> Association | None:
    """Measure a table of counts int (r, c); None if it has no second row or column that holds anything.

    Without Yates' correction, so that V of a perfect 2 x 2 table is 1. V is never below 0, and so above it by
    chance, the further the more cells there are: `corrected` takes off what independent groups would have,
    and is nan where there are no more rows than cells of a side.

    Source
    ------
    Cramer, "Mathematical Methods of Statistics", 1946; Bergsma, "A bias-correction for Cramer's V and
    Tschuprow's T", 2013; Cochran, "Some methods for strengthening the common chi-square tests", 1954, for
    cells of which few rows are expected.
    """
    from scipy.stats import chi2_contingency

    held = np.asarray(table)
    held = held[held.any(axis=1)][:, held.any(axis=0)]
    if min(held.shape) < 2:
        return None
    found = chi2_contingency(held, correction=False)
    n, (r, c) = int(held.sum()), held.shape
    phi = found.statistic / n
    side_r, side_c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    above, sides = max(0.0, phi - (r - 1) * (c - 1) / (n - 1)), min(side_r, side_c) - 1
    return Association(
        float(found.statistic),
        float(found.pvalue),
        float(np.sqrt(phi / (min(r, c) - 1))),
        float(np.sqrt(above / sides)) if sides > 0 else float("nan"),
        float((found.expected_freq < FEW).mean()),
    )
