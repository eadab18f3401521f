"""Compare the clusterings of a sweep's jobs: with each other, and over the seeds."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments import comparison
from experiments.comparison.seeds import SEED, configuration
from experiments.job import summary
from experiments.job.artifacts import ASSIGNMENTS
from experiments.job.perform import Outcome
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


def compare_clusterings(
    rows: "pd.DataFrame", outcomes: Sequence[Outcome], swept: Sequence[str], folders: Mapping[int, Path]
) -> list[Findings]:
    """Return the agreement of the finished jobs' clusterings, and the stability over the seeds.

    Parameters
    ----------
    rows
        The table of the jobs, a row per outcome.
    folders
        The folder of each job by its number.
    """
    import pandas as pd

    def read(row: int) -> pd.DataFrame | None:
        path = folders[outcomes[row].number] / ASSIGNMENTS
        return pd.read_parquet(path, columns=["id", "hash", "cluster"]) if path.exists() else None

    done = [row for row, outcome in enumerate(outcomes) if outcome.status == "FINISHED"]
    drawn = rows.drop(index=_copies(rows, outcomes, swept))
    return [_agreement(outcomes, swept, done, read), comparison.stability(drawn, swept, read)]


def _copies(rows: "pd.DataFrame", outcomes: Sequence[Outcome], swept: Sequence[str]) -> list[int]:
    """Return the rows of jobs that no step makes different from another seed's, and warn of them."""
    copies: list[int] = []
    if SEED in swept:
        for _, jobs in rows[rows["status"] == "FINISHED"].groupby(configuration(swept)):
            keys = {outcomes[row].clustering_key for row in jobs.index}
            copies += list(jobs.index) if len(jobs) > 1 and len(keys) == 1 and any(keys) else []
    if copies:
        log.warning(
            "no step of %d jobs depends on the seed, so they are copies and have no stability; "
            "evaluator=[k_selection] compares clusterings of bootstrap samples",
            len(copies),
        )
    return copies


def _agreement(
    outcomes: Sequence[Outcome],
    swept: Sequence[str],
    done: Sequence[int],
    read: "Callable[[int], pd.DataFrame | None]",
) -> Findings:
    """Return the agreement of all clusterings of the first job's samples."""
    if len(done) > comparison.MAX_JOBS:
        log.info(
            "skipped the agreement of %d clusterings, as the limit is %d", len(done), comparison.MAX_JOBS
        )
        return Findings({})
    tables = {row: table for row in done if (table := read(row)) is not None}
    ids = [table["id"] for table in tables.values()]
    same = [row for row, table in tables.items() if table["id"].equals(ids[0])]
    names = [summary.job_name(outcomes[row], swept) for row in same]
    if len(set(names)) < len(names):  # jobs of an optimiser differ only in their numbers
        names = [f"job {outcomes[row].number}" for row in same]
    return comparison.agreement(names, [tables[row]["cluster"].to_numpy() for row in same])
