"""From a command line to an exit code: everything is checked before the first job runs."""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser  # the parser that hydra.main itself uses
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from experiments import compose, config, console, context, job, pipeline, program, run_folder, sweep, tracking
from experiments.config import Plan
from experiments.sweep import resumption, summary
from experiments.sweep.record import Record
from experiments.types import Samples

log = logging.getLogger(__name__)

INTERRUPTED = 130
RESUME = "resume"  # taken from the command here: no job has it


@dataclass(frozen=True)
class Request:
    """What the command line asks for.

    Parameters
    ----------
    plans
        One per job; for an optimiser, which decides its jobs as it goes, the one that it starts from.
    jobs
        The overrides of each job.
    swept
        The keys that the jobs differ in.
    typed
        The overrides of the command line, without resume.
    resume
        Which sweep to go on with: empty, `true`, a run's id or a folder.
    """

    plans: list[Plan]
    jobs: list[list[str]]
    swept: list[str]
    multirun: bool
    optimiser: bool
    folder: Path
    typed: list[str]
    resume: str = ""


def launch(main: Callable[[], None]) -> int:
    """Run `main` under Hydra, as one job or a sweep; return the exit code."""
    program.prefer_utf8()
    program.steady_console()
    args = get_args_parser().parse_intermixed_args()
    sys.argv[1:] = [*(word for word in sys.argv[1:] if word not in args.overrides), *args.overrides]
    if args.help or args.hydra_help or args.cfg or args.info is not None or args.shell_completion:
        os.environ.setdefault(compose.OUTPUT, "outputs")
        main()
        return 0
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[console.Handler()])
    if "hydra.verbose=true" in [override.lower() for override in args.overrides]:
        logging.getLogger("experiments").setLevel(logging.DEBUG)
    signal.signal(signal.SIGTERM, _interrupt)
    program.outlive_terminal(_interrupt)
    try:
        with compose.output_folder():
            return _launch(main, args)
    except job.EXPECTED as error:
        console.complain(str(error))
        log.debug("traceback", exc_info=error)
        return 1
    except KeyboardInterrupt:
        console.complain(
            "interrupted; what was finished is kept, and the same command goes on from there; a sweep in the "
            "same place with resume=true"
        )
        return INTERRUPTED


def _launch(main: Callable[[], None], args: Any) -> int:
    request = read(args)
    first = request.plans[0]
    if first.settings.plan:
        return _preview(request)
    tracker = tracking.connect(first.tracking, first.stages.dataset.name)
    tracker.end_the_dead()
    os.environ[sweep.TYPED] = json.dumps(request.typed)
    sys.argv[1:] = [
        word for word in sys.argv[1:] if compose.key_of(word) != RESUME or word not in args.overrides
    ]
    if request.multirun:
        return _sweep(main, request, tracker)
    before, _ = check(request)
    os.environ[compose.OUTPUT] = str(request.folder)  # as it was composed: another moment, another ${now:}
    sys.argv.append("hydra.run.dir=${oc.env:" + compose.OUTPUT + "}")
    with run_folder.held(request.folder, "hydra.run.dir"):
        run_folder.begin(request.folder, "hydra.run.dir")
        _hydra(main)
        outcome, place = job.Outcome.load(request.folder), tracker.experiment_id
    return summary.show([outcome], [], request.folder, first.tracking.uri, before, experiment_id=place)


def _sweep(main: Callable[[], None], request: Request, tracker: tracking.Tracker) -> int:
    """Run all jobs of a sweep, or those that an earlier attempt left."""
    first = request.plans[0]
    asked = begun = None
    folder, jobs = request.folder, None if request.optimiser else request.jobs
    if jobs is not None:
        asked = Record.of(request.typed, request.plans, jobs, request.swept)
    if request.resume and asked:
        begun = resumption.find(request.resume, asked, tracker)
        folder, done = begun.folder, len(begun.record.finished)
        if begun.complete:
            console.say(f"nothing to resume: all {done} jobs of {begun.record.run_id} finished; see {folder}")
            return 0
        log.info("resuming %s: %d of %d jobs are finished", begun.record.run_id, done, len(request.jobs))
    before, data = check(request)
    os.environ[compose.OUTPUT] = str(folder)  # what it was composed to here: another moment, another ${now:}
    sys.argv.append("hydra.sweep.dir=${oc.env:" + compose.OUTPUT + "}")
    with run_folder.held(folder, "hydra.sweep.dir"):
        if begun is None:
            run_folder.begin(folder, "hydra.sweep.dir")
        elif asked:  # anew, now that no other process can go on with it
            begun = resumption.find(begun.record.run_id, asked, tracker)
            resumption.refuse_other_data(begun, data)
        show = partial(
            summary.show,
            swept=request.swept,
            folder=folder,
            uri=first.tracking.uri,
            before=before,
            experiment_id=tracker.experiment_id,
        )
        parent = sweep.Sweep(first, folder, request.swept, jobs, asked, begun)
        try:
            if begun is None or len(begun.record.finished) < len(request.jobs):
                _hydra(main)
        except BaseException as error:
            show(parent.close(error), lost=parent.lost, stable=parent.stable)
            raise
        code = show(parent.close(), lost=parent.lost, stable=parent.stable)
    if code and asked:
        console.say("the missing jobs alone: the same command with resume=true")
    return code


def _hydra(main: Callable[[], None]) -> None:
    """Let Hydra run the jobs; it leaves by SystemExit when one of them raised, and ours do not."""
    try:
        main()
    except SystemExit as error:
        if error.code:
            raise ValueError("Hydra stopped; its message stands above") from error


