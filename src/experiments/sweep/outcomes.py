"""What the jobs of a sweep were asked, and how each ended, from what it left in its folder."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from experiments.config import compose
from experiments.job.perform import RESULT, Outcome


def collect(
    folder: Path, jobs: Sequence[Sequence[str]] | None, parent: str, *, interrupted: bool = False
) -> list[Outcome]:
    """Read what the jobs of a sweep left, in their order, wherever `hydra.sweep.subdir` put it.

    One that left no end failed; of an interrupted sweep it was killed, or did not run.
    """
    found = {outcome.number: outcome for outcome in left(folder, parent).values()}
    for number, overrides in enumerate(jobs or ()):
        found.setdefault(number, Outcome(own(overrides), number=number, status="NOT RUN"))
    return [_ended(found[number], interrupted=interrupted) for number in sorted(found)]


def _ended(outcome: Outcome, *, interrupted: bool) -> Outcome:
    """Return the outcome of a job that does not run any more."""
    if outcome.status == "RUNNING" and interrupted:
        return replace(outcome, status="KILLED", error="interrupted")
    if outcome.status == "RUNNING" or (outcome.status == "NOT RUN" and not interrupted):
        return replace(outcome, status="FAILED", error="its process ended without a result")
    return outcome


def left(folder: Path, parent: str | None = None) -> dict[Path, Outcome]:
    """Read the results below a folder: each by its job's folder, in their order.

    Parameters
    ----------
    parent
        The run of the sweep whose results alone are read; None: all.
    """
    found = {path.parent: Outcome.load(path.parent) for path in folder.rglob(RESULT)}
    places = (place for place, outcome in found.items() if parent in (None, outcome.parent))
    return {place: found[place] for place in sorted(places, key=lambda place: found[place].number)}


def own(overrides: Sequence[str]) -> list[str]:
    """Leave out what is about Hydra itself: the launcher, folders, the sweeper."""
    return [o for o in overrides if not compose.key_of(o).startswith(("hydra.", "hydra/"))]


def values(jobs: Sequence[Sequence[str]], swept: Sequence[str]) -> dict[str, str]:
    """Return the values that the jobs of a sweep have of each key, such as `10, 20`."""
    typed: dict[str, list[str]] = {}
    for word in (word for overrides in jobs for word in overrides):
        typed.setdefault(compose.key_of(word), []).append(word.partition("=")[2])
    return {key: ", ".join(dict.fromkeys(typed[key])) for key in swept if key in typed}
