"""Re-run a past run with an empty cache, and record how closely the results agree."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from omegaconf import OmegaConf

from experiments import tracking
from experiments.config import compose
from experiments.config.plan import Plan
from experiments.config.stage import PROTOCOLS
from experiments.context import Context
from experiments.job import console, context
from experiments.job.perform import Job, Outcome, perform
from experiments.job.trace import STEPS, TRACE, Trace, run_circumstances
from experiments.recorded import PastRun
from experiments.recorded.samples import DATA_PATHS
from experiments.recorded.verification.recorded_config import (
    VERIFIES,
    CannotVerifyError,
    RecordedConfig,
    refuse_unfinished,
)
from experiments.recorded.verification.verdict import IDENTICAL, Verdict, changes, compare, data_changes
from experiments.report import tables
from experiments.samples import Samples

TABLE = "verification"  # .csv and .md: all compared values
UNCHANGED = "code, versions, machine, threads and weights have not changed"
VERDICT, FIRST = "verdict", "verdict.first"  # tags of the verification: the word, and the first difference
VERIFIED = "verified"  # tag of the verified run


def verify(run: PastRun, settings: Sequence[str], say: Callable[[str], None]) -> Verdict:
    """Run a past run again, compare the results, and record the comparison as a child run of it.

    Parameters
    ----------
    settings
        `key=value`: changed paths, or intended differences such as threads=1.
    say
        Called with each changed circumstance, the time of the first run, and the path of the result.

    Raises
    ------
    CannotVerifyError
        The run cannot be repeated here; the message has a suggestion.
    """
    refuse_unfinished(run)
    folder = compose.new_output_folder(anywhere=True)
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        scratch = Path(name)
        (scratch / "recorded").mkdir()
        recorded = RecordedConfig(run, scratch / "recorded")
        plan = recorded.plan(settings, scratch / "cache")
        then, table = recorded.trace, recorded.table  # first, as they may fail
        ctx = _context(recorded, plan)
        differences = [*changes(then.circumstances, run_circumstances(plan, ctx)), *_reused_steps(then)]
        for line in differences or [UNCHANGED]:
            say(line)
        _check_data(recorded, plan, _samples(recorded, plan, ctx))
        say(f"running it again without the cache; the recorded run took {run.seconds:.0f} s")
        outcome, clusters = _run_again(recorded, plan, settings, folder)
        now = Trace.load(folder / TRACE)
        verdict = compare(then, now, table["cluster"].to_numpy(), clusters)
        _record(verdict, differences, run, outcome, folder)
    say(f"all compared values: {folder / f'{TABLE}.csv'}")
    return verdict


def _context(recorded: RecordedConfig, plan: Plan) -> Context:
    try:
        return context.make(plan, console.Report(lambda step, values: None))
    except ValueError as error:
        device = recorded.run.tags["device"]
        if plan.settings.device != device:  # the device was typed, not recorded
            raise CannotVerifyError(str(error)) from error
        raise CannotVerifyError(
            f"RUN_ID={recorded.run.id} ran with device={device} ({error}); verify it on a machine that has "
            "one, or use device=cpu to see the difference"
        ) from error


def _samples(recorded: RecordedConfig, plan: Plan, ctx: Context) -> Samples:
    try:
        return plan.stages.dataset.load(ctx)
    except (ValueError, OSError) as error:
        raise CannotVerifyError(
            f"{error}; RUN_ID={recorded.run.id} read its data from {recorded.run.source}: if it was moved, "
            f"use {_missing_path(plan)}=<where it is now>"
        ) from error


def _missing_path(plan: Plan) -> str:
    """Return the setting whose path does not exist, or that of the data set's path."""
    paths = {key: OmegaConf.select(plan.cfg, key) for key in DATA_PATHS}
    missing = (key for key, path in paths.items() if isinstance(path, str) and not Path(path).exists())
    return next(missing, _path_setting(plan))


def _path_setting(plan: Plan) -> str:
    """Return the data set's setting of its path."""
    return "dataset.path" if "path" in plan.cfg.dataset else "dataset.root"


