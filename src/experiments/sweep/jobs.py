"""Run one job of a sweep, unless an earlier attempt finished it."""

import logging
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments.config.invocation import Invocation
from experiments.job import composed, run_folder
from experiments.job.perform import Job, Outcome
from experiments.sweep.state import finished_folders

log = logging.getLogger(__name__)

FOLDER = "hydra.sweep.subdir"  # the setting of a job's folder


def run_job(cfg: DictConfig, invocation: Invocation) -> Outcome:
    """Run a job that Hydra composed, or return its outcome if an earlier attempt finished it."""
    number = int(HydraConfig.get().job.num)
    sweep, folder = Path(invocation.folder), composed.job_folder()
    if invocation.resumed and number in finished_folders(sweep):
        return Outcome.load(finished_folders(sweep)[number])
    job = composed.build_job(invocation, number)
    try:
        with run_folder.locked(folder, FOLDER, sweep) as new:
            _refuse_another_job(folder, job)
            if new:
                run_folder.prepare(folder, FOLDER)
            return composed.run(cfg, folder, job, invocation)
    except ValueError as error:  # another job's folder, so no outcome is saved there
        log.error("FAILED %s: %s", job.name, error)
        return job.outcome


def _refuse_another_job(folder: Path, job: Job) -> None:
    """Raise ValueError if the folder has the results of another job of the same sweep."""
    try:
        other = Outcome.load(folder)
    except (OSError, TypeError, ValueError):  # no outcome, or one of another version
        return
    if job.parent and other.parent == job.parent.run_id and other.number != job.number:
        raise ValueError(
            f"hydra.sweep.subdir puts jobs {other.number} and {job.number} into {folder}; remove it, "
            "or use hydra.sweep.subdir='${hydra:job.num}'"
        )
