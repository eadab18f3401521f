"""Best job of a sweep: find it, record its metrics, and build its report and model from the cache."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import cast

from omegaconf import DictConfig, OmegaConf

from experiments import pipeline, report, tracking
from experiments.comparison.seeds import SEED
from experiments.config import compose
from experiments.config.build import build
from experiments.config.plan import Plan
from experiments.context import Silent
from experiments.job import context, logged_model, summary
from experiments.job.model import Model
from experiments.job.perform import Outcome
from experiments.metric_names import LABEL_FREE, Name, comparable, main_metrics
from experiments.store.cache import NotCachedError

log = logging.getLogger(__name__)

NOISE = "noise_share"  # a metric of jobs with noise
WITH_NOISE = ("acc", "clusters")  # metrics of the evaluators that compute noise_share


@dataclass(frozen=True)
class Best:
    """The best job of a sweep.

    Parameters
    ----------
    objective
        The metric by which it is the best.
    seeds
        Number of finished jobs that differ from it in the seed only, itself included.
    """

    folder: Path
    job: Outcome
    objective: str
    seeds: int

    @property
    def value(self) -> float:
        """Its value of the objective."""
        return objective_value(self.job.metrics, self.objective)


def find_best(jobs: Mapping[Path, Outcome], objective: str, swept: Sequence[str]) -> Best | None:
    """Return the best job by the usable objective; None if no job has it, or it cannot compare the jobs.

    Parameters
    ----------
    jobs
        Outcomes by the jobs' folders.
    swept
        The keys whose values differ between the jobs.
    """
    objective = usable_objective(jobs, objective, swept)
    folder = best_folder(jobs, objective, swept)
    if folder is None:
        return None
    job = jobs[folder]
    same = [other for other in jobs.values() if _configuration(other) == _configuration(job)]
    return Best(folder, job, objective, sum(other.status == "FINISHED" for other in same))


def record_best(
    best: Best | None, jobs: Mapping[Path, Outcome], plan: Plan, swept: Sequence[str], parent: tracking.Run
) -> bool:
    """Record the model of the best job, and tag the sweep's run with that job's id.

    Returns
    -------
    bool
        True if the model is recorded.
    """
    if plan.tracking.log_model != "best":
        return False
    setting = plan.settings.objective
    if best is None:
        if any(job.status == "FINISHED" for job in jobs.values()):
            log.warning("%s", _no_best_job(usable_objective(jobs, setting, swept), setting, swept))
        return False
    if best.objective != setting:
        reason = "needs labels" if comparable(setting, swept) else "cannot compare reducers"
        log.warning("objective=%s %s, so the best job has the best %s", setting, reason, best.objective)
    if not best.job.run_id:  # the job is not in MLflow, and its outcome says why
        return False
    run = parent.sibling(best.job.run_id, best.folder)
    try:
        recorded = _record_model(best.folder, run)
    except NotCachedError:
        log.warning(
            "cache.root on this machine does not have the best job's model; use tracking.log_model=all to "
            "record the model of each job"
        )
        return False
    except (ValueError, OSError, LookupError) as error:  # the metrics are recorded already
        log.error("the best job's model is not recorded: %s", error)
        return False
    parent.log(tags={tracking.BEST: run.id, "best.objective": best.objective})
    return recorded


def record_best_metrics(best: Best, swept: Sequence[str], parent: tracking.Run) -> None:
    """Record the main metrics of the best job in the sweep's run, with a tag that names the job."""
    job, objective = best.job, best.objective
    metrics = {
        name: job.metrics[name] for name in (*main_metrics(job.metrics), objective) if name in job.metrics
    }
    text = f"of the best job by {objective}, {summary.job_name(job, swept)}"
    parent.log(metrics=metrics, tags={"metrics": f"{text}, {job.run_id}" if job.run_id else text})


def _record_model(folder: Path, run: tracking.Run) -> bool:
    """Record the model of a job unless its run has one; return True if the run has one afterwards."""
    written = folder / logged_model.FOLDER / "data"
    if run.has_model():  # an earlier attempt of a resumed sweep recorded it
        return True
    if written.exists():
        logged_model.record_written(Model.load(written), folder, run)
    else:
        logged_model.write_and_record(_build_model(folder), folder, run)
    return run.has_model()  # if the store refused it, that was logged


