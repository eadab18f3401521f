"""The report of a sweep: its runs side by side, and what only all of them together show."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.comparison.seed_tables import means, one_protocol, spread
from experiments.comparison.titles import ABOUT, MEANS, SPREAD
from experiments.figures.specs import Figure
from experiments.report.best import Best, bests
from experiments.report.choice import chosen
from experiments.report.frame import framed, plotted
from experiments.report.headlines import upper_bounds
from experiments.report.run import NAME
from experiments.report.tables import csv_text
from experiments.report.tabling import best_table, facts, preview, ranking
from experiments.tracking.environment import environment

if TYPE_CHECKING:
    import pandas as pd

OVER = "sweep_"  # what the names of charts over a swept setting begin with
STATUS = ["status", "seconds", "run_id"]
OPEN = {
    "label_free": "Chosen without labels",
    "probes": "What labels would give",
}  # tables shown open


def write_sweep(
    folder: Path,
    rows: "pd.DataFrame",
    main: Sequence[str],
    *,
    swept: Sequence[str],
    objective: str,
    name: str,
    run_id: str,
    figures: "Mapping[str, Figure]",
    tables: "Mapping[str, pd.DataFrame]",
    errors: Mapping[str, str],
    doubts: Sequence[Sequence[str]] = (),
) -> Path:
    """Write report.html into the folder of a sweep; return its path.

    Parameters
    ----------
    rows
        One per job, as `summary.to_frame` makes them.
    main
        The columns of it that a person reads first.
    swept
        The keys that the jobs differ in.
    objective
        The figure by which the sweep chooses.
    errors
        Why jobs failed, by their names.
    doubts
        What a reader of the figures has to know, of each job that finished; what is true of all is told.
    """
    known, done = environment(), int((rows["status"] == "FINISHED").sum())
    about = {"name": name, "run": run_id, "commit": known["git.commit"], "command": known["command"]}
    drawn = chosen(figures)
    texts = {key: csv_text(table) for key, table in tables.items()}
    found = bests(rows, swept, main, objective)
    sections = {
        "run": ("What was run", _listed("warnings", _shared(doubts)) + facts(about, "")),
        "best": ("Best", _best(rows, found)),
        **_compared(main, tables),
        **_sections(rows, main, drawn, texts, errors),
    }
    sections = {name: section for name, section in sections.items() if section[1]}
    told = f"{len(rows)} runs, {done} of them finished"
    page = framed(name, told, sections, figures=drawn, tables=texts)
    (folder / NAME).write_text(page, encoding="utf-8")
    return folder / NAME


def _sections(
    rows: "pd.DataFrame",
    main: Sequence[str],
    figures: Mapping[str, Figure],
    tables: Mapping[str, str],
    errors: Mapping[str, str],
) -> dict[str, tuple[str, str]]:
    """Return heading and markup of what follows the best: the runs, pictures and tables."""
    shown = rows[[*main, *(column for column in STATUS if column not in main)]]
    failed = _listed("failed runs", [f"{name}: {why}" for name, why in errors.items()])
    over = [name for name in figures if name.startswith(OVER)]
    others = [name for name in figures if name not in over]
    return {
        "runs": ("Runs", failed + ranking(shown, "runs")),
        "over": ("Over each setting", plotted(figures, over, {})),
        "compared": ("Compared", plotted(figures, others, {})),
        "tables": ("Tables", "\n".join(preview(name, text) for name, text in tables.items())),
    }


def _shared(doubts: Sequence[Sequence[str]]) -> list[str]:
    """Return what is true of all jobs."""
    first, *others = doubts or [[]]
    return [doubt for doubt in first if all(doubt in other for other in others)]


def _listed(name: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f'<ul class="doubts" aria-label="{name}">{items}</ul>' if items else ""


def _best(rows: "pd.DataFrame", found: Sequence[Best]) -> str:
    metrics = dict.fromkeys((str(column) for column in rows.dropna(axis="columns", how="all")), 0.0)
    return best_table(found, probed=bool(upper_bounds(metrics))) if found else ""


def _compared(main: Sequence[str], tables: "Mapping[str, pd.DataFrame]") -> dict[str, tuple[str, str]]:
    """Return the tables over all jobs that a person wants to see at once."""
    found = {}
    if "seeds" in tables:
        over = tables["seeds"]
        both = {MEANS: means(over, main), SPREAD: spread(over, main, tables.get("stability"))}
        found["seeds"] = ("Over the seeds", "\n".join(_open(told, each) for told, each in both.items()))
    for name, heading in OPEN.items():
        if name in tables:
            found[name] = (heading, _open(ABOUT[name], tables[name]))
    return found


def _open(told: str, table: "pd.DataFrame") -> str:
    return f"<p>{html.escape(told[0].upper() + told[1:])}.</p>{ranking(one_protocol(table), told)}"
