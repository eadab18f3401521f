"""Perform one job: run its stages, write the results into its folder, and record them in MLflow."""

import json
import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from experiments import figures, pipeline, report, tracking
from experiments.config import compose
from experiments.config.build import with_absolute_paths
from experiments.config.plan import Plan
from experiments.context import Context
from experiments.job import artifacts, console, context, logged_model, run_folder
from experiments.job.trace import trace
from experiments.metric_names import main_first
from experiments.report import notes
from experiments.report.headlines import equal_count_suffixes
from experiments.store.values import Store
from experiments.types import step_name

log = logging.getLogger(__name__)

EXPECTED = (ValueError, OSError)  # errors that a user can cause: one clear line, no traceback
RESULT = "result.json"
LOG = "run.log"  # conf/hydra/job_logging writes it


@dataclass(frozen=True)
class Outcome:
    """The outcome of a job, saved as result.json in the job's folder.

    `number` is the job's number in its sweep, and `parent` the id of the sweep's run. `computed` and `reused`
    are cache keys, `finding_keys` those of the findings. `seconds` is None for a reused step. `unrecorded` is
    the reason why a result is not recorded, `warnings` are about its metrics, and `equal_counts` has the
    suffixes of the rows with equal numbers of clusters and classes.
    """

    overrides: list[str]
    number: int = 0
    parent: str = ""
    protocol: str = ""
    status: str = "RUNNING"
    metrics: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float | None] = field(default_factory=dict)
    total: float = 0.0
    computed: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    clustering_key: str = ""
    finding_keys: dict[str, str] = field(default_factory=dict)
    run_id: str = ""
    error: str = ""
    unrecorded: str = ""
    stopped: str = ""
    warnings: list[str] = field(default_factory=list)
    equal_counts: list[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write result.json."""
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{RESULT}.partial"
        partial.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        partial.replace(folder / RESULT)

    @classmethod
    def load(cls, folder: Path) -> "Outcome":
        """Return the outcome of a folder's result.json; raise ValueError if another version wrote it."""
        try:
            return cls(**json.loads((folder / RESULT).read_text(encoding="utf-8")))
        except TypeError as error:
            raise ValueError(
                f"{folder / RESULT} is from another version of the framework ({error}); run the command "
                "without resume, which reuses all cached steps"
            ) from error

    def with_result(self, result: pipeline.Result) -> "Outcome":
        """Return the outcome with the metrics and other facts of a result."""
        return replace(
            self,
            metrics=result.metrics,
            seconds=result.seconds,
            clustering_key=result.step_keys.clustering,
            finding_keys=result.finding_keys,
            stopped=result.encoder.stopped,
            warnings=result.warnings,
            equal_counts=equal_count_suffixes(result),
        )

    def with_keys(self, store: Store) -> "Outcome":
        """Return the outcome with the cache keys that were computed and reused so far."""
        return replace(self, computed=list(store.computed), reused=list(store.reused))

    def failed(self, error: BaseException, folder: Path) -> "Outcome":
        """Return the outcome as FAILED with an error's message, or KILLED after an interruption."""
        if isinstance(error, Exception):
            return replace(self, status="FAILED", error=explain(error, folder))
        return replace(self, status="KILLED", error="interrupted")


@dataclass(frozen=True)
class Job:
    """A job's name, overrides and sweep, besides its config.

    Parameters
    ----------
    overrides
        Typed and swept overrides, including the sweep of a preset.
    number, parent
        Its number in a sweep, and the sweep's run.
    choices
        The chosen option of each group, from which `options` makes tags.
    tags
        Further tags to record.
    """

    overrides: Sequence[str] = ()
    name: str = "run"
    number: int = 0
    parent: tracking.Parent | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """The outcome of a job that starts."""
        return Outcome(list(self.overrides), self.number, self.parent.run_id if self.parent else "")

    def options(self, params: Mapping[str, Any]) -> dict[str, str]:
        """Return the option of each group, or the name of the network in its setting `model`."""
        options = {
            group: str(option) for group, option in self.choices.items() if option and "/" not in group
        }
        return {group: step_name(option, params.get(f"{group}.model")) for group, option in options.items()}


@dataclass(frozen=True, eq=False)
class Performed:
    """A job that ended, with its outcome, and its result or error."""

    outcome: Outcome
    _result: pipeline.Result | None = None
    _error: Exception | None = None

    @property
    def result(self) -> pipeline.Result:
        """The result of the stages; raises the error of a failed job."""
        if self._result is None or self._error is not None:
            raise self._error or ValueError(f"{self.outcome.status} without a result")
        return self._result


def perform(plan: Plan, folder: Path, job: Job) -> Performed:
    """Run a checked config, write its files and outcome into `folder`, and record it in MLflow.

    Returns
    -------
    Performed
        Also for a failed job. An interruption is saved as the outcome, then raised.

    Raises
    ------
    ValueError, ConnectionError
        The job cannot start, because of its folder or the MLflow server.
    """
    start = time.perf_counter()
    logged_model.check_folder(folder, plan)
    parent, dataset = job.parent, plan.stages.dataset.display_name
    tracker = tracking.tracker_below(parent) if parent else tracking.connect(plan.tracking, dataset)
    params = compose.flatten(OmegaConf.to_container(plan.cfg, resolve=True))  # type: ignore[arg-type]
    tags = job.options(params) | dict(job.tags)
    outcome = replace(job.outcome, protocol=plan.settings.protocol)
    result = failure = None
    try:
        with tracker.run(job.name, folder, params=params, tags=tags) as run:
            outcome = replace(outcome, run_id=run.id)
            work = Work(plan, folder, job, run, context.make(plan, console.Report(run.epoch)), start)
            try:
                result = pipeline.run(plan.stages, work.ctx)
                outcome = outcome.with_result(result)
                work.record(result)
                artifacts.check_names(result.findings, params)
                outcome = replace(outcome.with_keys(work.ctx.store), status="FINISHED", total=work.seconds)
                work.write(result, outcome)
            finally:
                outcome = outcome.with_keys(work.ctx.store)
        outcome = replace(outcome, unrecorded=run.unrecorded)
    except BaseException as error:
        outcome = outcome.failed(error, folder)
        if not isinstance(error, Exception):
            raise
        failure = error
    finally:
        outcome = replace(outcome, total=time.perf_counter() - start)
        outcome.save(folder)
    return Performed(outcome, result, failure)


@dataclass(frozen=True)
class Work:
    """A running job with its MLflow run, context and start time."""

    plan: Plan
    folder: Path
    job: Job
    run: tracking.Run
    ctx: Context
    start: float

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self.start

    def record(self, result: pipeline.Result) -> None:
        """Record the data set, metrics, tags and epochs."""
        run, ctx, stopped = self.run, self.ctx, result.encoder.stopped
        run.dataset(result.samples)
        seconds = {step: value for step, value in result.seconds.items() if value is not None}
        times = {f"wall_seconds_{step}": value for step, value in seconds.items()}  # wall_: last in charts
        tags = {
            "data.key": result.samples.data_key,
            "device": ctx.device,
            "dtype": ctx.dtype,
            "threads": str(ctx.threads),
            "stopped": stopped,
            "warnings": "; ".join(result.warnings),
        }
        for warning in [f"training stopped {stopped}"] * bool(stopped) + result.warnings:
            log.warning("%s", warning)
        run.log(metrics=main_first(result.metrics) | times, tags={k: v for k, v in tags.items() if v})
        run.history(result.encoder.history)

    def write(self, result: pipeline.Result, outcome: Outcome) -> None:
        """Write the files of a run into its folder, and record them with a description and the model."""
        plan, folder, run, parent = self.plan, self.folder, self.run, self.job.parent
        with run_folder.new_files(folder) as new:
            artifacts.write(new, with_absolute_paths(plan), plan.stages, result)
            outcome.save(folder)
            trace(result, plan, self.ctx).save(new)
            own_figures = artifacts.all_figures(result) if draws_figures(plan, parent) else {}
            drawings = figures.save_figures(own_figures, new / "figures")
            if writes_report(plan, parent):
                report.write_report(
                    result,
                    new,
                    self.ctx,
                    name=self.job.name,
                    run_id=run.id,
                    seconds=self.seconds,
                    drawings=drawings,
                )
            written = run_folder.files_below(new)
        run.describe(self._description(result))
        run.artifacts([*written, *(name for name in (RESULT, LOG) if (folder / name).exists())])
        logged_model.record_if_due(result, self.ctx.dtype, plan, folder, run, single=parent is None)

    def _description(self, result: pipeline.Result) -> str:
        plan, run, parent = self.plan, self.run, self.job.parent
        return notes.of_run(
            result,
            plan.stages,
            result.warnings,
            run_id=run.id,
            uri=plan.tracking.uri,
            report=run.page(report.REPORT_FILE) if writes_report(plan, parent) else "",
            assigns=logged_model.is_recorded_now(plan, single=parent is None),
        )


def draws_figures(plan: Plan, parent: tracking.Parent | None) -> bool:
    """Return True if a job draws its own figures; by default, the sweep draws its jobs' figures."""
    if plan.settings.figures == "auto":
        return not (parent and plan.cache.enabled)
    return plan.settings.figures == "all"


def writes_report(plan: Plan, parent: tracking.Parent | None) -> bool:
    """Return True if a job writes its own report; by default, a sweep writes one report of all its jobs."""
    return plan.settings.report == "all" or (plan.settings.report == "auto" and parent is None)


def explain(error: BaseException, folder: Path) -> str:
    """Return an error as one line; write the traceback of an unexpected one into the run's folder."""
    if isinstance(error, EXPECTED):
        log.debug("traceback", exc_info=error)
        return str(error) or type(error).__name__
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(traceback.format_exception(error))
    (folder / "traceback.txt").write_text(text, encoding="utf-8")
    log.debug("%s", text)
    return f"{type(error).__name__}: {error}; the traceback is in {folder / 'traceback.txt'}"