def usable_objective(jobs: Mapping[Path, Outcome], objective: str, swept: Sequence[str]) -> str:
    """Return the objective, or a silhouette if the objective lacks labels or cannot compare the jobs."""
    finished = [job.metrics for job in jobs.values() if job.status == "FINISHED"]
    missing = Name.parse(objective).row.labels and not any(objective in metrics for metrics in finished)
    if comparable(objective, swept) and not missing:
        return objective
    for name in LABEL_FREE:
        if comparable(name, swept) and any(name in metrics for metrics in finished):
            return name
    return LABEL_FREE[-1] if any(LABEL_FREE[-1] in metrics for metrics in finished) else objective


def _no_best_job(objective: str, setting: str, swept: Sequence[str]) -> str:
    """Return the reason why no job is the best, and what to type instead."""
    if comparable(objective, swept):
        return (
            f"no job has objective={setting}, so there is no best job and no model is recorded; set "
            "objective to a metric in the table, or tracking.log_model=all"
        )
    stages = "backbones" if not comparable(LABEL_FREE[0], swept) else "reducers"
    use = "labels and objective=ari" if stages == "backbones" else "label_free=true"
    return (
        f"{objective} cannot compare {stages}, which change distances by themselves, so there is no best job "
        f"and no model is recorded; use {use}, or tracking.log_model=all"
    )


def best_folder(jobs: Mapping[Path, Outcome], objective: str, swept: Sequence[str] = ()) -> Path | None:
    """Return the folder of the best finished job, the first of equals.

    It is the job with the best objective among those of the configuration with the best mean over its seeds.
    None if no job has it, or if jobs that differ in the settings `swept` cannot be compared by it.
    """
    if not comparable(objective, swept):
        return None
    sign = -1 if Name.parse(objective).row.better == "lower" else 1
    finished = {path: job.metrics for path, job in jobs.items() if job.status == "FINISHED"}
    values = {path: sign * objective_value(metrics, objective) for path, metrics in finished.items()}
    values = {path: value for path, value in values.items() if not math.isnan(value)}
    by_config: dict[tuple[str, ...], list[float]] = {}
    for path, value in values.items():
        by_config.setdefault(_configuration(jobs[path]), []).append(value)
    means = {config: fmean(of_seeds) for config, of_seeds in by_config.items()}
    return max(values, key=lambda path: (means[_configuration(jobs[path])], values[path]), default=None)


def _configuration(job: Outcome) -> tuple[str, ...]:
    """Return a job's settings except its seed."""
    return tuple(override for override in job.overrides if compose.key_of(override) != SEED)


def objective_value(metrics: Mapping[str, float], objective: str) -> float:
    """Return a job's objective, nan if it has none.

    Evaluators compute noise metrics only if there is noise. So a job without noise has a noise share of 0,
    and its metrics without the noise samples equal its plain ones. With noise, a metric that is missing is
    undefined.
    """
    if objective in metrics:
        return metrics[objective]
    name = Name.parse(objective)
    if name.metric == NOISE:
        return 0.0 if any(str(replace(name, metric=other)) in metrics for other in WITH_NOISE) else math.nan
    return math.nan if NOISE in metrics else metrics.get(str(replace(name, noise="")), math.nan)


def best_job_report(best: Best, swept: Sequence[str]) -> report.BestJob:
    """Return the best job with the contents of its report, or without them if the cache lacks some."""
    contents, folder, name = None, best.folder, summary.job_name(best.job, swept)
    try:
        plan = build(cast(DictConfig, OmegaConf.load(folder / "config.yaml")))  # its paths are absolute
        result = pipeline.run(plan.stages, context.make(plan, Silent(), compute=False))
        facts = {"name": name, "run": best.job.run_id}
        contents = report.gather_contents(result, folder, context.make(plan, Silent()), facts)
    except NotCachedError:
        log.info("cache.root does not have the best job's results, so the report does not show them")
    except (ValueError, OSError, LookupError) as error:
        log.warning("the report does not show the best job: %s", error)
    return report.BestJob(name, folder, contents, best.seeds)


def _build_model(folder: Path) -> Model:
    """Build a job's model from the cache, without computing anything."""
    plan = build(cast(DictConfig, OmegaConf.load(folder / "config.yaml")))  # its paths are absolute
    ctx = context.make(plan, Silent(), compute=False)
    return Model.of(pipeline.run(replace(plan.stages, evaluators={}), ctx), ctx.dtype)
