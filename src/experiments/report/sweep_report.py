"""The report of a sweep: its best job, its runs in a table, and comparisons over all runs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.comparison.seeds import SEED
from experiments.comparison.summary_tables import summary_tables
from experiments.figures import Drawing
from experiments.figures.specs import Figure
from experiments.report.best import K_SETTING, BestConfig, best_configs, verdict
from experiments.report.charts import Chart, charts
from experiments.report.clusters import clusters
from experiments.report.contents import Contents
from experiments.report.crosstab import CROSSTAB
from experiments.report.headlines import upper_bounds
from experiments.report.html_tables import best_table, preview, ranking, split_facts
from experiments.report.page_frame import Section, render_page
from experiments.report.run_page import K_SELECTION, SCRIPTS, best_job_sections, script_data
from experiments.report.run_report import REPORT_FILE
from experiments.report.sweep_figures import select_figures
from experiments.report.tables import csv_text
from experiments.tracking.environment import environment

if TYPE_CHECKING:
    import pandas as pd

OVER_PREFIX = "sweep_"  # prefix of the names of charts over a swept setting
FIRST_SECTIONS = {  # first sections by swept settings; they answer the question of such a sweep
    (K_SETTING,): ("k", "best", "over", "label_free"),
    (SEED,): ("seeds", "best"),
    (K_SETTING, SEED): ("k", "best", "seeds", "over", "label_free"),
}
DEFAULT_FIRST = ("k", "best")  # for other swept settings
STATUS = ["status", "seconds", "run_id"]
HEADINGS = {
    "seeds": "Over the seeds",
    "label_free": "Chosen without labels",
    "probes": "Supervised upper bounds",
    "leakage": "Effect of the protocol",
}


@dataclass(frozen=True, eq=False)
class BestJob:
    """The best job of a sweep; `contents` of its report is None if the cache does not have its results."""

    name: str
    folder: Path
    contents: Contents | None


def write_sweep_report(
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
    warnings: Sequence[Sequence[str]] = (),
    equal_counts: Sequence[Collection[str]] = (),
    drawings: Mapping[str, Drawing] | None = None,
    best: BestJob | None = None,
) -> Path:
    """Write report.html into the folder of a sweep; return its path.

    Parameters
    ----------
    rows
        One row per job, as `summary.to_frame` returns them.
    main
        Names of the main columns.
    swept
        Keys of the swept settings.
    objective
        The metric that chooses the best job.
    errors
        Error messages of failed jobs, by job name.
    warnings
        Warnings of each finished job; the report shows those that all jobs have.
    equal_counts
        For each job the suffixes of subsets in which it has as many clusters as classes.
    drawings
        PNGs that were drawn already, by figure name.
    best
        The best job by the objective, if a job has one.
    """
    facts, csv_texts = {"name": name, "run": run_id}, {key: csv_text(table) for key, table in tables.items()}
    selected = select_figures(figures)
    known_drawings = {key: png for key, png in (drawings or {}).items() if selected.get(key) is figures[key]}
    shown_charts = charts(selected, drawings=known_drawings)
    contents = best.contents if best else None
    groups = clusters(contents.members) if contents else []
    crosstab = _crosstab_charts(contents)
    bests = best_configs(rows, swept, main, objective, equal_counts)
    values = {"warnings": _common_warnings(warnings), "objective": objective, **_job_links(best, folder)}
    sections = [
        *_best_section(bests, rows, swept, values),
        *(best_job_sections(contents, groups, crosstab) if contents else ()),
        *_comparison_sections(rows, main, tables),
        _runs_section(rows, main, errors),
        *_chart_sections(shown_charts, tables),
        _run_section(facts),
        *_file_sections(csv_texts),
    ]
    order = FIRST_SECTIONS.get(tuple(sorted(swept)), DEFAULT_FIRST)
    sections.sort(key=lambda section: (*order, section.name).index(section.name))
    finished = int((rows["status"] == "FINISHED").sum())
    summary = f"{len(rows)} runs, {finished} of them finished"
    page = render_page(
        name,
        summary,
        sections,
        charts=[*shown_charts, *crosstab],
        tables=csv_texts,
        images=contents.images if contents else None,
        data=script_data(contents, groups) if contents else None,
        scripts=SCRIPTS if contents else (),
    )
    (folder / REPORT_FILE).write_text(page, encoding="utf-8")
    return folder / REPORT_FILE


def _crosstab_charts(contents: Contents | None) -> list[Chart]:
    """Return the best job's cross table of classes and clusters, if it has labels."""
    if contents is None or CROSSTAB not in contents.figures:
        return []
    return charts({CROSSTAB: contents.figures[CROSSTAB]}, contents.notes)


