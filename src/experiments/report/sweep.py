"""The report of a sweep: its runs side by side, and what only all of them together show."""

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.environment import environment
from experiments.figures import Grid, Map, Sheets
from experiments.kept import Figure
from experiments.report.best import Best, bests
from experiments.report.frame import framed, plotted
from experiments.report.run import NAME
from experiments.report.tabling import best_table, facts, preview, ranking
from experiments.tables import csv_text

if TYPE_CHECKING:
    import pandas as pd

OVER = "sweep_"  # what the names of charts over a swept setting begin with
STATUS = ["status", "seconds", "run_id"]


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
    """
    known, done = environment(), int((rows["status"] == "FINISHED").sum())
    about = {"name": name, "run": run_id, "commit": known["git.commit"], "command": known["command"]}
    drawn = {key: figure for key, figure in figures.items() if not isinstance(figure, (Grid, Map, Sheets))}
    texts = {key: csv_text(table) for key, table in tables.items()}
    found = bests(rows, swept, main, objective)
    sections = _sections(rows, main, found, about, drawn, texts, errors)
    told = f"{len(rows)} runs, {done} of them finished"
    page = framed(name, told, sections, figures=drawn, tables=texts)
    (folder / NAME).write_text(page, encoding="utf-8")
    return folder / NAME


def _sections(
    rows: "pd.DataFrame",
    main: Sequence[str],
    found: Sequence[Best],
    about: Mapping[str, str],
    figures: Mapping[str, Figure],
    tables: Mapping[str, str],
    errors: Mapping[str, str],
) -> dict[str, tuple[str, str]]:
    """Return heading and markup of each section that has something to tell."""
    shown = rows[[*main, *(column for column in STATUS if column not in main)]]
    failed = "".join(f"<li>{html.escape(name)}: {html.escape(why)}</li>" for name, why in errors.items())
    failed = f'<ul class="doubts" aria-label="failed runs">{failed}</ul>' if failed else ""
    over = [name for name in figures if name.startswith(OVER)]
    others = [name for name in figures if name not in over]
    sections = {
        "run": ("What was run", facts(about, "")),
        "best": ("Best", best_table(found) if found else ""),
        "runs": ("Runs", failed + ranking(shown, "runs")),
        "over": ("Over each setting", plotted(figures, over, {})),
        "compared": ("Compared", plotted(figures, others, {})),
        "tables": ("Tables", "\n".join(preview(name, text) for name, text in tables.items())),
    }
    return {name: section for name, section in sections.items() if section[1]}