def _check_data(recorded: RecordedConfig, plan: Plan, samples: Samples) -> None:
    """Raise CannotVerifyError with the files that have changed."""
    if samples.data_key == recorded.trace.steps["samples"]:
        return
    samples_then = recorded.table
    names = [""] * len(samples) if samples.label_names is None else samples.label_names.tolist()
    labels = samples_then["label"] if "label" in samples_then else [""] * len(samples_then)
    then = zip(samples_then["id"], zip(samples_then["hash"], labels, strict=True), strict=True)
    now = zip(samples.ids, zip(samples.content.hashes, names, strict=True), strict=True)
    differences = data_changes(dict(then), dict(now))
    if differences:  # otherwise only the split differs, which the comparison shows
        raise CannotVerifyError(
            f"the data at {samples.source} has changed since RUN_ID={recorded.run.id}: "
            f"{', '.join(differences)}; restore it, or use {_path_setting(plan)}=<where it is>"
        )


def _reused_steps(then: Trace) -> list[str]:
    """Return a line for each step that the run reused from the cache of other circumstances."""
    return [
        f"{step} was reused from an earlier run with "
        + ", ".join(f"{name} {value}" for name, value in others.items())
        for step, others in then.reused.items()
    ]


def _run_again(
    recorded: RecordedConfig, plan: Plan, settings: Sequence[str], folder: Path
) -> tuple[Outcome, np.ndarray]:
    """Run it as run.py does; return its outcome and the clusters, in the sample order of the first run."""
    run = recorded.run
    choices = {group: run.tags[group] for group in PROTOCOLS if group in run.tags}
    tags = {VERIFIES: run.id}
    job = Job(settings, f"verify {run.name}", parent=run.parent, choices=choices, tags=tags)
    performed = perform(plan, folder, job)
    try:
        result = performed.result
    except Exception as error:  # any error of any stage: there is no verdict
        raise CannotVerifyError(
            f"RUN_ID={run.id} FINISHED when recorded, but fails now: {performed.outcome.error}; fix that, or "
            "run it again"
        ) from error
    import pandas as pd

    clusters = pd.Series(result.clustering.assignments, result.samples.ids)
    return performed.outcome, clusters.loc[recorded.table["id"]].to_numpy()


def _record(
    verdict: Verdict, differences: Sequence[str], run: PastRun, outcome: Outcome, folder: Path
) -> None:
    """Record the table and the description with the new run, and the verdict with both runs."""
    import pandas as pd

    rows = pd.DataFrame([asdict(row) for row in verdict.rows])
    tables.write(rows, folder, TABLE)
    if not outcome.run_id:  # it could not be recorded, which was logged
        return
    record = tracking.Run(tracking.tracker_below(run.parent), outcome.run_id, folder)
    metrics = {"verify/ari": verdict.ari, "verify/agreement": verdict.agreement}
    tags = {VERDICT: verdict.word, "mlflow.runName": f"verify {run.name}: {verdict.word}"}
    record.log(metrics=metrics, tags=tags | ({FIRST: verdict.first} if verdict.first else {}))
    for extension in ("csv", "md"):
        record.artifact(folder / f"{TABLE}.{extension}")
    first = record.sibling(run.id, folder)
    record.describe(note_of(verdict, differences, f"[{run.id}]({first.page()})"))
    first.log(tags={VERIFIED: f"{verdict.word}, by run {outcome.run_id}"})


def note_of(verdict: Verdict, differences: Sequence[str], first: str) -> str:
    """Return the description of the verification's page, in Markdown; `first` links to the first run."""
    import pandas as pd

    items = [f"- {line}" for line in differences] or [f"- nothing: {UNCHANGED}"]
    rows = [asdict(row) for row in verdict.rows if row.output in STEPS or row.verdict != IDENTICAL]
    table = tables.markdown(pd.DataFrame(rows))
    parts = [f"**{verdict.line}**", f"Repeats run {first}.", "Changes since then:", "\n".join(items)]
    return "\n\n".join([*parts, "Each stage, and every value that is not identical:", table])
