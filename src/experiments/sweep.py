"""What belongs to all jobs of one multirun: the parent run, what the jobs left, table and chart of them."""

import json
import logging
import os
from collections.abc import Sequence
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from experiments import compose, config, job, summary, tracking
from experiments.job import Outcome

log = logging.getLogger(__name__)

PARENT = "EXPERIMENTS_PARENT"  # the parent's run and its place, for the jobs wherever they run
SWEPT = "EXPERIMENTS_SWEPT"  # the keys that the jobs differ in
TYPED = "EXPERIMENTS_TYPED"  # the overrides of the command line, without a preset's


def run_job(cfg: DictConfig) -> float | None:
    """Run the job that Hydra composed; an error is kept in its result and does not stop the others."""
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    overrides = list(hydra.overrides.task)
    swept = json.loads(os.environ.get(SWEPT, "[]"))
    name = " ".join(o for o in overrides if o.partition("=")[0] in swept) or " ".join(overrides) or "run"
    typed = json.loads(os.environ.get(TYPED, "null"))
    parent = tracking.Parent(*json.loads(os.environ[PARENT])) if PARENT in os.environ else None
    number = 0 if OmegaConf.is_missing(hydra.job, "num") else hydra.job.num
    outcome = Outcome(overrides, number=number, parent=parent.run_id if parent else "")
    outcome.save(folder)  # RUNNING, until perform says how it ended
    log.info("%s", name)
    try:
        choices = compose.choices()
        job.perform(cfg, folder, outcome, name=name, choices=choices, parent=parent, typed=typed)
    except Exception as error:  # every failure of a job ends in its result; the sweep names it at the end
        outcome.status, outcome.error = "FAILED", outcome.error or job.explain(error, folder)
        outcome.save(folder)
        log.error("FAILED %s: %s", name, outcome.error)
    if outcome.status == "FINISHED" and cfg.objective not in outcome.metrics:
        log.debug("objective=%s was not given by this run", cfg.objective)
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
        The overrides of each; None if an optimiser decides.

    Raises
    ------
    ConnectionError
        The sweep cannot be recorded.
    """

    def __init__(
        self, plan: config.Plan, folder: Path, swept: Sequence[str], jobs: Sequence[Sequence[str]] | None
    ) -> None:
        self.folder = folder
        self.swept = list(swept)
        self.jobs = jobs
        tracker = tracking.connect(plan.tracking, plan.stages.dataset.name)
        name = f"sweep of {', '.join(swept)}" if swept else "sweep"
        self.run = tracker.open(name, folder, params={}, tags={"sweep": "parent"})
        folder.mkdir(parents=True, exist_ok=True)
        os.environ[PARENT] = json.dumps([tracker.uri, tracker.experiment_id, self.run.id])
        os.environ[SWEPT] = json.dumps(self.swept)

    @property
    def lost(self) -> str:
        """Why the table and chart are not recorded, else empty."""
        return self.run.lost

    def close(self, error: BaseException | None = None) -> list[Outcome]:
        """Write table and chart, record them, end the parent run; return how the jobs ended.

        Parameters
        ----------
        error
            What ended the sweep before its time; it is recorded, and the caller's to raise.
        """
        for variable in (PARENT, SWEPT):
            os.environ.pop(variable, None)
        interrupted = error is not None and not isinstance(error, Exception)
        outcomes: list[Outcome] = []
        try:
            with self.run:
                self.run.end_children()
                outcomes = collect(self.folder, self.jobs, self.run.id, interrupted=interrupted)
                if outcomes:
                    self._write(outcomes)
                failed = [outcome for outcome in outcomes if outcome.status != "FINISHED"]
                if error is not None:
                    raise error
                if failed:
                    raise JobsFailedError(f"{len(failed)} of {len(outcomes)} jobs failed")
        except JobsFailedError:
            pass
        except BaseException as ended:
            if ended is not error:
                raise
        return outcomes

    def _write(self, outcomes: Sequence[Outcome]) -> None:
        rows = summary.to_frame(outcomes, self.swept)
        rows.to_csv(self.folder / "sweep.csv", index=False)
        table = rows.to_markdown(index=False, floatfmt=".4g")
        (self.folder / "sweep.md").write_text(f"{table}\n")
        self.run.describe(
            rows[summary.main_columns(rows, self.swept)].to_markdown(index=False, floatfmt=".4g")
        )
        summary.draw(rows, self.swept, self.folder / "sweep.png")
        for name in ("sweep.csv", "sweep.md", "sweep.png"):
            if (self.folder / name).exists():
                self.run.artifact(self.folder / name)


class JobsFailedError(Exception):
    """Some jobs of a sweep did not finish."""


def collect(
    folder: Path, jobs: Sequence[Sequence[str]] | None, parent: str, *, interrupted: bool = False
) -> list[Outcome]:
    """Read what the jobs of a sweep left, in their order, wherever `hydra.sweep.subdir` put it.

    One that left no end failed; of an interrupted sweep it was killed, or did not run.
    """
    left = (Outcome.load(path.parent) for path in folder.rglob(job.RESULT))
    found = {outcome.number: outcome for outcome in left if outcome.parent == parent}
    for number, overrides in enumerate(jobs or ()):
        task = [o for o in overrides if not compose.key_of(o).startswith(("hydra.", "hydra/"))]
        found.setdefault(number, Outcome(task, number=number, status="NOT RUN"))
    for outcome in found.values():
        if outcome.status == "RUNNING" and interrupted:
            outcome.status, outcome.error = "KILLED", "interrupted"
        elif outcome.status == "RUNNING" or (outcome.status == "NOT RUN" and not interrupted):
            outcome.status, outcome.error = "FAILED", "its process ended without a result"
    return [found[number] for number in sorted(found)]
