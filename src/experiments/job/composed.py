"""Run a job that Hydra composed, in this process or a worker."""

import logging
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from experiments import tracking
from experiments.config import compose, presets, steps
from experiments.config.build import build
from experiments.config.invocation import Invocation
from experiments.config.plan import Plan
from experiments.config.run_names import run_name
from experiments.job.perform import Job, Outcome, perform
from experiments.numerics.threads import cores

log = logging.getLogger(__name__)


def job_folder() -> Path:
    """Return the output folder of the current job."""
    return Path(HydraConfig.get().runtime.output_dir)


def build_job(invocation: Invocation, number: int = 0) -> Job:
    """Return the current job with its name, parent run and chosen options."""
    overrides = list(HydraConfig.get().overrides.task)
    swept = [word for word in overrides if compose.key_of(word) in invocation.swept]
    parent = tracking.Parent(*invocation.parent) if invocation.parent else None
    return Job(overrides, run_name(swept or overrides), number, parent, compose.choices())


def build_plan(cfg: DictConfig, job: Job, invocation: Invocation) -> Plan:
    """Build the current job's plan, with its share of the threads, without unused settings of its preset."""
    typed = job.overrides if invocation.typed is None else invocation.typed
    presets.remove_inapplicable(cfg, HydraConfig.get().runtime, map(compose.key_of, typed))
    steps.add_option_settings(cfg, HydraConfig.get().runtime)
    steps.remove_unused_settings([cfg], invocation.swept)
    if cfg.threads == "auto" and invocation.threads not in (0, cores()):
        cfg.threads = invocation.threads
    return build(cfg, typed)


def run(cfg: DictConfig, folder: Path, job: Job, invocation: Invocation) -> Outcome:
    """Run the current job and save its outcome; an error is saved as well and does not stop other jobs."""
    outcome = job.outcome
    outcome.save(folder)  # with the status RUNNING until the job ends
    log.info("%s", job.name)
    try:
        outcome = perform(build_plan(cfg, job, invocation), folder, job).outcome
    except Exception as error:  # it could not start
        outcome = outcome.failed(error, folder)
        outcome.save(folder)
    if outcome.status == "FAILED":
        log.error("FAILED %s: %s", job.name, outcome.error)
    elif cfg.objective not in outcome.metrics:
        log.debug("objective=%s is not a metric of this run", cfg.objective)
    return outcome
