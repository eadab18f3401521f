"""From a command line to an exit code: everything is checked before the first job runs."""

import logging
import shlex
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from experiments import pipeline, sweep, tracking
from experiments.config import compose, steps
from experiments.config.command_line import RESUME, Request, arguments, read
from experiments.config.invocation import Invocation
from experiments.job import composed, console, context, preview, program, run_folder, summary
from experiments.job.perform import EXPECTED, Outcome
from experiments.messages import text
from experiments.samples import Samples
from experiments.sweep import resumption
from experiments.sweep.record import Record

log = logging.getLogger(__name__)

CONF = str(compose.CONF)  # where run.py lets Hydra look
INTERRUPTED = 130
RUN, SWEEP = "hydra.run.dir", "hydra.sweep.dir"
Main = Callable[[], None]  # run.py's, decorated by Hydra
RunJobs = Callable[[str, Invocation], None]


def launch(main: Main) -> int:
    """Run `main` under Hydra, as one job or a sweep; return the exit code."""
    program.prefer_utf8()
    program.steady_console()
    try:
        args = arguments()
    except ValueError as error:
        console.complain(str(error))
        return 1
    if args.help or args.hydra_help or args.cfg or args.info is not None or args.shell_completion:
        return _shown_by_hydra(main, args)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[console.Handler()])
    if "hydra.verbose=true" in [override.lower() for override in args.overrides]:
        logging.getLogger("experiments").setLevel(logging.DEBUG)
    signal.signal(signal.SIGTERM, _interrupt)
    program.outlive_terminal(_interrupt)
    try:
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


def _shown_by_hydra(main: Main, args: Any) -> int:
    """Let Hydra answer a flag of its own, such as --cfg job, with what was typed as it takes it."""
    try:
        words = steps.expanded([word for word in args.overrides if compose.key_of(word) != RESUME])
    except ValueError as error:
        console.complain(str(error))
        return 1
    _hydra(main, args, words)
    return 0


def run_job(cfg: DictConfig) -> float | None:
    """Run a job that Hydra composed, here or in a worker; return its objective, for an optimiser."""
    program.steady_console()  # of a worker
    invocation = Invocation.current()
    if invocation.parent:
        outcome = sweep.run_job(cfg, invocation)
    else:
        outcome = composed.run(cfg, composed.folder_of(), composed.job_of(invocation), invocation)
    return outcome.metrics.get(str(cfg.objective))


def _launch(main: Main, args: Any) -> int:
    request = read(args)
    first = request.plans[0]
    if first.settings.plan:
        preview.show(request.plans)
        return 0
    tracker = tracking.probe(first.tracking, first.stages.dataset.name)
    tracker.kill_orphaned_runs()
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    invocation = Invocation(command, tuple(request.typed), str(request.folder), request.threads)
    run_jobs = partial(_run_jobs, main, args, request.words)
    if request.multirun:
        return _sweep(request, tracker, invocation, run_jobs)
    before, _ = check(request)
    with run_folder.held(request.folder, RUN):
        run_folder.begin(request.folder, RUN)
        tracker = tracking.connect(first.tracking, first.stages.dataset.name)  # now that its data was read
        run_jobs(RUN, invocation)
        outcome = Outcome.load(request.folder)
    recording = summary.Recording(tracker.uri, tracker.experiment_id)
    return summary.show([outcome], [], request.folder, recording, before)


def _sweep(request: Request, tracker: tracking.Tracker, invocation: Invocation, run_jobs: RunJobs) -> int:
    """Run all jobs of a sweep, or those that an earlier attempt left."""
    asked = None if request.optimiser else Record.of(request)
    begun = _begun(request, asked, tracker)
    if begun and begun.complete:
        return 0
    before, data = check(request)
    invocation = _with_threads(invocation, request, begun)
    folder = begun.folder if begun else request.folder
    with run_folder.held(folder, SWEEP):
        if begun and asked:  # anew, now that no other process can go on with it
            begun = resumption.find(begun.record.run_id, asked, tracker)
            resumption.refuse_other_data(begun, data)
        else:
            run_folder.begin(folder, SWEEP)
        jobs = request.jobs if asked else None
        parent = sweep.Sweep(request.plans[0], folder, request.swept, jobs, asked, begun)

        def end(error: BaseException | None = None) -> int:
            outcomes = parent.close(error)
            recording = summary.Recording(tracker.uri, parent.parent.experiment_id, parent.lost)
            return summary.show(outcomes, request.swept, folder, recording, before, parent.stable)

        try:
            if begun is None or len(begun.record.finished) < len(request.jobs):
                run_jobs(SWEEP, parent.for_jobs(invocation))
        except BaseException as error:
            end(error)
            raise
        code = end()
    if code and asked:
        console.say("the missing jobs alone: the same command with resume=true")
    return code


def _begun(request: Request, asked: Record | None, tracker: tracking.Tracker) -> resumption.Begun | None:
    """Return the sweep to resume, if any, and say how much of it is finished."""
    if not request.resume or asked is None:
        return None
    begun = resumption.find(request.resume, asked, tracker)
    sweep_id, done, jobs = begun.record.run_id, len(begun.record.finished), len(request.jobs)
    if begun.complete:
        console.say(f"nothing to resume: all {jobs} jobs of {sweep_id} finished; see {begun.folder}")
    else:
        log.info("resuming %s: %d of %d jobs are finished", sweep_id, done, jobs)
    return begun


def _with_threads(invocation: Invocation, request: Request, begun: resumption.Begun | None) -> Invocation:
    """Say how many threads each job has, if several run at a time: as an earlier attempt had them."""
    threads = begun.record.threads if begun else request.threads
    if request.at_once > 1 and threads and request.plans[0].settings.threads == "auto":
        log.info("%d jobs at a time, each with threads=%d", request.at_once, threads)
    return replace(invocation, threads=threads)


def _run_jobs(main: Main, args: Any, words: list[str], key: str, invocation: Invocation) -> None:
    """Let Hydra run the jobs; it leaves by SystemExit when one of them raised, and ours do not.

    Parameters
    ----------
    key
        The setting of the folder, which is given as it was composed: another moment, another ${now:}.
    """
    with invocation.to_jobs():
        try:
            _hydra(main, args, [*words, f"{key}={text(invocation.folder)}"])
        except SystemExit as error:
            if error.code:
                raise ValueError("Hydra stopped; its message stands above") from error


def _hydra(main: Main, args: Any, overrides: list[str]) -> None:
    """Give Hydra the flags as typed, and these overrides: it reads sys.argv."""
    sys.argv[1:] = [*(word for word in sys.argv[1:] if word not in args.overrides), *overrides]
    main()


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
        pipeline.check_stages(plan.stages, samples)
        data.append(resumption.Data(samples.data_key, samples.report_key))
    return computed, data


def _interrupt(number: int, frame: Any) -> None:
    raise KeyboardInterrupt