def read(args: Any) -> Request:
    """Compose and build every job; raise ValueError that says what to type instead."""
    overrides = [word for word in args.overrides if compose.key_of(word) != RESUME]
    fixed = [o.input_line for o in compose.parse(overrides) if not o.is_sweep_override()]
    several = [o.input_line for o in compose.parse(overrides) if o.is_sweep_override()]
    base = compose.compose_config(fixed, hydra=True, directory=args.config_dir)
    multirun = args.multirun or base.hydra.mode == RunMode.MULTIRUN
    if several and not multirun:
        raise ValueError(f"{several[0]} gives several values; type -m before it to run a job for each")
    optimiser = not str(base.hydra.sweeper._target_).endswith("BasicSweeper")
    resume = _resume(args.overrides, multirun=multirun, optimiser=optimiser)
    if not multirun or optimiser:
        plans = [config.build(compose.without_hydra(base), overrides)]
        if optimiser:
            config.check_objective(plans[0].settings.objective, plans[0].stages)
        folder = Path(base.hydra.sweep.dir if multirun else base.hydra.run.dir).absolute()
        return Request(plans, [overrides], [], multirun, optimiser, folder, overrides)
    params = [f"{key}={value}" for key, value in (base.hydra.sweeper.params or {}).items()]
    lines = compose.parse([*params, *overrides])
    jobs = BasicSweeper.split_arguments(lines, None)[0]
    swept = [compose.key_of(o.get_key_element()) for o in lines if o.is_sweep_override()]
    swept = [key for key in dict.fromkeys(swept) if len({_value(job, key) for job in jobs}) > 1]
    plans = [config.build(cfg, overrides) for cfg in _compose_jobs(jobs, args.config_dir)]
    _refuse_one_folder(base, len(jobs))
    folder = Path(base.hydra.sweep.dir).absolute()
    return Request(plans, jobs, swept, True, False, folder, overrides, resume)


def _refuse_one_folder(base: DictConfig, jobs: int) -> None:
    """Raise ValueError if the jobs of a sweep are to share a folder."""
    subdir = str(OmegaConf.to_container(base.hydra.sweep, resolve=False)["subdir"])  # type: ignore[index, call-overload]
    if jobs > 1 and "${" not in subdir:
        raise ValueError(
            f"hydra.sweep.subdir={subdir} puts all {jobs} jobs into one folder; leave it out, or use "
            "hydra.sweep.subdir='${hydra:job.num}'"
        )


def _resume(overrides: Sequence[str], *, multirun: bool, optimiser: bool) -> str:
    """Return which sweep to go on with, as it was typed; empty for none."""
    typed = [word.partition("=")[2].strip("'\"") for word in overrides if compose.key_of(word) == RESUME]
    word = typed[-1] if typed else ""
    if word.lower() in ("", "null", "false"):
        return ""
    if not multirun:
        raise ValueError(
            f"resume={word} is for sweeps (-m); a single run that was interrupted goes on with the same "
            "command, without it"
        )
    if optimiser:
        raise ValueError(
            f"resume={word}: an optimiser decides its jobs as it goes; use its own storage, such as "
            "hydra.sweeper.storage of Optuna's"
        )
    return word


def _compose_jobs(jobs: Sequence[Sequence[str]], directory: str | None) -> list[DictConfig]:
    """Compose each choice of options once; what differs in plain values alone is set on a copy."""
    composed: dict[tuple[str, ...], DictConfig] = {}
    found = []
    for overrides in jobs:
        values = [o for o in compose.parse(overrides) if _is_value(o)]
        choice = tuple(o for o in overrides if o not in {v.input_line for v in values})
        if choice not in composed:
            composed[choice] = compose.compose_config(overrides, directory=directory)
        cfg = composed[choice].copy()
        for value in values:
            OmegaConf.update(cfg, value.key_or_group, value.value())
        found.append(cfg)
    return found


def _is_value(override: Any) -> bool:
    """Tell a plain value, such as cluster.k=10, from what changes the composition."""
    key = override.key_or_group
    plain = override.type is not None and override.type.name == "CHANGE" and override.package is None
    return plain and not key.startswith("hydra") and not (compose.CONF / key.replace(".", "/")).is_dir()


def _value(overrides: Sequence[str], key: str) -> str:
    return next((o.partition("=")[2] for o in overrides if compose.key_of(o) == key), "")


def check(request: Request) -> tuple[list[str], list[resumption.Data]]:
    """Read each data set once and hold every job against it, before the first one runs.

    Returns
    -------
    list[str], list[Data]
        The keys that were computed for that, and what names the data of each job. Without a cache a single
        run reads for itself.
    """
    loaded: list[tuple[Any, Samples]] = []
    computed: list[str] = []
    data: list[resumption.Data] = []
    for plan in request.plans if request.multirun or request.plans[0].cache.enabled else []:
        dataset = plan.stages.dataset
        samples = next((samples for known, samples in loaded if known == dataset), None)
        if samples is None:
            ctx = context.make(plan, console.Report(lambda step, values: None))
            start = time.perf_counter()
            samples = dataset.load(ctx)
            loaded.append((dataset, samples))
            computed += ctx.store.computed
            if ctx.store.computed:
                log.info(
                    "read %s: %d samples in %.1f s", dataset.name, len(samples), time.perf_counter() - start
                )
        pipeline.checked(plan.stages, samples)
        data.append(resumption.Data(samples.key, samples.described))
    return computed, data


def _preview(request: Request) -> int:
    from experiments.preview import show

    show(request.plans)
    return 0


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
