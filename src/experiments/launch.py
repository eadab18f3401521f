"""Run the command line of run.py; all jobs are checked before the first one runs."""

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
from experiments.config.command_line import RESUME, Request, parse_arguments, parse_request
from experiments.config.invocation import Invocation
from experiments.job import composed, console, context, interruption, preview, program, run_folder, summary
from experiments.job.perform import EXPECTED, Outcome
from experiments.messages import text
from experiments.samples import Samples
from experiments.sweep import resumption
from experiments.sweep.state import SweepState

log = logging.getLogger(__name__)

CONF = str(compose.CONF)  # Hydra's config_path in run.py
INTERRUPTED = (
    "interrupted; finished steps are cached, so the same command continues from there; add resume=true to "
    "repeat only the missing jobs of a sweep"
)
RUN, SWEEP = "hydra.run.dir", "hydra.sweep.dir"
Main = Callable[[], None]  # run.py's, decorated by Hydra
RunJobs = Callable[[str, Invocation], None]


def launch(main: Main) -> int:
    """Run `main` under Hydra, as one job or a sweep; return the exit code."""
    program.prefer_utf8()
    program.steady_console()
    try:
        args = parse_arguments()
    except ValueError as error:
        console.print_error(str(error))
        return 1
    if args.help or args.hydra_help or args.cfg or args.info is not None or args.shell_completion:
        return _answer_by_hydra(main, args)
    logging.basicConfig(level=logging.INFO, format="%(message)s", handlers=[console.Handler()])
    if "hydra.verbose=true" in [override.lower() for override in args.overrides]:
        logging.getLogger("experiments").setLevel(logging.DEBUG)
    with interruption.announced(INTERRUPTED) as interrupt:
        signal.signal(signal.SIGTERM, interrupt)
        program.outlive_terminal(interrupt)
        try:
            return _launch(main, args)
        except EXPECTED as error:
            console.print_error(str(error))
            log.debug("traceback", exc_info=error)
            return 1
        except KeyboardInterrupt:
            console.print_error(INTERRUPTED)
            return interruption.EXIT_CODE


def _answer_by_hydra(main: Main, args: Any) -> int:
    """Let Hydra handle a flag of its own, such as --cfg job."""
    try:
        words = steps.expand([word for word in args.overrides if compose.key_of(word) != RESUME])
    except ValueError as error:
        console.print_error(str(error))
        return 1
    _hydra(main, args, words)
    return 0


def run_job(cfg: DictConfig) -> float | None:
    """Run a job that Hydra composed, in this process or a worker; return its objective for an optimiser."""
    program.steady_console()  # in a worker
    invocation = Invocation.current()
    if invocation.parent:
        outcome = sweep.run_job(cfg, invocation)
    else:
        outcome = composed.run(cfg, composed.job_folder(), composed.build_job(invocation), invocation)
    return outcome.metrics.get(str(cfg.objective))


def _launch(main: Main, args: Any) -> int:
    request = parse_request(args)
    first = request.plans[0]
    if first.settings.plan:
        preview.show(request.plans)
        return 0
    tracker = tracking.probe(first.tracking, first.stages.dataset.display_name)
    tracker.kill_orphaned_runs()
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    invocation = Invocation(command, tuple(request.typed), str(request.folder), request.threads)
    run_jobs = partial(_run_jobs, main, args, request.hydra_overrides)
    if request.multirun:
        return _sweep(request, tracker, invocation, run_jobs)
    before, _ = check(request)
    with run_folder.locked(request.folder, RUN):
        run_folder.prepare(request.folder, RUN)
        name = first.stages.dataset.display_name
        tracker = tracking.connect(first.tracking, name)  # only after its data was read
        run_jobs(RUN, invocation)
        outcome = Outcome.load(request.folder)
    recording = summary.Recording(tracker.uri, tracker.experiment_id)
    return summary.print_summary([outcome], [], request.folder, recording, before)


