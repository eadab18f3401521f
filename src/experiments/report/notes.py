"""What a person reads first on the page of a run or a sweep in MLflow, in Markdown.

The page shows the first three lines of it until it is opened.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from experiments import tracking
from experiments.comparison.shown import Shown, shown
from experiments.config import commands
from experiments.metric_names import Name
from experiments.pipeline import Result
from experiments.report import tables
from experiments.report.headlines import alike, headlines
from experiments.types import Stages, step_name

if TYPE_CHECKING:
    import pandas as pd

MOST = 30  # rows of a table
LISTED = 2000  # characters of a list of warnings or failures
FOOT = 250  # characters that name the tables for which there is no room


def of_run(
    result: Result,
    stages: Stages,
    doubts: Sequence[str] = (),
    *,
    run_id: str,
    uri: str,
    report: str = "",
    assigns: bool = False,
) -> str:
    """Describe a run: what it is, its main figures, doubts, and what can be done with it.

    Parameters
    ----------
    report
        The link to its report, if it has one.
    assigns
        Its model is recorded.
    """
    clusters = result.clustering.assignments
    noise = float((clusters < 0).mean())
    steps = (stages.backbone, stages.reducer, stages.cluster)
    path = " → ".join(
        step_name(type(step).__module__.rpartition(".")[2], getattr(step, "model", None)) for step in steps
    )
    told = f"{len(set(clusters[clusters >= 0]))} clusters of {result.samples.name}: {path}"
    told += f", {len(clusters):,} samples" + (f", {noise:.1%} noise" if noise else "")
    parts = [
        f"{told}, protocol {stages.protocol}. {_open(report)}".strip(),
        _figures(result.metrics, alike(result)),
        _listed("Warnings", doubts),
        _command("The same again?", "verify.py", run_id, uri=uri),
        _command("New images into these clusters:", "assign.py", run_id, "<new images>", uri=uri)
        if assigns
        else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _figures(metrics: Mapping[str, float], suffixes: Sequence[str]) -> str:
    """Return the main figures in a line, each beside its chance level and its ceiling."""
    told = []
    for figure in headlines(metrics, alike=suffixes):
        if Name.parse(figure.name).rank:
            ends = {"chance": figure.chance, "ceiling": figure.ceiling}
            beside = ", ".join(f"{name} {value:.4g}" for name, value in ends.items() if value is not None)
            told.append(f"{figure.name} **{figure.value:.4g}**" + (f" ({beside})" if beside else ""))
    return ", ".join(told)


@dataclass(frozen=True)
class Best:
    """The job of a sweep that is best by its objective, and the link to its page, "" if it has none."""

    name: str
    page: str
    objective: str
    value: float


def of_sweep(
    rows: "pd.DataFrame",
    main: Sequence[str],
    compared: "Mapping[str, pd.DataFrame]",
    *,
    run_id: str,
    uri: str,
    best: Best | None = None,
    report: str = "",
    errors: Mapping[str, str] | None = None,
    assigns: bool = False,
) -> str:
    """Describe a sweep: how it ended, the best job, a row for each configuration, what failed.

    Parameters
    ----------
    rows
        One per job, as `summary.to_frame` makes them.
    main
        The columns of it that a person reads first.
    compared
        The tables over all jobs.
    report
        The link to its report, if it has one.
    errors
        Why jobs failed, by their names.
    assigns
        The best job's model is recorded.
    """
    done, seeds = int((rows["status"] == "FINISHED").sum()), compared.get("seeds")
    first = [f"{done} of {len(rows)} jobs finished"]
    if best:
        several = "" if seeds is None else "; the means over the seeds are below"
        first = [f"{first[0]}, best job by {best.objective} ({best.value:.4g}): {best.name}{several}"]
        first.append("The metrics of this run are the best job's")
        first += [f"[Open it]({best.page})"] if best.page else []
    if done < len(rows):
        first.append("The missing jobs alone: the same command with `resume=true`")
    parts = [
        ". ".join([*first, *([_open(report)] if report else [])]),
        _listed("Failed", [f"{name}: {why}" for name, why in (errors or {}).items()]),
    ]
    if seeds is not None:
        why = "Two configurations, paired over the seeds:"
        parts.append(_command(why, "compare.py", run_id, "<key=a>", "<key=b>", uri=uri))
    if assigns and best:
        why = "New images into the best job's clusters:"
        parts.append(_command(why, "assign.py", run_id, "<new images>", uri=uri))
    return _with_tables("\n\n".join(part for part in parts if part), shown(rows, main, compared))


def _with_tables(text: str, found: Sequence[Shown]) -> str:
    """Add the tables while they fit into a note, as many rows of each as do; name the others' files."""
    without = []
    for table in found:
        part = _titled(table, tracking.TAG_LIMIT - len(text) - FOOT)
        text += part
        without += [] if part else [f"{table.name}.csv"]
    if without:
        text += f"\n\nNo room here, but in the files: {', '.join(dict.fromkeys(without))}"
    return text


def _open(report: str) -> str:
    return f"[Open the report]({report})" if report else ""


def _titled(table: Shown, room: int) -> str:
    """Return a table with as many rows as there is room for, empty if not even one fits.

    MLflow's pages leave no room between its columns, so the cells bring their own.
    """
    title = f"**{table.title[0].upper()}{table.title[1:]}**\n\n" if table.title else ""
    head, rule, *lines = tables.markdown(table.rows).splitlines()
    head, *lines = (
        line.replace(" | ", "&emsp; | ").replace(" ± ", "&nbsp;±&nbsp;") for line in (head, *lines)
    )
    shown = min(len(lines), MOST)
    while True:
        more = f"\n\n{len(lines) - shown} more rows in {table.name}.csv" if shown < len(lines) else ""
        text = "\n\n" + title + "\n".join([head, rule, *lines[:shown]]) + more
        if len(text) <= room:
            return text
        if shown <= 1:
            return ""
        shown -= 1


def _listed(title: str, lines: Sequence[str]) -> str:
    """Return a list of as many lines as there is room for, each cut where it is very long."""
    items = [f"- {html.escape(' '.join(line.split())[: LISTED // 4], quote=False)}" for line in lines]
    lengths = accumulate(len(item) + 1 for item in items)
    shown = [item for item, length in zip(items, lengths, strict=True) if length <= LISTED]
    more = [f"- {len(items) - len(shown)} more"] if len(shown) < len(items) else []
    return "\n".join([f"**{title}**\n", *shown, *more]) if lines else ""


def _command(why: str, script: str, *words: str, uri: str) -> str:
    return f"{why} `{commands.script_command(script, *words, uri=uri)}`"
