"""One job as Hydra composed it, in this process or in a worker of its own."""

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


def folder_of() -> Path:
    """Return the folder of the job at work."""
    return Path(HydraConfig.get().runtime.output_dir)


def job_of(invocation: Invocation, number: int = 0) -> Job:
    """Return name, parent and options of the job at work."""
    overrides = list(HydraConfig.get().overrides.task)
    swept = [word for word in overrides if compose.key_of(word) in invocation.swept]
    parent = tracking.Parent(*invocation.parent) if invocation.parent else None
    return Job(overrides, run_name(swept or overrides), number, parent, compose.choices())


def plan_of(cfg: DictConfig, job: Job, invocation: Invocation) -> Plan:
    """Build the config of the job at work, with its share of the threads; its preset's leftovers go."""
    typed = job.overrides if invocation.typed is None else invocation.typed
    presets.leave_out(cfg, HydraConfig.get().runtime, map(compose.key_of, typed))
    steps.fill(cfg, HydraConfig.get().runtime)
    if cfg.threads == "auto" and invocation.threads not in (0, cores()):
        cfg.threads = invocation.threads
    return build(cfg, typed)


def run(cfg: DictConfig, folder: Path, job: Job, invocation: Invocation) -> Outcome:
    """Run the job at work; an error ends in its outcome, which is saved, and stops no other job."""
    outcome = job.outcome
    outcome.save(folder)  # RUNNING, until it is known how it ended
    log.info("%s", job.name)
    try:
        outcome = perform(plan_of(cfg, job, invocation), folder, job).outcome
    except Exception as error:  # it could not begin
        outcome = outcome.failed(error, folder)
        outcome.save(folder)
    if outcome.status == "FAILED":
        log.error("FAILED %s: %s", job.name, outcome.error)
    elif cfg.objective not in outcome.metrics:
        log.debug("objective=%s was not given by this run", cfg.objective)
    return outcome
