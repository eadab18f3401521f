"""Compare the jobs of a sweep: each module computes tables and figures from a row per job."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.comparison.agreement import MAX_JOBS, agreement
from experiments.comparison.label_free import label_free
from experiments.comparison.leakage import leakage
from experiments.comparison.paired import configurations, paired, select_configuration
from experiments.comparison.probes import probes
from experiments.comparison.purity_grid import purity_grid
from experiments.comparison.seeds import over_seeds, seeds
from experiments.comparison.stability import stability
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "MAX_JOBS",
    "agreement",
    "compare",
    "configurations",
    "label_free",
    "leakage",
    "over_seeds",
    "paired",
    "probes",
    "purity_grid",
    "seeds",
    "select_configuration",
    "stability",
]


def compare(rows: "pd.DataFrame", swept: Sequence[str]) -> Findings:
    """Return all tables and figures that can be computed from these jobs.

    Parameters
    ----------
    rows
        A row per job from `summary.to_frame`: swept settings, protocol, metrics, status.
    swept
        Keys of the swept settings.
    """
    parts = (purity_grid(rows), probes(rows, swept), leakage(rows, swept), seeds(rows, swept))
    tables = {name: table for part in parts for name, table in part.tables.items()}
    return Findings({}, tables, {name: figure for part in parts for name, figure in part.figures.items()})
