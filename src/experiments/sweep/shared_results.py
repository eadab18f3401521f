"""Tables and figures that several jobs share, as they have the same data, embedding or training."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.figures import Figure
from experiments.figures.training import training_curves
from experiments.job.artifacts import TRAINING
from experiments.job.perform import Outcome
from experiments.store.cache import Store
from experiments.sweep.outcomes import read_outcomes
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd


def shared_findings(outcomes: Sequence[Outcome], store: Store) -> Findings:
    """Return the tables and figures that the first job shares with other jobs, from the cache.

    Those that differ between all jobs are not included (see the jobs' own tables, and their figures with
    `figures=all`). If only some jobs share a figure, its title has the settings that these jobs share.
    """
    done = [outcome for outcome in outcomes if outcome.status == "FINISHED"]
    tables: dict[str, pd.DataFrame] = {}
    figures: dict[str, Figure] = {}
    for name, key in done[0].finding_keys.items() if done else ():
        note = _shared_settings([outcome for outcome in done if outcome.finding_keys.get(name) == key], done)
        if note is not None and store.holds(key):
            findings = store.fitted(key, lambda: Findings({}))
            tables |= findings.tables
            figures |= _titled(findings.figures, note)
    return Findings({}, tables, figures)


def shared_training(folder: Path, parent: str) -> Findings:
    """Return the training table and curves of the first job if other jobs share them, from their folders."""
    import pandas as pd

    by_path = {path / f"{TRAINING}.csv": job for path, job in read_outcomes(folder, parent).items()}
    paths = [path for path in by_path if path.exists()]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    jobs = [by_path[path] for path in paths]
    same = [outcome for outcome, text in zip(jobs, texts, strict=True) if text == texts[0]]
    note = _shared_settings(same, jobs) if jobs else None
    if note is None:
        return Findings({})
    epochs = pd.read_csv(paths[0])
    curves = training_curves(epochs.drop(columns="epoch").to_dict("records"))  # type: ignore[arg-type]
    return Findings({}, {TRAINING: epochs}, _titled(curves, note))


def merge(*parts: Findings) -> Findings:
    """Return the tables and figures of all parts."""
    tables = {name: table for part in parts for name, table in part.tables.items()}
    return Findings({}, tables, {name: figure for part in parts for name, figure in part.figures.items()})


def _titled(figures: Mapping[str, Figure], note: str) -> dict[str, Figure]:
    return {name: replace(figure, title=figure.title + note) for name, figure in figures.items()}


def _shared_settings(sharing: Sequence[Outcome], done: Sequence[Outcome]) -> str | None:
    """Return the settings that only the jobs with a figure share, as ` (k=10)`; None if one job has it."""
    if len(sharing) == 1 < len(done):
        return None
    of_all, of_sharing = (set.intersection(*(set(o.overrides) for o in jobs)) for jobs in (done, sharing))
    return f" ({', '.join(sorted(of_sharing - of_all))})" if of_sharing - of_all else ""
