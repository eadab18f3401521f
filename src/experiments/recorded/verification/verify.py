"""Run a recorded run again, beside nothing that was kept, and record how far it gave the same."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from experiments import tracking
from experiments.config import compose
from experiments.config.plan import Plan
from experiments.config.stage import PROTOCOLS
from experiments.context import Context
from experiments.job import console, context
from experiments.job.perform import Job, Outcome, perform
from experiments.job.trace import STEPS, TRACE, Trace, run_circumstances
from experiments.recorded import Recorded
from experiments.recorded.samples import DATA
from experiments.recorded.verification.past import VERIFIES, CannotVerifyError, Past, refuse_unfinished
from experiments.recorded.verification.verdict import IDENTICAL, Verdict, changes, compare, data_changes
from experiments.report import tables
from experiments.samples import Samples

TABLE = "verification"  # .csv and .md: everything that was compared
AS_IT_WAS = "code, versions, machine, threads and weights are what they were"
VERDICT, FIRST = "verdict", "verdict.first"  # tags of the verification: the word, and what differs first
VERIFIED = "verified"  # the tag of the run that it repeats


def verify(run: Recorded, settings: Sequence[str], say: Callable[[str], None]) -> Verdict:
    """Check what a run depends on, run it again, compare, and record that as a run below it.

    Parameters
    ----------
    settings
        `key=value`: what was moved since then, or is to be different, such as threads=1.
    say
        Called with each thing that is not what it was, and with where the result is.

    Raises
    ------
    CannotVerifyError
        It cannot be run again here; the message says what to do.
    """
    refuse_unfinished(run)
    folder = compose.new_output_folder(anywhere=True)
    with tempfile.TemporaryDirectory(prefix="verify-") as name:
        scratch = Path(name)
        (scratch / "recorded").mkdir()
        past = Past(run, scratch / "recorded")
        plan = past.plan(settings, scratch / "cache")
        then, table = past.trace, past.table  # before hours are spent on what cannot be compared
        ctx = _context(past, plan)
        differences = [*changes(then.circumstances, run_circumstances(plan, ctx)), *_kept(then)]
        for line in differences or [AS_IT_WAS]:
            say(line)
        _check_data(past, plan, _samples(past, plan, ctx))
        outcome, clusters = _again(past, plan, settings, folder)
        now = Trace.load(folder / TRACE)
        verdict = compare(then, now, table["cluster"].to_numpy(), clusters)
        _record(verdict, differences, run, outcome, folder)
    say(f"everything that was compared: {folder / f'{TABLE}.csv'}")
    return verdict


def _context(past: Past, plan: Plan) -> Context:
    try:
        return context.make(plan, console.Report(lambda step, values: None))
    except ValueError as error:
        device = past.run.tags["device"]
        if plan.settings.device != device:  # it was asked for here
            raise CannotVerifyError(str(error)) from error
        raise CannotVerifyError(
            f"RUN_ID={past.run.id} ran with device={device} ({error}); verify it on a machine that has one, "
            "or pass device=cpu to see how far that differs"
        ) from error


def _samples(past: Past, plan: Plan, ctx: Context) -> Samples:
    try:
        return plan.stages.dataset.load(ctx)
    except (ValueError, OSError) as error:
        key = str(error).partition("=")[0]
        key = key if key in DATA else _place(plan)
        raise CannotVerifyError(
            f"{error}; RUN_ID={past.run.id} read its data from {past.run.source}: if something was moved, "
            f"pass {key}=<where it is now>"
        ) from error


def _place(plan: Plan) -> str:
    """Return the setting that says where the data is."""
    return "dataset.path" if "path" in plan.cfg.dataset else "dataset.root"


def _check_data(past: Past, plan: Plan, samples: Samples) -> None:
    """Raise CannotVerifyError that says which files are not what they were."""
    if samples.key == past.trace.steps["samples"]:
        return
    table = past.table
    names = [""] * len(samples) if samples.label_names is None else samples.label_names.tolist()
    labels = table["label"] if "label" in table else [""] * len(table)
    then = zip(table["id"], zip(table["hash"], labels, strict=True), strict=True)
    now = zip(samples.ids, zip(samples.content.hashes, names, strict=True), strict=True)
    found = data_changes(dict(then), dict(now))
    if found:  # else they are only split in another way, which the comparison shows
        raise CannotVerifyError(
            f"the data at {samples.source} is not what RUN_ID={past.run.id} saw: {', '.join(found)}; put it "
            f"back, or pass {_place(plan)}=<where it is>"
        )


def _kept(then: Trace) -> list[str]:
    """Say which steps the run itself had read from the store, out of other circumstances than its own."""
    return [
        f"{step} was kept from an earlier run, made with "
        + ", ".join(f"{name} {value}" for name, value in others.items())
        for step, others in then.kept.items()
    ]


def _again(past: Past, plan: Plan, settings: Sequence[str], folder: Path) -> tuple[Outcome, np.ndarray]:
    """Run it as run.py would; return also the cluster of each sample, in the order of the first run."""
    run = past.run
    choices = {group: run.tags[group] for group in PROTOCOLS if group in run.tags}
    tags = {VERIFIES: run.id}
    job = Job(settings, f"verify {run.name}", parent=run.parent, choices=choices, tags=tags)
    performed = perform(plan, folder, job)
    try:
        result = performed.result
    except Exception as error:  # whatever a stage raises, a user's own too: then there is no verdict
        raise CannotVerifyError(
            f"RUN_ID={run.id} FINISHED then, and fails now: {performed.outcome.error}; mend that, or run it "
            "anew"
        ) from error
    import pandas as pd

    clusters = pd.Series(result.clustering.assignments, result.samples.ids)
    return performed.outcome, clusters.loc[past.table["id"]].to_numpy()


def _record(
    verdict: Verdict, differences: Sequence[str], run: Recorded, outcome: Outcome, folder: Path
) -> None:
    """Leave the table and the note with the new run, and the verdict with both."""
    import pandas as pd

    rows = pd.DataFrame([asdict(row) for row in verdict.rows])
    tables.write(rows, folder, TABLE)
    if not outcome.run_id:  # the store stopped answering, and said so
        return
    record = tracking.Run(tracking.join(run.parent), outcome.run_id, folder)
    figures = {"verify/ari": verdict.ari, "verify/agreement": verdict.agreement}
    tags = {VERDICT: verdict.word, "mlflow.runName": f"verify {run.name}: {verdict.word}"}
    record.log(metrics=figures, tags=tags | ({FIRST: verdict.first} if verdict.first else {}))
    for ending in ("csv", "md"):
        record.artifact(folder / f"{TABLE}.{ending}")
    first = record.sibling(run.id, folder)
    record.describe(in_words(verdict, differences, f"[{run.id}]({first.page()})"))
    first.log(tags={VERIFIED: f"{verdict.word}, by run {outcome.run_id}"})


def in_words(verdict: Verdict, differences: Sequence[str], first: str) -> str:
    """Return what a person reads first on the verification's page, in Markdown; `first` links to the run."""
    import pandas as pd

    around = [f"- {line}" for line in differences] or [f"- nothing: {AS_IT_WAS}"]
    rows = [asdict(row) for row in verdict.rows if row.what in STEPS or row.verdict != IDENTICAL]
    shown = tables.markdown(pd.DataFrame(rows))
    parts = [f"**{verdict.line}**", f"Repeats run {first}.", "Not as it was:", "\n".join(around)]
    return "\n\n".join([*parts, "Each stage, and whatever is not identical:", shown])
