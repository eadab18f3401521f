"""What several jobs have in common: tables and pictures of the same data, embedding or training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures import Figure
from experiments.figures.training import training_curves
from experiments.job.artifacts import TRAINING
from experiments.job.perform import Outcome
from experiments.store.cache import Store
from experiments.sweep.outcomes import left
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd


def shared(outcomes: Sequence[Outcome], store: Store) -> Findings:
    """Return the tables and pictures that the first job has in common with others, from the store.

    What differs from job to job is not among them (each job has its tables; pictures with `figures=all`).
    Where only some jobs share a picture, its title says what these have in common.
    """
    done = [outcome for outcome in outcomes if outcome.status == "FINISHED"]
    tables: dict[str, pd.DataFrame] = {}
    pictures: dict[str, Figure] = {}
    for name, key in done[0].found.items() if done else ():
        about = _in_common([outcome for outcome in done if outcome.found.get(name) == key], done)
        if about is not None and store.holds(key):
            found = store.fitted(key, lambda: Findings({}))
            tables |= found.tables
            pictures |= _titled(found.figures, about)
    return Findings({}, tables, pictures)


def trained(folder: Path, parent: str) -> Findings:
    """Return table and curves of the first job's training, if others have it too, from the jobs' folders."""
    import pandas as pd

    found = {place / f"{TRAINING}.csv": outcome for place, outcome in left(folder, parent).items()}
    paths = [path for path in found if path.exists()]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    jobs = [found[path] for path in paths]
    same = [outcome for outcome, text in zip(jobs, texts, strict=True) if text == texts[0]]
    about = _in_common(same, jobs) if jobs else None
    if about is None:
        return Findings({})
    epochs = pd.read_csv(paths[0])
    curves = training_curves(epochs.drop(columns="epoch").to_dict("records"))  # type: ignore[arg-type]
    return Findings({}, {TRAINING: epochs}, _titled(curves, about))


def together(*parts: Findings) -> Findings:
    """Return the tables and pictures of all parts."""
    tables = {name: table for part in parts for name, table in part.tables.items()}
    return Findings({}, tables, {name: figure for part in parts for name, figure in part.figures.items()})


def _titled(figures: Mapping[str, Figure], about: str) -> dict[str, Figure]:
    return {name: replace(figure, title=figure.title + about) for name, figure in figures.items()}


def _in_common(sharing: Sequence[Outcome], done: Sequence[Outcome]) -> str | None:
    """Say what the jobs that share a picture have in common; None if one of several has it alone."""
    if len(sharing) == 1 < len(done):
        return None
    always, here = (set.intersection(*(set(o.overrides) for o in jobs)) for jobs in (done, sharing))
    return f" ({', '.join(sorted(here - always))})" if here - always else ""
