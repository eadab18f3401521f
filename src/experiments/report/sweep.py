"""The report of a sweep: its runs side by side, and what only all of them together show."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.comparison.seeds import SEED
from experiments.comparison.summary_tables import summary_tables
from experiments.figures import Drawing
from experiments.figures.specs import Figure
from experiments.report.best import Best, K, bests, verdict
from experiments.report.charts import Chart, charts
from experiments.report.choice import chosen
from experiments.report.clusters import clusters
from experiments.report.contents import Contents
from experiments.report.crosstab import NAME as CROSSTAB
from experiments.report.frame import Section, framed
from experiments.report.headlines import upper_bounds
from experiments.report.page import K_SELECTION, SCRIPTS, data_of, sections_of_best
from experiments.report.run import NAME
from experiments.report.tables import csv_text
from experiments.report.tabling import best_table, facts, preview, ranking
from experiments.tracking.environment import environment

if TYPE_CHECKING:
    import pandas as pd

OVER = "sweep_"  # what the names of charts over a swept setting begin with
ANSWERS = {  # the sections that stand first, by the settings that were swept
    (K,): ("k", "best", "over", "label_free"),
    (SEED,): ("seeds", "best"),
    (K, SEED): ("k", "best", "seeds", "over", "label_free"),
}
ANSWER = ("k", "best")  # of other settings
STATUS = ["status", "seconds", "run_id"]
HEADINGS = {
    "seeds": "Over the seeds",
    "label_free": "Chosen without labels",
    "probes": "What labels would give",
    "leakage": "What the protocol adds",
}


@dataclass(frozen=True, eq=False)
class BestJob:
    """The best job of a sweep: its name, its folder, and the contents of its report if the cache has them."""

    name: str
    folder: Path
    contents: Contents | None


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
    alike: Sequence[Collection[str]] = (),
    drawings: Mapping[str, Drawing] | None = None,
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
        The metric by which the sweep chooses.
    errors
        Why jobs failed, by their names.
    doubts
        What a reader of the metrics has to know, of each job that finished; what is true of all is shown.
    alike
        For each job the suffixes of the samples of which it has as many clusters as classes.
    drawings
        PNGs of the figures that were drawn before, by name.
    best
        The job that is best by the objective, if there is one.
    """
    about, texts = {"name": name, "run": run_id}, {key: csv_text(table) for key, table in tables.items()}
    kept = chosen(figures)
    drawn = {key: png for key, png in (drawings or {}).items() if kept.get(key) is figures[key]}
    pictured = charts(kept, drawings=drawn)
    job = best.contents if best else None
    groups = clusters(job.members) if job else []
    crossed = _crosstab(job)
    found = bests(rows, swept, main, objective, alike)
    sections = [
        *_best(
            found, rows, swept, {"warnings": _shared(doubts), "objective": objective, **_linked(best, folder)}
        ),
        *(sections_of_best(job, groups, crossed) if job else ()),
        *_compared(rows, main, tables),
        _jobs(rows, main, errors),
        *_charts(pictured, tables),
        _run(about),
        *_files(texts),
    ]
    first = ANSWERS.get(tuple(sorted(swept)), ANSWER)
    sections.sort(key=lambda section: (*first, section.name).index(section.name))
    done = int((rows["status"] == "FINISHED").sum())
    summary = f"{len(rows)} runs, {done} of them finished"
    page = framed(
        name,
        summary,
        sections,
        charts=[*pictured, *crossed],
        tables=texts,
        images=job.images if job else None,
        data=data_of(job, groups) if job else None,
        parts=SCRIPTS if job else (),
    )
    (folder / NAME).write_text(page, encoding="utf-8")
    return folder / NAME


def _crosstab(job: Contents | None) -> list[Chart]:
    """Return the best job's chart of classes in clusters, if it has labels."""
    if job is None or CROSSTAB not in job.figures:
        return []
    return charts({CROSSTAB: job.figures[CROSSTAB]}, job.notes)


def _linked(best: BestJob | None, folder: Path) -> dict[str, Any]:
    """Return which job is shown, and the numbers of the jobs that have a report of their own."""
    reports = [path.parent.name for path in folder.glob(f"*/{NAME}")]
    shown = best and {"name": best.name, "number": best.folder.name, "shown": best.contents is not None}
    return {"job": shown, "reports": sorted(reports, key=lambda name: (len(name), name)), "file": NAME}


def _run(about: Mapping[str, str]) -> Section:
    known = environment()
    about = {**about, "commit": known["git.commit"], "command": known["command"]}
    return Section("run", "What was run", "facts.html", facts(about, "") | {"warnings": []})


def _shared(doubts: Sequence[Sequence[str]]) -> list[str]:
    """Return what is true of all jobs."""
    first, *others = doubts or [[]]
    return [doubt for doubt in first if all(doubt in other for other in others)]


def _best(
    found: Sequence[Best], rows: "pd.DataFrame", swept: Sequence[str], about: Mapping[str, Any]
) -> Iterator[Section]:
    metrics = dict.fromkeys((str(column) for column in rows.dropna(axis="columns", how="all")), 0.0)
    table = best_table(found, probed=bool(upper_bounds(metrics))) if found else {"bests": []}
    if found or about["warnings"] or about["job"]:
        one = "Metrics" if found and not table["several"] else "Best"
        heading = "Which k" if set(swept) - {SEED} == {K} else one
        answer = {"verdict": verdict(found, swept)}
        yield Section("best", heading, "best.html", {**table, **answer, **about})


def _compared(
    rows: "pd.DataFrame", main: Sequence[str], tables: "Mapping[str, pd.DataFrame]"
) -> Iterator[Section]:
    """Give the tables over all jobs; those of one name are one section."""
    compared = [table for table in summary_tables(rows, main, tables) if table.name in HEADINGS]
    for name in dict.fromkeys(table.name for table in compared):
        rankings = [ranking(table.rows, table.title) for table in compared if table.name == name]
        yield Section(name, HEADINGS[name], "rankings.html", {"tables": rankings, "titled": True})


def _jobs(rows: "pd.DataFrame", main: Sequence[str], errors: Mapping[str, str]) -> Section:
    table = rows[[*main, *(column for column in STATUS if column not in main)]]
    failed = [f"{name}: {why}" for name, why in errors.items()]
    return Section("runs", "Runs", "runs.html", {"failed": failed, "table": ranking(table, "runs")})


def _charts(pictured: Sequence[Chart], tables: "Mapping[str, pd.DataFrame]") -> Iterator[Section]:
    choices = [chart for chart in pictured if chart.name == K_SELECTION]
    over = [chart for chart in pictured if chart.name.startswith(OVER)]
    others = [chart for chart in pictured if chart not in over and chart not in choices]
    if choices:
        agreed = tables["k_agreement"]["verdict"].iloc[0] if "k_agreement" in tables else ""
        yield Section("k", "Which k, without labels", "k.html", {"verdict": agreed, "charts": choices})
    if over:
        heading = "Over each setting" if len(over) > 1 else f"Over {over[0].name.removeprefix(OVER)}"
        yield Section("over", heading, "charts.html", {"charts": over})
    if others:
        yield Section("compared", "Compared", "charts.html", {"charts": others})


def _files(texts: Mapping[str, str]) -> Iterator[Section]:
    if texts:
        files = [preview(name, text) for name, text in texts.items()]
        yield Section("tables", "Tables", "files.html", {"files": files})
