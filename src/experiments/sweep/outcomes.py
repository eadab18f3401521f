"""Overrides and outcomes of a sweep's jobs, read from their folders."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.config import compose
from experiments.job.perform import RESULT, Outcome


def collect_outcomes(
    folder: Path, jobs: Sequence[Sequence[str]] | None, parent: str, *, interrupted: bool = False
) -> list[Outcome]:
    """Return the outcomes of all jobs in order, in any folders that `hydra.sweep.subdir` sets.

    A job without a final outcome failed; in an interrupted sweep, it was killed or did not run.
    """
    by_number = {outcome.number: outcome for outcome in read_outcomes(folder, parent).values()}
    for number, overrides in enumerate(jobs or ()):
        by_number.setdefault(number, Outcome(without_hydra(overrides), number=number, status="NOT RUN"))
    return [_final(by_number[number], interrupted=interrupted) for number in sorted(by_number)]


def _final(outcome: Outcome, *, interrupted: bool) -> Outcome:
    """Return the final outcome of a job after the sweep ended."""
    if outcome.status == "RUNNING" and interrupted:
        return replace(outcome, status="KILLED", error="interrupted")
    if outcome.status == "RUNNING" or (outcome.status == "NOT RUN" and not interrupted):
        return replace(outcome, status="FAILED", error="its process ended without a result")
    return outcome


def read_outcomes(folder: Path, parent: str | None = None) -> dict[Path, Outcome]:
    """Return the outcomes below a folder by the jobs' folders, in the order of the jobs.

    Parameters
    ----------
    parent
        Read only the jobs of this sweep's run; None: all.
    """
    outcomes = {path.parent: Outcome.load(path.parent) for path in folder.rglob(RESULT)}
    chosen = (path for path, outcome in outcomes.items() if parent in (None, outcome.parent))
    return {path: outcomes[path] for path in sorted(chosen, key=lambda path: outcomes[path].number)}


def without_hydra(overrides: Sequence[str]) -> list[str]:
    """Return the overrides without Hydra's own: launcher, sweeper and folders."""
    return [o for o in overrides if not compose.key_of(o).startswith(("hydra.", "hydra/"))]


def values(jobs: Sequence[Sequence[str]], swept: Sequence[str]) -> dict[str, str]:
    """Return the values of each swept key among the jobs, such as `10, 20`."""
    typed: dict[str, list[str]] = {}
    for word in (word for overrides in jobs for word in overrides):
        typed.setdefault(compose.key_of(word), []).append(word.partition("=")[2])
    return {key: ", ".join(dict.fromkeys(typed[key])) for key in swept if key in typed}
