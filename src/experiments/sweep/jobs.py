"""One job of a sweep: its number, its folder, and whether an earlier attempt finished it."""

import logging
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments.config.invocation import Invocation
from experiments.job import composed, run_folder
from experiments.job.perform import Job, Outcome
from experiments.sweep.record import finished

log = logging.getLogger(__name__)

FOLDER = "hydra.sweep.subdir"  # the setting that names a job's folder


def run_job(cfg: DictConfig, invocation: Invocation) -> Outcome:
    """Run a job that Hydra composed; one that an earlier attempt finished is not repeated."""
    number = int(HydraConfig.get().job.num)
    sweep, folder = Path(invocation.folder), composed.folder_of()
    if invocation.resumed and number in finished(sweep):
        return Outcome.load(finished(sweep)[number])
    job = composed.job_of(invocation, number)
    try:
        with run_folder.held(folder, FOLDER, sweep) as new:
            _refuse_another_job(folder, job)
            if new:
                run_folder.begin(folder, FOLDER)
            return composed.run(cfg, folder, job, invocation)
    except ValueError as error:  # the folder is another's, so no result is left in it
        log.error("FAILED %s: %s", job.name, error)
        return job.outcome


def _refuse_another_job(folder: Path, job: Job) -> None:
    """Raise ValueError if another job of the same sweep left its results in the folder."""
    try:
        other = Outcome.load(folder)
    except (OSError, TypeError, ValueError):  # none, or one of another version
        return
    if job.parent and other.parent == job.parent.run_id and other.number != job.number:
        raise ValueError(
            f"hydra.sweep.subdir puts jobs {other.number} and {job.number} into {folder}; leave it out, "
            "or use hydra.sweep.subdir='${hydra:job.num}'"
        )
