"""The description of a run or a sweep on its MLflow page, in Markdown.

MLflow shows the first three lines until a click unfolds the rest.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

from experiments import tracking
from experiments.comparison.summary_tables import SummaryTable, summary_tables
from experiments.config import commands
from experiments.metric_names import Name
from experiments.pipeline import Result
from experiments.report import tables
from experiments.report.headlines import equal_count_suffixes, headlines
from experiments.types import Stages, step_name

if TYPE_CHECKING:
    import pandas as pd

MAX_TABLE_ROWS = 30  # of a table in a description
MAX_LIST_LETTERS = 2000  # of a list of warnings or failures
FOOT_LETTERS = 250  # reserved for the names of omitted tables


def of_run(
    result: Result,
    stages: Stages,
    warnings: Sequence[str] = (),
    *,
    run_id: str,
    uri: str,
    report: str = "",
    assigns: bool = False,
) -> str:
    """Describe a run: its stages, main metrics and warnings, and commands to use it.

    Parameters
    ----------
    report
        The link to its report, if it has one.
    assigns
        True if its model is recorded, so that new images can be assigned.
    """
    clusters = result.clustering.assignments
    noise = float((clusters < 0).mean())
    steps = (stages.backbone, stages.reducer, stages.cluster)
    stage_path = " → ".join(
        step_name(type(step).__module__.rpartition(".")[2], getattr(step, "model", None)) for step in steps
    )
    summary = f"{len(set(clusters[clusters >= 0]))} clusters of {result.samples.name}: {stage_path}"
    summary += f", {len(clusters):,} samples" + (f", {noise:.1%} noise" if noise else "")
    parts = [
        f"{summary}, protocol {stages.protocol}. {_report_link(report)}".strip(),
        _metrics_line(result.metrics, equal_count_suffixes(result)),
        _list_text("Warnings", warnings),
        _command_text("Verify this run:", "verify.py", run_id, uri=uri),
        _command_text("Assign new images to these clusters:", "assign.py", run_id, "<new images>", uri=uri)
        if assigns
        else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _metrics_line(metrics: Mapping[str, float], suffixes: Sequence[str]) -> str:
    """Return the main metrics in a line, each with its chance level and ceiling."""
    parts = []
    for headline in headlines(metrics, equal_counts=suffixes):
        if Name.parse(headline.name).rank:
            levels = {"chance": headline.chance, "ceiling": headline.ceiling}
            levels_text = ", ".join(
                f"{name} {value:.4g}" for name, value in levels.items() if value is not None
            )
            parts.append(
                f"{headline.name} **{headline.value:.4g}**" + (f" ({levels_text})" if levels_text else "")
            )
    return ", ".join(parts)


@dataclass(frozen=True)
class BestJobLink:
    """The best job of a sweep by the objective, and the link to its MLflow page; "" for no page.

    `seeds` is the number of finished jobs that differ from it in the seed only, itself included.
    """

    name: str
    page: str
    objective: str
    value: float
    seeds: int = 1


def of_sweep(
    rows: "pd.DataFrame",
    main: Sequence[str],
    compared: "Mapping[str, pd.DataFrame]",
    *,
    run_id: str,
    uri: str,
    best: BestJobLink | None = None,
    report: str = "",
    errors: Mapping[str, str] | None = None,
    assigns: bool = False,
) -> str:
    """Describe a sweep: finished jobs, best job, failures, commands, and tables over its jobs.

    Parameters
    ----------
    rows, main
        As in `SweepContents`.
    compared
        The tables over all jobs.
    report
        The link to its report, if it has one.
    errors
        Error messages of failed jobs, by job name.
    assigns
        True if the best job's model is recorded.
    """
    finished, seeds = int((rows["status"] == "FINISHED").sum()), compared.get("seeds")
    sentences = [f"{finished} of {len(rows)} jobs finished"]
    if best:
        over = f", of the settings with the best mean over {best.seeds} seeds" if best.seeds > 1 else ""
        sentences = [f"{sentences[0]}, best job by {best.objective} ({best.value:.4g}): {best.name}{over}"]
        sentences.append("This run shows the metrics of the best job")
        sentences += [f"[Open the best job]({best.page})"] if best.page else []
    if finished < len(rows):
        sentences.append("To run only the missing jobs, repeat the command with `resume=true`")
    choice = compared["k_agreement"]["verdict"].iloc[0] if "k_agreement" in compared else ""
    parts = [
        ". ".join([*sentences, *([_report_link(report)] if report else [])]),
        f"Which k, without labels: {choice}" if choice else "",
        _list_text("Failed", [f"{name}: {error}" for name, error in (errors or {}).items()]),
    ]
    if seeds is not None:
        purpose = "Compare two configurations, paired over the seeds:"
        parts.append(_command_text(purpose, "compare.py", run_id, "<key=a>", "<key=b>", uri=uri))
    if assigns and best:
        purpose = "Assign new images to the best job's clusters:"
        parts.append(_command_text(purpose, "assign.py", run_id, "<new images>", uri=uri))
    return _with_tables("\n\n".join(part for part in parts if part), summary_tables(rows, main, compared))


def _with_tables(text: str, shown_tables: Sequence[SummaryTable]) -> str:
    """Append the tables, cut to the rows that fit; list the files of tables that do not fit."""
    omitted = []
    for table in shown_tables:
        table_text = _table_text(table, tracking.TAG_LIMIT - len(text) - FOOT_LETTERS)
        text += table_text
        omitted += [] if table_text else [f"{table.name}.csv"]
    if omitted:
        text += f"\n\nMore tables, in files: {', '.join(dict.fromkeys(omitted))}"
    return text


def _report_link(report: str) -> str:
    return f"[Open the report]({report})" if report else ""


def _table_text(table: SummaryTable, room: int) -> str:
    """Return the first rows of a table that fit into `room` characters; "" if none fits.

    Cells end with a space, as MLflow's pages have no padding between columns.
    """
    title = f"**{table.title[0].upper()}{table.title[1:]}**\n\n" if table.title else ""
    header, rule, *lines = tables.markdown(table.rows).splitlines()
    header, *lines = (
        line.replace(" | ", "&emsp; | ").replace(" ± ", "&nbsp;±&nbsp;") for line in (header, *lines)
    )
    count = min(len(lines), MAX_TABLE_ROWS)
    while True:
        more = f"\n\n{len(lines) - count} more rows in {table.name}.csv" if count < len(lines) else ""
        text = "\n\n" + title + "\n".join([header, rule, *lines[:count]]) + more
        if len(text) <= room:
            return text
        if count <= 1:
            return ""
        count -= 1


def _list_text(title: str, lines: Sequence[str]) -> str:
    """Return a Markdown list of the first lines that fit; long lines are cut."""
    items = [
        f"- {html.escape(' '.join(line.split())[: MAX_LIST_LETTERS // 4], quote=False)}" for line in lines
    ]
    lengths = accumulate(len(item) + 1 for item in items)
    fitting = [item for item, length in zip(items, lengths, strict=True) if length <= MAX_LIST_LETTERS]
    more = [f"- {len(items) - len(fitting)} more"] if len(fitting) < len(items) else []
    return "\n".join([f"**{title}**\n", *fitting, *more]) if lines else ""


def _command_text(purpose: str, script: str, *arguments: str, uri: str) -> str:
    return f"{purpose} `{commands.script_command(script, *arguments, uri=uri)}`"
