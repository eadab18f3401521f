"""The model of a sweep's best job, made from what the store kept of it."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from omegaconf import DictConfig, OmegaConf

from experiments import pipeline, report, tracking
from experiments.config.build import build
from experiments.config.plan import Plan
from experiments.context import Silent
from experiments.job import context, logged_model, summary
from experiments.job.model import Model
from experiments.job.perform import Outcome
from experiments.metric_names import Name, main_metrics
from experiments.store.cache import NotCachedError

log = logging.getLogger(__name__)

NOISE = "noise_share"  # of a job that has noise
JUDGED = ("acc", "clusters")  # metrics that stand beside noise_share where there is noise


def record_best(jobs: Mapping[Path, Outcome], plan: Plan, parent: tracking.Run) -> bool:
    """Record the model of the job that is best by the objective, and name that job in the sweep's record.

    Returns
    -------
    bool
        It is recorded.

    Parameters
    ----------
    jobs
        By the folders that they left.
    """
    if plan.tracking.log_model != "best":
        return False
    place = best(jobs, plan.settings.objective)
    if place is None:
        log.warning(
            "no job gave objective=%s, so none is best and no model is recorded; set objective to a figure "
            "in the table, or tracking.log_model=all",
            plan.settings.objective,
        )
        return False
    if not jobs[place].run_id:  # the record was lost, which was said
        return False
    run = parent.sibling(jobs[place].run_id, place)
    try:
        recorded = _recorded(place, run)
    except NotCachedError:
        log.warning("cache.root here does not hold the best job's model; tracking.log_model=all records each")
        return False
    except (ValueError, OSError, LookupError) as error:  # the results are recorded already
        log.error("the best job's model is not recorded: %s", error)
        return False
    parent.log(tags={tracking.BEST: run.id, "best.objective": plan.settings.objective})
    return recorded


def show_best(
    jobs: Mapping[Path, Outcome], objective: str, swept: Sequence[str], parent: tracking.Run
) -> None:
    """Give the sweep's record the main metrics of its best job, with a tag that says whose they are."""
    folder = best(jobs, objective)
    if folder is None:
        return
    job = jobs[folder]
    shown = {
        name: job.metrics[name] for name in (*main_metrics(job.metrics), objective) if name in job.metrics
    }
    whose = f"of the best job by {objective}, {summary.name(job, swept)}"
    parent.log(metrics=shown, tags={"metrics": f"{whose}, {job.run_id}" if job.run_id else whose})


def _recorded(place: Path, run: tracking.Run) -> bool:
    """Record the model of the job in a folder, unless its run has one; True if it has one now."""
    left = place / logged_model.FOLDER / "data"
    if run.has_model():  # an earlier attempt of a resumed sweep recorded it
        return True
    if left.exists():
        logged_model.send(Model.load(left), place, run)
    else:
        logged_model.record(_made(place), place, run)
    return run.has_model()  # what a store refused was said


def best(jobs: Mapping[Path, Outcome], objective: str) -> Path | None:
    """Return the folder of the finished job with the best figure, the first of equals, or None."""
    sign = -1 if Name.parse(objective).row.better == "lower" else 1
    done = {place: figure(job.metrics, objective) for place, job in jobs.items() if job.status == "FINISHED"}
    given = {place: sign * value for place, value in done.items() if not math.isnan(value)}
    return max(given, key=lambda place: given[place]) if given else None


def figure(metrics: Mapping[str, float], objective: str) -> float:
    """Return a job's objective, nan if it has none; without noise, what is the same then.

    Evaluators give figures of noise where there is some: a job without any has a share of 0, and its figures
    without noise are the plain ones. One whose noise leaves a figure undefined has none.
    """
    if objective in metrics:
        return metrics[objective]
    name = Name.parse(objective)
    if name.metric == NOISE:
        return 0.0 if any(str(replace(name, metric=judge)) in metrics for judge in JUDGED) else math.nan
    return math.nan if NOISE in metrics else metrics.get(str(replace(name, noise="")), math.nan)


def report_of(place: Path, name: str, run_id: str) -> report.BestJob:
    """Return a job with the contents of its report, from cached results, or without if some are missing."""
    shown = None
    try:
        plan = build(cast(DictConfig, OmegaConf.load(place / "config.yaml")))  # its paths are absolute
        result = pipeline.run(plan.stages, context.make(plan, Silent(), compute=False))
        shown = report.gather_contents(
            result, place, context.make(plan, Silent()), {"name": name, "run": run_id}
        )
    except NotCachedError:
        log.info("cache.root does not hold the best job's results, so the report does not show them")
    except (ValueError, OSError, LookupError) as error:
        log.warning("the report does not show the best job: %s", error)
    return report.BestJob(name, place, shown)


def _made(place: Path) -> Model:
    """Make a job's model of what the store holds, computing nothing."""
    plan = build(cast(DictConfig, OmegaConf.load(place / "config.yaml")))  # its paths are absolute
    ctx = context.make(plan, Silent(), compute=False)
    return Model.of(pipeline.run(replace(plan.stages, evaluators={}), ctx), ctx.dtype)
