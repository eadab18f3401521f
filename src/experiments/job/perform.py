"""One job: build, run, write what was found into its folder, record it."""

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
from experiments.config.build import placed
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

EXPECTED = (ValueError, OSError)  # what the caller can cause: one clear line, no traceback
RESULT = "result.json"
LOG = "run.log"  # conf/hydra/job_logging writes it


@dataclass(frozen=True)
class Outcome:
    """How a job ended: what a sweep needs of it, kept as result.json in the job's folder.

    `number` and `parent` are the job's in its sweep and the sweep's run; `computed` and `kept` are the
    store's keys, `found` is where it keeps what each evaluator found; `seconds` has None for a step that was
    kept; `lost` says why a result is not recorded; `doubts` are what a reader of its figures has to know;
    `alike` has the suffixes of the rows with as many clusters as classes.
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
    kept: list[str] = field(default_factory=list)
    found: dict[str, str] = field(default_factory=dict)
    run_id: str = ""
    error: str = ""
    lost: str = ""
    stopped: str = ""
    doubts: list[str] = field(default_factory=list)
    alike: list[str] = field(default_factory=list)

    def save(self, folder: Path) -> None:
        """Write result.json."""
        folder.mkdir(parents=True, exist_ok=True)
        partial = folder / f"{RESULT}.partial"
        partial.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        partial.replace(folder / RESULT)

    @classmethod
    def load(cls, folder: Path) -> "Outcome":
        """Read what `save` wrote."""
        return cls(**json.loads((folder / RESULT).read_text(encoding="utf-8")))

    def with_result(self, result: pipeline.Result) -> "Outcome":
        """Return it with what the stages gave."""
        return replace(
            self,
            metrics=result.metrics,
            seconds=result.seconds,
            found=result.finding_keys,
            stopped=result.encoder.stopped,
            doubts=result.warnings,
            alike=equal_count_suffixes(result),
        )

    def with_keys(self, store: Store) -> "Outcome":
        """Return it with the cache keys that were computed, and reused, so far."""
        return replace(self, computed=list(store.computed), kept=list(store.reused))

    def failed(self, error: BaseException, folder: Path) -> "Outcome":
        """Return it as one that an error ended, or an interruption."""
        if isinstance(error, Exception):
            return replace(self, status="FAILED", error=explain(error, folder))
        return replace(self, status="KILLED", error="interrupted")


@dataclass(frozen=True)
class Job:
    """What a job is called and belongs to, beside its config.

    Parameters
    ----------
    overrides
        What was typed, swept, or set by a preset's sweep for it.
    number, parent
        Its place in a sweep, and the sweep's run.
    choices
        The option chosen in each group, for `options`, which are recorded as tags.
    tags
        What else is to be recorded as tags.
    """

    overrides: Sequence[str] = ()
    name: str = "run"
    number: int = 0
    parent: tracking.Parent | None = None
    choices: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> Outcome:
        """The outcome of a job that begins."""
        return Outcome(list(self.overrides), self.number, self.parent.run_id if self.parent else "")

    def options(self, params: Mapping[str, Any]) -> dict[str, str]:
        """Return the option of each group, or the network that its setting `model` names."""
        chosen = {group: str(option) for group, option in self.choices.items() if option and "/" not in group}
        return {group: step_name(option, params.get(f"{group}.model")) for group, option in chosen.items()}


@dataclass(frozen=True, eq=False)
class Performed:
    """A job that ended: its outcome, and its result or the error that ended it."""

    outcome: Outcome
    _result: pipeline.Result | None = None
    _error: Exception | None = None

    @property
    def result(self) -> pipeline.Result:
        """The result of the stages; raises the error of a job that failed."""
        if self._result is None or self._error is not None:
            raise self._error or ValueError(f"{self.outcome.status} without a result")
        return self._result


def perform(plan: Plan, folder: Path, job: Job) -> Performed:
    """Run one checked config; leave its files and its outcome in `folder`, and its record in MLflow.

    Returns
    -------
    Performed
        Also of a job that failed; an interruption is raised, after its outcome was saved.

    Raises
    ------
    ValueError, ConnectionError
        The job cannot begin: its folder or the server refuses it.
    """
    start = time.perf_counter()
    logged_model.check_place(folder, plan)
    parent, dataset = job.parent, plan.stages.dataset.name
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
        outcome = replace(outcome, lost=run.lost)
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
    """A job at work: its record, its surroundings, and when it began."""

    plan: Plan
    folder: Path
    job: Job
    run: tracking.Run
    ctx: Context
    start: float

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.perf_counter() - self.start

    def record(self, result: pipeline.Result) -> None:
        """Record data set, metrics, tags and epochs."""
        run, ctx, stopped = self.run, self.ctx, result.encoder.stopped
        run.dataset(result.samples)
        spent = {step: value for step, value in result.seconds.items() if value is not None}
        times = {f"wall_seconds_{step}": value for step, value in spent.items()}  # last in charts
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
        """Write the files of a run into its folder, and record them with its description and its model."""
        plan, folder, run, parent = self.plan, self.folder, self.run, self.job.parent
        with run_folder.new_files(folder) as new:
            artifacts.write(new, placed(plan), result)
            outcome.save(folder)
            trace(result, plan, self.ctx).save(new)
            pictures = artifacts.pictures(result) if draws(plan, parent) else {}
            drawings = figures.save_figures(pictures, new / "figures")
            if reports(plan, parent):
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
        run.describe(self._in_words(result))
        run.artifacts([*written, *(name for name in (RESULT, LOG) if (folder / name).exists())])
        logged_model.keep(result, self.ctx.dtype, plan, folder, run, alone=parent is None)

    def _in_words(self, result: pipeline.Result) -> str:
        plan, run, parent = self.plan, self.run, self.job.parent
        return notes.of_run(
            result,
            plan.stages,
            result.warnings,
            run_id=run.id,
            uri=plan.tracking.uri,
            report=run.page(report.REPORT_FILE) if reports(plan, parent) else "",
            assigns=logged_model.records(plan, alone=parent is None),
        )


def draws(plan: Plan, parent: tracking.Parent | None) -> bool:
    """Tell whether a job draws its own pictures; a sweep draws those of its jobs from the store."""
    if plan.settings.figures == "auto":
        return not (parent and plan.cache.enabled)
    return plan.settings.figures == "all"


def reports(plan: Plan, parent: tracking.Parent | None) -> bool:
    """Tell whether a job ends with a report of its own; a sweep has one of all its jobs."""
    return plan.settings.report == "all" or (plan.settings.report == "auto" and parent is None)


def explain(error: BaseException, folder: Path) -> str:
    """Put an error into one line; an unexpected one leaves its traceback in the run's folder."""
    if isinstance(error, EXPECTED):
        log.debug("traceback", exc_info=error)
        return str(error) or type(error).__name__
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(traceback.format_exception(error))
    (folder / "traceback.txt").write_text(text, encoding="utf-8")
    log.debug("%s", text)
    return f"{type(error).__name__}: {error}; the traceback is in {folder / 'traceback.txt'}"
