"""What can be said over the jobs of a sweep: each module makes tables and pictures of their rows."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.comparison.agreement import MOST, agreement
from experiments.comparison.label_free import label_free
from experiments.comparison.leakage import leakage
from experiments.comparison.paired import configurations, paired, picked
from experiments.comparison.probes import probes
from experiments.comparison.purity_grid import purity_grid
from experiments.comparison.seeds import over_seeds, seeds
from experiments.comparison.stability import stability
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MOST",
    "agreement",
    "compare",
    "configurations",
    "label_free",
    "leakage",
    "over_seeds",
    "paired",
    "picked",
    "probes",
    "purity_grid",
    "seeds",
    "stability",
]


def compare(rows: "pd.DataFrame", swept: Sequence[str]) -> Findings:
    """Return every table and picture that these jobs allow.

    Parameters
    ----------
    rows
        One per job, as `summary.to_frame` makes them: what was swept, protocol, metrics, status.
    swept
        The keys that the jobs differ in.
    """
    parts = (purity_grid(rows), probes(rows, swept), leakage(rows, swept), seeds(rows, swept))
    tables = {name: table for part in parts for name, table in part.tables.items()}
    return Findings({}, tables, {name: figure for part in parts for name, figure in part.figures.items()})
