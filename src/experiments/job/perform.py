"""One job: build, run, write what was found into its folder, record it."""

import json
import logging
import shlex
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from experiments import figures, pipeline, report, tracking
from experiments.config import compose
from experiments.config.build import Plan, build, placed
from experiments.context import Context
from experiments.job import artifacts, console, context, logged_model, run_folder
from experiments.job.trace import trace
from experiments.metric_names import main_first
from experiments.report import notes

log = logging.getLogger(__name__)

EXPECTED = (ValueError, OSError)  # what the caller can cause: one clear line, no traceback
RESULT = "result.json"
LOG = "run.log"  # conf/hydra/job_logging writes it


@dataclass
class Outcome:
    """How a job ended: what a sweep needs of it, kept as result.json in the job's folder.

    `number` and `parent` are the job's in its sweep and the sweep's run; `computed` and `kept` are the
    store's keys, `found` is where it keeps what each evaluator found; `seconds` has None for a step that was
    kept; `lost` says why a result is not recorded; `doubts` are what a reader of its figures has to know.
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


def perform(
    cfg: DictConfig,
    folder: Path,
    outcome: Outcome,
    *,
    name: str = "",
    choices: Mapping[str, Any] | None = None,
    parent: tracking.Parent | None = None,
    typed: Sequence[str] | None = None,
    tags: Mapping[str, str] | None = None,
) -> pipeline.Result:
    """Run one composed config; leave what it made in `folder`, its record in MLflow, its end in `outcome`.

    Parameters
    ----------
    parent
        The sweep's run, if the job belongs to one.
    typed
        The overrides of the command line, if `outcome.overrides` holds a preset's as well.
    tags
        What else is to be recorded as tags.
    """
    start = time.perf_counter()
    plan = build(cfg, outcome.overrides if typed is None else typed)
    outcome.protocol = plan.settings.protocol
    logged_model.check_place(folder, plan)
    tracker = tracking.join(parent) if parent else tracking.connect(plan.tracking, plan.stages.dataset.name)
    params = compose.flatten(OmegaConf.to_container(cfg, resolve=True))  # type: ignore[arg-type]
    chosen = {group: str(option) for group, option in (choices or {}).items() if option and "/" not in group}
    try:
        with tracker.run(name or "run", folder, params=params, tags=chosen | dict(tags or {})) as run:
            outcome.run_id = run.id
            ctx = context.make(plan, console.Report(run.epoch))
            result = _run(plan, ctx, run, outcome)
            artifacts.check_names(result.findings, params)
            outcome.status, outcome.total = "FINISHED", time.perf_counter() - start
            with run_folder.new_files(folder) as new:
                artifacts.write(new, placed(plan), result)
                outcome.save(folder)
                trace(result, plan, ctx).save(new)
                if draws(plan, parent):
                    figures.write(artifacts.pictures(result), new / "figures")
                if reports(plan, parent):
                    spent = time.perf_counter() - start
                    report.write(result, new, ctx, name=name or "run", run_id=run.id, seconds=spent)
                written = run_folder.files_below(new)
            run.describe(_in_words(result, plan, run, parent))
            run.artifacts([*written, *(name for name in (RESULT, LOG) if (folder / name).exists())])
            logged_model.keep(result, ctx.dtype, plan, folder, run, alone=parent is None)
        outcome.lost = run.lost
    except BaseException as error:
        interrupted = not isinstance(error, Exception)
        outcome.status = "KILLED" if interrupted else "FAILED"
        outcome.error = "interrupted" if interrupted else explain(error, folder)
        raise
    finally:
        outcome.total = time.perf_counter() - start
        outcome.save(folder)
    return result


def _run(plan: Plan, ctx: Context, run: tracking.Run, outcome: Outcome) -> pipeline.Result:
    store = ctx.store
    try:
        result = pipeline.run(plan.stages, ctx)
    finally:
        outcome.computed, outcome.kept = store.computed, store.kept
    outcome.metrics, outcome.seconds, outcome.found = result.metrics, result.seconds, result.keys
    outcome.stopped, outcome.doubts = result.encoder.stopped, result.doubts
    run.dataset(result.samples)
    spent = {step: value for step, value in result.seconds.items() if value is not None}
    times = {f"wall_seconds_{step}": value for step, value in spent.items()}  # behind all others in charts
    tags = {
        "data.key": result.samples.key,
        "device": ctx.device,
        "dtype": ctx.dtype,
        "threads": str(ctx.threads),
    }
    if result.encoder.stopped:
        tags["stopped"] = result.encoder.stopped
        log.warning("training stopped %s", result.encoder.stopped)
    for doubt in result.doubts:
        log.warning("%s", doubt)
    if result.doubts:
        tags["warnings"] = "; ".join(result.doubts)
    run.log(metrics=main_first(result.metrics) | times, tags=tags)
    run.history(result.encoder.history)
    log.info("computed %d values, read %d kept ones", len(store.computed), len(store.kept))
    return result


def _in_words(result: pipeline.Result, plan: Plan, run: tracking.Run, parent: tracking.Parent | None) -> str:
    return notes.of_run(
        result,
        plan.stages,
        result.doubts,
        run_id=run.id,
        uri=plan.tracking.uri,
        report=run.page(report.NAME) if reports(plan, parent) else "",
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


def run(overrides: Sequence[str] = ()) -> pipeline.Result:
    """Run one experiment from Python, as `python run.py <overrides>` does.

    Parameters
    ----------
    overrides
        What one would type, such as `["cluster.k=20", "seed=3"]`; paths are relative to the working
        directory.

    Returns
    -------
    Result
        `metrics`, `samples`, `embeddings` float32 (n, d), `reduced` (n, p), `clustering` and `findings`.

    Raises
    ------
    ValueError
        A setting that cannot be; the message says what to type instead.
    """
    several = [o.input_line for o in compose.parse(overrides) if o.is_sweep_override()]
    if several:
        raise ValueError(f"{several[0]} gives several values; call run once for each, or python run.py -m")
    with compose.output_folder():
        cfg = compose.compose_config(overrides, hydra=True)
        folder = Path(cfg.hydra.run.dir).absolute()
    if cfg.hydra.mode == RunMode.MULTIRUN:
        typed = shlex.join(overrides)
        raise ValueError(f"{typed} is a sweep; run it with python run.py {typed}")
    if cfg.resume:
        raise ValueError(f"resume={cfg.resume} is for sweeps: python run.py -m ... resume={cfg.resume}")
    if cfg.plan:
        raise ValueError("plan=true only looks; use python run.py plan=true")
    outcome = Outcome(list(overrides))
    choices = dict(cfg.hydra.runtime.choices)
    name = compose.run_name(overrides)
    with run_folder.held(folder, "hydra.run.dir"):
        run_folder.begin(folder, "hydra.run.dir")
        return perform(compose.without_hydra(cfg), folder, outcome, name=name, choices=choices)
