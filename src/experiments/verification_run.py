"""Run a recorded run again, beside nothing that was kept, and record how far it gave the same."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from experiments import compose, config, console, context, job, tables, tracking
from experiments.recorded import Recorded
from experiments.types import Context, Samples
from experiments.verification import IDENTICAL, TRACE, Trace, Verdict, changes, compare, data_changes
from experiments.verification_past import VERIFIES, CannotVerifyError, Past, refuse_unfinished
from experiments.verification_trace import surroundings

TABLE = "verification"  # .csv and .md: everything that was compared
AS_IT_WAS = "code, versions, machine, threads and weights are what they were"
VERDICT, VERIFIED = "verdict", "verified"  # tags: of the verification, and of the run that it repeats


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
    with tempfile.TemporaryDirectory(prefix="verify-") as name, compose.output_folder() as folder:
        scratch = Path(name)
        (scratch / "recorded").mkdir()
        past = Past(run, scratch / "recorded")
        plan = past.plan(settings, scratch / "cache")
        then = past.trace
        ctx = _context(past, plan)
        differences = [*changes(then.circumstances, surroundings(plan, ctx)), *_kept(then)]
        for line in differences or [AS_IT_WAS]:
            say(line)
        _check_data(past, _samples(past, plan, ctx))
        outcome = job.Outcome(list(settings))
        clusters = _again(past, plan, settings, folder, outcome)
        now = Trace.load(folder / TRACE)
        verdict = compare(then, now, past.table["cluster"].to_numpy(), clusters)
        _record(verdict, differences, run, outcome, folder)
    say(f"everything that was compared: {folder / f'{TABLE}.csv'}")
    return verdict


def _context(past: Past, plan: config.Plan) -> Context:
    try:
        return context.make(plan, console.Report(lambda step, values: None))
    except ValueError as error:
        raise CannotVerifyError(
            f"RUN_ID={past.run.id} ran with device={past.run.tags['device']} ({error}); verify it on a "
            "machine that has one, or pass device=cpu to see how far that differs"
        ) from error


def _samples(past: Past, plan: config.Plan, ctx: Context) -> Samples:
    try:
        return plan.stages.dataset.load(ctx)
    except (ValueError, OSError) as error:
        raise CannotVerifyError(
            f"{error}; RUN_ID={past.run.id} read its data from {past.run.source}: if that was moved, pass "
            "dataset.root=<where it is now>"
        ) from error


def _check_data(past: Past, samples: Samples) -> None:
    """Raise CannotVerifyError that says which files are not what they were."""
    if samples.key == past.trace.steps["samples"]:
        return
    table = past.table
    names = [""] * len(samples)
    if samples.labels is not None:
        names = [samples.class_names[label] for label in samples.labels]
    labels = table["label"] if "label" in table else [""] * len(table)
    then = zip(table["id"], zip(table["hash"], labels, strict=True), strict=True)
    now = zip(samples.ids, zip(samples.content.hashes, names, strict=True), strict=True)
    found = data_changes(dict(then), dict(now))
    if found:  # else they are only split in another way, which the comparison shows
        raise CannotVerifyError(
            f"the data at {samples.source} is not what RUN_ID={past.run.id} saw: {', '.join(found)}; put it "
            "back, or pass dataset.root=<where it is>"
        )


def _kept(then: Trace) -> list[str]:
    """Say which steps the run itself had read from the store, out of other circumstances than its own."""
    return [
        f"{step} was kept from an earlier run, made with "
        + ", ".join(f"{name} {value}" for name, value in others.items())
        for step, others in then.kept.items()
    ]


def _again(
    past: Past, plan: config.Plan, settings: Sequence[str], folder: Path, outcome: job.Outcome
) -> np.ndarray:
    """Run it as run.py would; return the cluster of each sample, in the order of the first run."""
    run = past.run
    result = job.perform(
        plan.cfg,
        folder,
        outcome,
        name=f"verify {run.tags.get('mlflow.runName', run.id)}",
        choices={group: run.tags[group] for group in config.PROTOCOLS if group in run.tags},
        parent=run.parent,
        typed=settings,
        tags={VERIFIES: run.id},
    )
    import pandas as pd

    clusters = pd.Series(result.clustering.assignments, result.samples.ids)
    return clusters.loc[past.table["id"]].to_numpy()


def _record(
    verdict: Verdict, differences: Sequence[str], run: Recorded, outcome: job.Outcome, folder: Path
) -> None:
    """Leave the table and the note with the new run, and the verdict with both."""
    import pandas as pd

    rows = pd.DataFrame([asdict(row) for row in verdict.rows])
    tables.write(rows, folder, TABLE)
    if not outcome.run_id:  # the store stopped answering, and said so
        return
    record = tracking.Run(tracking.join(run.parent), outcome.run_id, folder)
    figures = {"verify/ari": verdict.ari, "verify/agreement": verdict.agreement}
    record.log(metrics=figures, tags={VERDICT: verdict.word, "verdict.first": verdict.first})
    for ending in ("csv", "md"):
        record.artifact(folder / f"{TABLE}.{ending}")
    record.describe(in_words(verdict, differences, run))
    record.sibling(run.id, folder).log(tags={VERIFIED: f"{verdict.word}, by run {outcome.run_id}"})


def in_words(verdict: Verdict, differences: Sequence[str], run: Recorded) -> str:
    """Return what a person reads first on the verification's page, in Markdown."""
    import pandas as pd

    place = f"#/experiments/{run.info.info.experiment_id}/runs/{run.id}"
    around = [f"- {line}" for line in differences] or [f"- nothing: {AS_IT_WAS}"]
    shown = pd.DataFrame([asdict(row) for row in verdict.rows if row.verdict != IDENTICAL])
    parts = [f"**{verdict.line}**", f"Repeats run [{run.id}]({place}).", "Not as it was:", "\n".join(around)]
    return "\n\n".join([*parts, tables.markdown(shown) if len(shown) else ""])
