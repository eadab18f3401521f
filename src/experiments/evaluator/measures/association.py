"""Association of two groupings of the same rows: chi-square and Cramer's V of their table."""

from typing import NamedTuple

import numpy as np

FEW = 5  # smallest expected number of rows in a cell for a valid chi-square test,
BELOW = 0.2  # and largest share of cells below it


class Association(NamedTuple):
    """The measures of a table; `few` is the share of cells in which fewer than 5 rows are expected."""

    chi_square: float
    p: float
    cramers_v: float
    corrected: float
    few: float


def association(table: np.ndarray) -> Association | None:
    """Return the association in a table of counts int (r, c); None unless it is 2 x 2 or larger.

    Empty rows and columns are ignored.

    Without Yates' correction, so that V of a perfect 2 x 2 table is 1. V of independent groups is above 0,
    and rises with the number of cells; `corrected` subtracts that bias. It is nan if the counts are too few
    for that many categories.

    Source
    ------
    Cramer, "Mathematical Methods of Statistics", 1946; Bergsma, "A bias-correction for Cramer's V and
    Tschuprow's T", 2013; Cochran, "Some methods for strengthening the common chi-square tests", 1954
    (expected rows of a cell).
    """
    from scipy.stats import chi2_contingency

    counts = np.asarray(table)
    counts = counts[counts.any(axis=1)][:, counts.any(axis=0)]
    if min(counts.shape) < 2:
        return None
    test = chi2_contingency(counts, correction=False)
    n, (r, c) = int(counts.sum()), counts.shape
    phi = test.statistic / n
    corrected_r, corrected_c = r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)
    corrected_phi, sides = max(0.0, phi - (r - 1) * (c - 1) / (n - 1)), min(corrected_r, corrected_c) - 1
    return Association(
        float(test.statistic),
        float(test.pvalue),
        float(np.sqrt(phi / (min(r, c) - 1))),
        float(np.sqrt(corrected_phi / sides)) if sides > 0 else float("nan"),
        float((test.expected_freq < FEW).mean()),
    )
