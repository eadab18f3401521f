"""One job of a sweep, as Hydra runs it, perhaps in a process of its own."""

import json
import logging
import os
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from experiments import tracking
from experiments.config import compose, presets, steps
from experiments.config.concurrency import THREADS
from experiments.job import program, run_folder
from experiments.job.perform import Outcome, explain, perform
from experiments.numerics.threads import cores
from experiments.sweep.record import finished

log = logging.getLogger(__name__)

PARENT = "EXPERIMENTS_PARENT"  # the parent's run and its place, for the jobs wherever they run
SWEPT = "EXPERIMENTS_SWEPT"  # the keys that the jobs differ in
TYPED = "EXPERIMENTS_TYPED"  # the overrides of the command line, without a preset's


def run_job(cfg: DictConfig) -> float | None:
    """Run the job that Hydra composed; an error is kept in its result and does not stop the others.

    One that an earlier attempt of a resumed sweep finished is not repeated.
    """
    program.steady_console()  # of a worker
    hydra = HydraConfig.get()
    folder = Path(hydra.runtime.output_dir)
    overrides = list(hydra.overrides.task)
    swept = json.loads(os.environ.get(SWEPT, "[]"))
    name = compose.run_name([o for o in overrides if compose.key_of(o) in swept] or overrides)
    parent = tracking.Parent(*json.loads(os.environ[PARENT])) if PARENT in os.environ else None
    number = 0 if OmegaConf.is_missing(hydra.job, "num") else hydra.job.num
    before = finished(number)
    if before is not None:
        return Outcome.load(before).metrics.get(str(cfg.objective))
    outcome = Outcome(overrides, number=number, parent=parent.run_id if parent else "")
    key = "hydra.sweep.subdir" if parent else "hydra.run.dir"
    try:
        with run_folder.held(folder, key) as new:
            _refuse_another_job(folder, outcome)
            if new:
                run_folder.begin(folder, key)
            _perform(cfg, folder, outcome, name, parent)
    except ValueError as error:  # the folder is another's, so no result is left in it
        log.error("FAILED %s: %s", name, error)
    if outcome.status == "FINISHED" and cfg.objective not in outcome.metrics:
        log.debug("objective=%s was not given by this run", cfg.objective)
    return outcome.metrics.get(str(cfg.objective))


def _perform(
    cfg: DictConfig, folder: Path, outcome: Outcome, name: str, parent: tracking.Parent | None
) -> None:
    outcome.save(folder)  # RUNNING, until perform says how it ended
    log.info("%s", name)
    try:
        hydra, typed = HydraConfig.get(), json.loads(os.environ.get(TYPED, "null"))
        own = outcome.overrides if typed is None else typed
        presets.leave_out(cfg, hydra.runtime, map(compose.key_of, own))
        steps.fill(cfg, hydra.runtime)
        threads = int(os.environ.get(THREADS, 0))
        if cfg.threads == "auto" and threads not in (0, cores()):
            cfg.threads = threads
        choices = compose.choices()
        perform(cfg, folder, outcome, name=name, choices=choices, parent=parent, typed=typed)
    except Exception as error:  # every failure of a job ends in its result; the sweep names it at the end
        outcome.status, outcome.error = "FAILED", outcome.error or explain(error, folder)
        outcome.save(folder)
        log.error("FAILED %s: %s", name, outcome.error)


def _refuse_another_job(folder: Path, outcome: Outcome) -> None:
    """Raise ValueError if another job of the same sweep left its results in the folder."""
    try:
        other = Outcome.load(folder)
    except (OSError, TypeError, ValueError):  # none, or one of another version
        return
    if outcome.parent and other.parent == outcome.parent and other.number != outcome.number:
        raise ValueError(
            f"hydra.sweep.subdir puts jobs {other.number} and {outcome.number} into {folder}; leave it out, "
            "or use hydra.sweep.subdir='${hydra:job.num}'"
        )