def _job_links(best: BestJob | None, folder: Path) -> dict[str, Any]:
    """Return the best job and the numbers of the jobs that have their own report."""
    reports = [path.parent.name for path in folder.glob(f"*/{REPORT_FILE}")]
    job = best and {"name": best.name, "number": best.folder.name, "shown": best.contents is not None}
    return {"job": job, "reports": sorted(reports, key=lambda name: (len(name), name)), "file": REPORT_FILE}


def _run_section(facts: Mapping[str, str]) -> Section:
    tags = environment()
    facts = {**facts, "commit": tags["git.commit"], "command": tags["command"]}
    return Section("run", "Run details", "facts.html", split_facts(facts, "") | {"warnings": []})


def _common_warnings(warnings: Sequence[Sequence[str]]) -> list[str]:
    """Return the warnings that all jobs have."""
    first, *others = warnings or [[]]
    return [warning for warning in first if all(warning in other for other in others)]


def _best_section(
    bests: Sequence[BestConfig], rows: "pd.DataFrame", swept: Sequence[str], values: Mapping[str, Any]
) -> Iterator[Section]:
    recorded = dict.fromkeys((str(column) for column in rows.dropna(axis="columns", how="all")), 0.0)
    table = best_table(bests, probed=bool(upper_bounds(recorded))) if bests else {"bests": []}
    if bests or values["warnings"] or values["job"]:
        title = "Metrics" if bests and not table["several"] else "Best"
        heading = "Which k" if set(swept) - {SEED} == {K_SETTING} else title
        answer = {"verdict": verdict(bests, swept)}
        yield Section("best", heading, "best.html", {**table, **answer, **values})


def _comparison_sections(
    rows: "pd.DataFrame", main: Sequence[str], tables: "Mapping[str, pd.DataFrame]"
) -> Iterator[Section]:
    """Yield a section for each name of the tables over all jobs."""
    shown_tables = [table for table in summary_tables(rows, main, tables) if table.name in HEADINGS]
    for name in dict.fromkeys(table.name for table in shown_tables):
        rankings = [ranking(table.rows, table.title) for table in shown_tables if table.name == name]
        yield Section(name, HEADINGS[name], "rankings.html", {"tables": rankings, "titled": True})


def _runs_section(rows: "pd.DataFrame", main: Sequence[str], errors: Mapping[str, str]) -> Section:
    table = rows[[*main, *(column for column in STATUS if column not in main)]]
    failures = [f"{name}: {error}" for name, error in errors.items()]
    return Section("runs", "Runs", "runs.html", {"failed": failures, "table": ranking(table, "runs")})


def _chart_sections(shown_charts: Sequence[Chart], tables: "Mapping[str, pd.DataFrame]") -> Iterator[Section]:
    choices = [chart for chart in shown_charts if chart.name == K_SELECTION]
    over = [chart for chart in shown_charts if chart.name.startswith(OVER_PREFIX)]
    others = [chart for chart in shown_charts if chart not in over and chart not in choices]
    if choices:
        k_verdict = tables["k_agreement"]["verdict"].iloc[0] if "k_agreement" in tables else ""
        yield Section("k", "Which k, without labels", "k.html", {"verdict": k_verdict, "charts": choices})
    if over:
        heading = "Over each setting" if len(over) > 1 else f"Over {over[0].name.removeprefix(OVER_PREFIX)}"
        yield Section("over", heading, "charts.html", {"charts": over})
    if others:
        yield Section("compared", "Compared", "charts.html", {"charts": others})


def _file_sections(texts: Mapping[str, str]) -> Iterator[Section]:
    if texts:
        files = [preview(name, text) for name, text in texts.items()]
        yield Section("tables", "Tables", "files.html", {"files": files})
