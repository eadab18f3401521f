"""From a command line to an exit code: everything is checked before the first job runs."""

import json
import logging
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from experiments import pipeline, sweep, tracking
from experiments.config import compose
from experiments.config.command_line import Request, arguments, read
from experiments.config.concurrency import THREADS
from experiments.job import console, context, program, run_folder
from experiments.job.perform import EXPECTED, Outcome
from experiments.samples import Samples
from experiments.sweep import resumption, summary
from experiments.sweep.record import Record
from experiments.tracking.environment import COMMAND

log = logging.getLogger(__name__)

INTERRUPTED = 130


def launch(main: Callable[[], None]) -> int:
    """Run `main` under Hydra, as one job or a sweep; return the exit code."""
    program.prefer_utf8()
    program.steady_console()
    try:
        args = arguments()
    except ValueError as error:
        console.complain(str(error))
        return 1
    if args.help or args.hydra_help or args.cfg or args.info is not None or args.shell_completion:
        os.environ.setdefault(compose.OUTPUT, "outputs")
        sys.argv[1:] = [*(word for word in sys.argv[1:] if word not in args.overrides), *args.overrides]
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
    except EXPECTED as error:
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
    os.environ[COMMAND] = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    sys.argv[1:] = [*(word for word in sys.argv[1:] if word not in args.overrides), *request.words]
    if request.multirun:
        return _sweep(main, request, tracker)
    before, _ = check(request)
    os.environ[compose.OUTPUT] = str(request.folder)  # as it was composed: another moment, another ${now:}
    sys.argv.append("hydra.run.dir=${oc.env:" + compose.OUTPUT + "}")
    with run_folder.held(request.folder, "hydra.run.dir"):
        run_folder.begin(request.folder, "hydra.run.dir")
        _hydra(main)
        outcome, place = Outcome.load(request.folder), tracker.experiment_id
    return summary.show([outcome], [], request.folder, first.tracking.uri, before, experiment_id=place)


def _sweep(main: Callable[[], None], request: Request, tracker: tracking.Tracker) -> int:
    """Run all jobs of a sweep, or those that an earlier attempt left."""
    first = request.plans[0]
    asked = begun = None
    folder, jobs = request.folder, None if request.optimiser else request.jobs
    if jobs is not None:
        asked = Record.of(request.typed, request.plans, jobs, request.swept, request.threads)
    if request.resume and asked:
        begun = resumption.find(request.resume, asked, tracker)
        folder, done = begun.folder, len(begun.record.finished)
        if begun.complete:
            console.say(f"nothing to resume: all {done} jobs of {begun.record.run_id} finished; see {folder}")
            return 0
        log.info("resuming %s: %d of %d jobs are finished", begun.record.run_id, done, len(request.jobs))
    before, data = check(request)
    threads = begun.record.threads if begun else request.threads
    os.environ[THREADS] = str(threads)
    if request.at_once > 1 and threads and first.settings.threads == "auto":
        log.info("%d jobs at a time, each with threads=%d", request.at_once, threads)
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
    from experiments.job.preview import show

    show(request.plans)
    return 0


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
