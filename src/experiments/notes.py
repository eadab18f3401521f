"""What a person reads first on the page of a run or a sweep in MLflow, in Markdown.

The page shows the first three lines of it until it is opened.
"""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from experiments import tables
from experiments.comparison.seed_tables import MEANS, SPREAD, means, one_protocol, spread
from experiments.compose import ROOT
from experiments.main_metrics import MAIN_METRICS
from experiments.pipeline import Result
from experiments.report.headlines import headlines
from experiments.types import Stages

if TYPE_CHECKING:
    import pandas as pd

STORE = f"sqlite:///{ROOT / 'mlflow' / 'mlflow.db'}"  # where is recorded what is told no other place
ABOUT = {  # tables over all jobs that a person wants to see at once
    "label_free": "Without labels: which configuration each criterion chooses, beside what the labels say",
    "probes": "Probes of the embedding: the supervised upper bound",
    "leakage": "What protocol=published adds on the same embedding: difference, 95 % interval",
}
MOST = 30  # rows of a table: a note has room for 8,000 characters


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
    path = " → ".join(type(step).__module__.rpartition(".")[2] for step in steps)
    told = f"{len(set(clusters[clusters >= 0]))} clusters of {result.samples.name}: {path}"
    told += f", {len(clusters):,} samples" + (f", {noise:.1%} noise" if noise else "")
    parts = [
        f"{told}, protocol {stages.protocol}. {_open(report)}".strip(),
        _figures(result.metrics),
        _listed("Warnings", doubts),
        _command("The same again?", "verify.py", run_id, uri=uri),
        _command("New images into these clusters:", "assign.py", run_id, "<new images>", uri=uri)
        if assigns
        else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _figures(metrics: Mapping[str, float]) -> str:
    """Return the main figures in a line, each beside its chance level and its ceiling."""
    told = []
    for figure in headlines(metrics):
        if figure.name in MAIN_METRICS:
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
        first = [f"{first[0]}, best {best.objective} {best.value:.4g}: {best.name}"]
        first += [f"[Open it]({best.page})"] if best.page else []
    if done < len(rows):
        first.append("The missing jobs alone: the same command with `resume=true`")
    parts = [
        ". ".join([*first, *([_open(report)] if report else [])]),
        _listed("Failed", [f"{name}: {why}" for name, why in (errors or {}).items()]),
    ]
    if seeds is None:
        parts.append(_table(one_protocol(rows[list(main)])))
    else:
        parts.append(_titled(MEANS, means(seeds, main)))
        parts.append(_titled(SPREAD, spread(seeds, main, compared.get("stability"))))
        two = (run_id, "<key=a>", "<key=b>")
        parts.append(_command("Two of them, paired over the seeds:", "compare.py", *two, uri=uri))
    parts += [_titled(title, compared[name]) for name, title in ABOUT.items() if name in compared]
    if assigns and best:
        why = "New images into the best job's clusters:"
        parts.append(_command(why, "assign.py", run_id, "<new images>", uri=uri))
    return "\n\n".join(part for part in parts if part)


def _open(report: str) -> str:
    return f"[Open the report]({report})" if report else ""


def _titled(title: str, table: "pd.DataFrame") -> str:
    main = table[table["metric"].isin(MAIN_METRICS)] if "metric" in table else table
    return f"**{title[0].upper()}{title[1:]}**\n\n{_table(one_protocol(main))}"


def _table(rows: "pd.DataFrame") -> str:
    """Return a table; MLflow's pages leave no room between its columns, so the cells bring their own."""
    head, rule, *lines = tables.markdown(rows.head(MOST)).splitlines()
    spaced = [line.replace(" | ", "&emsp; | ").replace(" ± ", "&nbsp;±&nbsp;") for line in (head, *lines)]
    more = [f"\n{len(rows) - MOST} more rows in sweep.csv"] if len(rows) > MOST else []
    return "\n".join([spaced[0], rule, *spaced[1:], *more])


def _listed(title: str, lines: Sequence[str]) -> str:
    items = "".join(f"- {html.escape(line, quote=False)}\n" for line in lines)
    return f"**{title}**\n\n{items}".rstrip() if lines else ""


def _command(why: str, script: str, *words: str, uri: str) -> str:
    return f"{why} `python scripts/{' '.join([script, *words])}{_elsewhere(uri)}`"


def _elsewhere(uri: str) -> str:
    """Return the setting that finds another store; a password in it is not written down."""
    if uri == STORE:
        return ""
    return " tracking.uri=<this store>" if "@" in uri else f" tracking.uri={uri}"
