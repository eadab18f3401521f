"""The report of a sweep: its runs side by side, and what only all of them together show."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.comparison.seed_tables import means, one_protocol, spread
from experiments.comparison.titles import ABOUT, MEANS, SPREAD
from experiments.figures.specs import Figure
from experiments.report.best import Best, bests
from experiments.report.choice import chosen
from experiments.report.contents import Contents
from experiments.report.crosstab import NAME as CROSSTAB
from experiments.report.frame import framed, plotted
from experiments.report.headlines import upper_bounds
from experiments.report.page import SCRIPTS, data_of, of_best
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


@dataclass(frozen=True, eq=False)
class BestJob:
    """The best job of a sweep: its name, its folder and the contents of its report."""

    name: str
    folder: Path
    contents: Contents


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
    best: BestJob | None = None,
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
    best
        The job that is best by the objective, if its results are in the cache.
    """
    known, done = environment(), int((rows["status"] == "FINISHED").sum())
    about = {"name": name, "run": run_id, "commit": known["git.commit"], "command": known["command"]}
    drawn = chosen(figures)
    written = {name: folder / "figures" / f"{name}.png" for name in drawn if drawn[name] is figures.get(name)}
    texts = {key: csv_text(table) for key, table in tables.items()}
    found = bests(rows, swept, main, objective)
    sections = {
        "best": (
            "Best",
            _listed("warnings", _shared(doubts)) + _answer(rows, found, best, objective, folder),
        ),
        **(of_best(best.contents) if best else {}),
        **_compared(main, tables),
        **_sections(rows, main, drawn, errors, written),
        "run": ("What was run", facts(about, "")),
        "tables": ("Tables", "\n".join(preview(key, text) for key, text in texts.items())),
    }
    sections = {name: section for name, section in sections.items() if section[1]}
    told = f"{len(rows)} runs, {done} of them finished"
    shown = best.contents if best else None
    page = framed(
        name,
        told,
        sections,
        figures=drawn | ({CROSSTAB: shown.figures[CROSSTAB]} if shown and CROSSTAB in shown.figures else {}),
        tables=texts,
        images=shown.images if shown else None,
        data=data_of(shown) if shown else None,
        parts=SCRIPTS if shown else (),
    )
    (folder / NAME).write_text(page, encoding="utf-8")
    return folder / NAME


def _sections(
    rows: "pd.DataFrame",
    main: Sequence[str],
    figures: Mapping[str, Figure],
    errors: Mapping[str, str],
    written: Mapping[str, Path],
) -> dict[str, tuple[str, str]]:
    """Return heading and markup of the runs and the charts over them."""
    shown = rows[[*main, *(column for column in STATUS if column not in main)]]
    failed = _listed("failed runs", [f"{name}: {why}" for name, why in errors.items()])
    over = [name for name in figures if name.startswith(OVER)]
    others = [name for name in figures if name not in over]
    return {
        "runs": ("Runs", failed + ranking(shown, "runs")),
        "over": ("Over each setting", plotted(figures, over, {}, written)),
        "compared": ("Compared", plotted(figures, others, {}, written)),
    }


def _shared(doubts: Sequence[Sequence[str]]) -> list[str]:
    """Return what is true of all jobs."""
    first, *others = doubts or [[]]
    return [doubt for doubt in first if all(doubt in other for other in others)]


def _listed(name: str, lines: Sequence[str]) -> str:
    items = "".join(f"<li>{html.escape(line)}</li>" for line in lines)
    return f'<ul class="doubts" aria-label="{name}">{items}</ul>' if items else ""


def _linked(best: BestJob, objective: str, folder: Path) -> str:
    """Return which job is shown below, with links to the reports of the jobs that have one."""
    paths = sorted(folder.glob(f"*/{NAME}"), key=lambda path: (len(path.parent.name), path.parent.name))
    links = " ".join(f'<a href="{path.parent.name}/{NAME}">{path.parent.name}</a>' for path in paths)
    reports = f" Reports of the jobs: {links}." if links else ""
    job, by = html.escape(best.name), html.escape(objective)
    return f"<p>Best by {by}: <b>{job}</b>, job {html.escape(best.folder.name)}, shown below.{reports}</p>"


def _answer(
    rows: "pd.DataFrame", found: Sequence[Best], best: BestJob | None, objective: str, folder: Path
) -> str:
    """Return the table of the best values, and which job is shown."""
    linked = _linked(best, objective, folder) if best else ""
    metrics = dict.fromkeys((str(column) for column in rows.dropna(axis="columns", how="all")), 0.0)
    return (best_table(found, probed=bool(upper_bounds(metrics))) if found else "") + linked


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