def _sweep(request: Request, tracker: tracking.Tracker, invocation: Invocation, run_jobs: RunJobs) -> int:
    """Run all jobs of a sweep, or only those that an earlier attempt did not finish."""
    new = None if request.optimiser else SweepState.of(request)
    resumed = _find_resumable(request, new, tracker)
    if resumed and resumed.complete:
        return 0
    before, data = check(request)
    invocation = _with_threads(invocation, request, resumed)
    folder = resumed.folder if resumed else request.folder
    with run_folder.locked(folder, SWEEP):
        if resumed and new:  # again, now that the lock keeps other processes out
            resumed = resumption.find_resumable(resumed.state.run_id, new, tracker)
            resumption.refuse_other_data(resumed, data)
        else:
            run_folder.prepare(folder, SWEEP)
        jobs = request.jobs if new else None
        parent = sweep.Sweep(request.plans[0], folder, request.swept, jobs, new, resumed)

        def end(error: BaseException | None = None) -> int:
            outcomes = parent.close(error)
            recording = summary.Recording(tracker.uri, parent.parent.experiment_id, parent.unrecorded)
            return summary.print_summary(outcomes, request.swept, folder, recording, before, parent.stable)

        try:
            if resumed is None or len(resumed.state.finished) < len(request.jobs):
                run_jobs(SWEEP, parent.for_jobs(invocation))
        except BaseException as error:
            end(error)
            raise
        code = end()
    if code and new:
        console.print_line("to run only the missing jobs, add resume=true to the same command")
    return code


def _find_resumable(
    request: Request, new: SweepState | None, tracker: tracking.Tracker
) -> resumption.ResumableSweep | None:
    """Return the sweep to resume, if any, and print the number of its finished jobs."""
    if not request.resume or new is None:
        return None
    resumed = resumption.find_resumable(request.resume, new, tracker)
    sweep_id, done, jobs = resumed.state.run_id, len(resumed.state.finished), len(request.jobs)
    if resumed.complete:
        console.print_line(f"nothing to resume: all {jobs} jobs of {sweep_id} finished; see {resumed.folder}")
    else:
        log.info("resuming %s: %d of %d jobs are finished", sweep_id, done, jobs)
    return resumed


def _with_threads(
    invocation: Invocation, request: Request, resumed: resumption.ResumableSweep | None
) -> Invocation:
    """Return the invocation with the threads of each job; a resumed sweep uses its earlier number."""
    threads = resumed.state.threads if resumed else request.threads
    if request.parallel_jobs > 1 and threads and request.plans[0].settings.threads == "auto":
        log.info("%d jobs in parallel, each with threads=%d", request.parallel_jobs, threads)
    return replace(invocation, threads=threads)


def _run_jobs(main: Main, args: Any, words: list[str], key: str, invocation: Invocation) -> None:
    """Let Hydra run the jobs; raise ValueError if Hydra itself failed, as a failed job does not raise.

    Parameters
    ----------
    key
        The setting of the output folder, fixed here because Hydra would resolve its time again.
    """
    with invocation.passed_to_jobs():
        try:
            _hydra(main, args, [*words, f"{key}={text(invocation.folder)}"])
        except SystemExit as error:
            if error.code:
                raise ValueError("Hydra stopped; see its message above") from error


def _hydra(main: Main, args: Any, overrides: list[str]) -> None:
    """Run Hydra with the typed flags and these overrides in sys.argv."""
    sys.argv[1:] = [*(word for word in sys.argv[1:] if word not in args.overrides), *overrides]
    main()


def check(request: Request) -> tuple[list[str], list[resumption.DataKeys]]:
    """Read each data set once and check every job against it, before the first one runs.

    Returns
    -------
    list[str], list[DataKeys]
        The computed cache keys, and the data keys of each job. Both are empty for a single run without a
        cache, which reads its data only once, when it runs.
    """
    loaded: list[tuple[Any, Samples]] = []
    computed: list[str] = []
    data: list[resumption.DataKeys] = []
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
                seconds = time.perf_counter() - start
                log.info("read %s: %d samples in %.1f s", dataset.display_name, len(samples), seconds)
        pipeline.check_stages(plan.stages, samples)
        data.append(resumption.DataKeys(samples.data_key, samples.report_key))
    return computed, data
