"""What belongs to all jobs of one multirun: the parent run, and tables and pictures of what the jobs left."""

import json
import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments import compose, config, figures, job, purity_grid, summary, tables, tracking
from experiments.cache import Store
from experiments.job import Outcome
from experiments.training_curves import training_curves
from experiments.types import Figure, Findings

log = logging.getLogger(__name__)

PARENT = "EXPERIMENTS_PARENT"  # the parent's run id, for the jobs wherever they run
SWEPT = "EXPERIMENTS_SWEPT"  # the keys that the jobs differ in


def run_job(cfg: DictConfig) -> float | None:
    """Run the job that Hydra composed; an error is kept in its result and does not stop the others."""
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    overrides = list(hydra.overrides.task)
    swept = json.loads(os.environ.get(SWEPT, "[]"))
    name = " ".join(o for o in overrides if o.partition("=")[0] in swept) or " ".join(overrides) or "run"
    outcome = Outcome(overrides)
    log.info("%s", name)
    try:
        job.perform(
            cfg, folder, outcome, name=name, choices=compose.choices(), parent=os.environ.get(PARENT, "")
        )
    except Exception as error:  # every failure of a job ends in its result; the sweep names it at the end
        outcome.status, outcome.error = "FAILED", outcome.error or job.explain(error, folder)
        outcome.save(folder)
        log.error("FAILED %s: %s", name, outcome.error)
    return outcome.metrics.get(str(cfg.objective))


class Sweep:
    """The parent run of several jobs.

    Parameters
    ----------
    folder
        Where the jobs leave their results, one folder each.
    swept
        The keys that the jobs differ in.
    jobs
        How many there are to be; None if an optimiser decides.
    """

    def __init__(self, plan: config.Plan, folder: Path, swept: Sequence[str], jobs: int | None) -> None:
        self.folder = folder
        self.swept = list(swept)
        self.jobs = jobs
        self.plan = plan
        folder.mkdir(parents=True, exist_ok=True)
        tracker = tracking.connect(plan.tracking, plan.stages.dataset.name)
        name = f"sweep of {', '.join(swept)}" if swept else "sweep"
        self._stack = ExitStack()
        self.run = self._stack.enter_context(tracker.run(name, folder, params={}, tags={"sweep": "parent"}))
        os.environ[PARENT] = self.run.id
        os.environ[SWEPT] = json.dumps(self.swept)

    def close(self, error: BaseException | None = None) -> list[Outcome]:
        """Write tables and pictures, record them, end the parent run; return how the jobs ended."""
        for variable in (PARENT, SWEPT):
            os.environ.pop(variable, None)
        outcomes = collect(self.folder, self.jobs)
        try:
            with self._stack:
                self._write(outcomes)
                failed = [outcome for outcome in outcomes if outcome.status != "FINISHED"]
                if error is not None:
                    raise error
                if failed:
                    raise JobsFailedError(f"{len(failed)} of {len(outcomes)} jobs failed")
        except (JobsFailedError, KeyboardInterrupt):
            pass
        return outcomes

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        rows = summary.to_frame(outcomes, self.swept)
        tables.write(rows, self.folder, "sweep")
        self.run.describe(tables.markdown(rows[summary.main_columns(rows, self.swept)]))
        grid = purity_grid.purity_grid(rows)
        for name, table in grid.tables.items():
            tables.write(table, self.folder, name)
        if self.plan.settings.figures != "none":
            store = Store(Path(self.plan.cache.root), enabled=self.plan.cache.enabled, compute=False)
            pictures = summary.charts(rows, self.swept) | grid.figures | shared(outcomes, store)
            figures.write(pictures | trained(self.folder), self.folder / "figures")
        for path in sorted([*self.folder.glob("*.[cm]*"), *self.folder.glob("figures/*")]):
            self.run.artifact(path)


class JobsFailedError(Exception):
    """Some jobs of a sweep did not finish."""


def shared(outcomes: Sequence[Outcome], store: Store) -> dict[str, Figure]:
    """Return the pictures that the first job has in common with others, from the store.

    What differs from job to job is not among them (`figures=all`). Where only some jobs share a picture, its
    title says what these have in common.
    """
    done = [outcome for outcome in outcomes if outcome.status == "FINISHED"]
    if not done:
        return {}
    found: dict[str, Figure] = {}
    for name, key in done[0].found.items():
        about = _in_common([outcome for outcome in done if outcome.found.get(name) == key], done)
        if about is not None and store.holds(key):
            pictures = store.fitted(key, lambda: Findings({})).figures
            found |= {each: replace(figure, title=figure.title + about) for each, figure in pictures.items()}
    return found


def trained(folder: Path) -> dict[str, Figure]:
    """Return the curves of the first job's training, if others have the same, from the jobs' folders."""
    import pandas as pd

    paths = sorted(folder.glob(f"*/{job.TRAINING}.csv"), key=lambda path: int(path.parent.name))
    texts = [path.read_text() for path in paths]
    jobs = [Outcome.load(path.parent) for path in paths]
    same = [outcome for outcome, text in zip(jobs, texts, strict=True) if text == texts[0]]
    about = _in_common(same, jobs) if jobs else None
    if about is None:
        return {}
    history = pd.read_csv(paths[0]).drop(columns="epoch").to_dict("records")
    curves = training_curves(history)  # type: ignore[arg-type]
    return {name: replace(figure, title=figure.title + about) for name, figure in curves.items()}


def _in_common(sharing: Sequence[Outcome], done: Sequence[Outcome]) -> str | None:
    """Say what the jobs that share a picture have in common; None if one of several has it alone."""
    if len(sharing) == 1 < len(done):
        return None
    always, here = (set.intersection(*(set(o.overrides) for o in jobs)) for jobs in (done, sharing))
    return f" ({', '.join(sorted(here - always))})" if here - always else ""


def collect(folder: Path, jobs: int | None) -> list[Outcome]:
    """Read what the jobs left, in their order; one that left nothing failed."""
    found = {path.parent.name: Outcome.load(path.parent) for path in folder.glob(f"*/{job.RESULT}")}
    numbers = sorted((name for name in found if name.isdigit()), key=int)
    expected = [str(number) for number in range(jobs)] if jobs is not None else numbers
    missing = Outcome([], status="FAILED", error="its process ended without a result")
    return [found.get(name, missing) for name in expected]
