"""What belongs to all jobs of one multirun: the parent run, what the jobs left, table and chart of them."""

import json
import logging
import os
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments import compose, config, job, summary, tracking
from experiments.job import Outcome

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
        folder.mkdir(parents=True, exist_ok=True)
        tracker = tracking.connect(plan.tracking, plan.stages.dataset.name)
        name = f"sweep of {', '.join(swept)}" if swept else "sweep"
        self._stack = ExitStack()
        self.run = self._stack.enter_context(tracker.run(name, folder, params={}, tags={"sweep": "parent"}))
        os.environ[PARENT] = self.run.id
        os.environ[SWEPT] = json.dumps(self.swept)

    def close(self, error: BaseException | None = None) -> list[Outcome]:
        """Write table and chart, record them, end the parent run; return how the jobs ended."""
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


def collect(folder: Path, jobs: int | None) -> list[Outcome]:
    """Read what the jobs left, in their order; one that left nothing failed."""
    found = {path.parent.name: Outcome.load(path.parent) for path in folder.glob(f"*/{job.RESULT}")}
    numbers = sorted((name for name in found if name.isdigit()), key=int)
    expected = [str(number) for number in range(jobs)] if jobs is not None else numbers
    missing = Outcome([], status="FAILED", error="its process ended without a result")
    return [found.get(name, missing) for name in expected]
