"""The report of a sweep: its best job, its runs in a table, and comparisons over all runs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.comparison.seeds import SEED
from experiments.comparison.summary_tables import summary_tables
from experiments.figures import Drawing
from experiments.figures.specs import Figure
from experiments.report.best import K_SETTING, best_configs, verdict
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
    (SEED,): ("k", "seeds", "best"),
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
    """The best job of a sweep; `contents` of its report is None if the cache does not have its results.

    `seeds` is the number of finished jobs that differ from it in the seed only, itself included.
    """

    name: str
    folder: Path
    contents: Contents | None
    seeds: int = 1


@dataclass(frozen=True, eq=False)
class SweepContents:
    """Contents of a sweep's report.

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
        For each job the suffixes of subsets in which it has equal numbers of clusters and classes.
    drawings
        Existing PNGs by figure name.
    best
        The best job by the objective, if a job has one.
    """

    rows: "pd.DataFrame"
    main: Sequence[str]
    swept: Sequence[str]
    objective: str
    name: str
    run_id: str
    figures: Mapping[str, Figure]
    tables: "Mapping[str, pd.DataFrame]"
    errors: Mapping[str, str]
    warnings: Sequence[Sequence[str]] = ()
    equal_counts: Sequence[Collection[str]] = ()
    drawings: Mapping[str, Drawing] = field(default_factory=dict)
    best: BestJob | None = None


def write_sweep_report(folder: Path, sweep: SweepContents) -> Path:
    """Write report.html into the folder of a sweep; return its path."""
    selected = select_figures(sweep.figures)
    drawings = {
        name: png for name, png in sweep.drawings.items() if selected.get(name) is sweep.figures[name]
    }
    shown_charts = charts(selected, drawings=drawings)
    contents = sweep.best.contents if sweep.best else None
    groups = clusters(contents.members, contents.names) if contents else []
    crosstab = _crosstab_charts(contents)
    csv_texts = {name: csv_text(table) for name, table in sweep.tables.items()}
    sections = [
        *_best_section(sweep, folder),
        *(best_job_sections(contents, groups, crosstab) if contents else ()),
        *_comparison_sections(sweep),
        _runs_section(sweep),
        *_chart_sections(shown_charts, sweep.tables),
        _run_section({"name": sweep.name, "run": sweep.run_id}),
        *_file_sections(csv_texts),
    ]
    order = FIRST_SECTIONS.get(tuple(sorted(sweep.swept)), DEFAULT_FIRST)
    sections.sort(key=lambda section: (*order, section.name).index(section.name))
    finished = int((sweep.rows["status"] == "FINISHED").sum())
    page = render_page(
        sweep.name,
        f"{len(sweep.rows)} runs, {finished} of them finished",
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
    job = best and {
        "name": best.name,
        "number": best.folder.name,
        "shown": best.contents is not None,
        "seeds": best.seeds,
    }
    return {"job": job, "reports": sorted(reports, key=lambda name: (len(name), name)), "file": REPORT_FILE}


def _run_section(facts: Mapping[str, str]) -> Section:
    tags = environment()
    facts = {**facts, "commit": tags["git.commit"], "command": tags["command"]}
    return Section("run", "Run details", "facts.html", split_facts(facts, "") | {"warnings": []})


def _common_warnings(warnings: Sequence[Sequence[str]]) -> list[str]:
    """Return the warnings that all jobs have."""
    first, *others = warnings or [[]]
    return [warning for warning in first if all(warning in other for other in others)]


def _best_section(sweep: SweepContents, folder: Path) -> Iterator[Section]:
    bests = best_configs(sweep.rows, sweep.swept, sweep.main, sweep.objective, sweep.equal_counts)
    warnings, jobs = _common_warnings(sweep.warnings), _job_links(sweep.best, folder)
    if not bests and not warnings and not jobs["job"]:
        return
    recorded = dict.fromkeys((str(column) for column in sweep.rows.dropna(axis="columns", how="all")), 0.0)
    table = best_table(bests, probed=bool(upper_bounds(recorded))) if bests else {"bests": []}
    title = "Metrics" if bests and not table["several"] else "Best"
    heading = "Best of the swept k" if set(sweep.swept) - {SEED} == {K_SETTING} else title
    answer = {"verdict": verdict(bests, sweep.swept), "warnings": warnings, "objective": sweep.objective}
    yield Section("best", heading, "best.html", table | answer | jobs)


def _comparison_sections(sweep: SweepContents) -> Iterator[Section]:
    """Yield a section for each name of the tables over all jobs."""
    tables = [t for t in summary_tables(sweep.rows, sweep.main, sweep.tables) if t.name in HEADINGS]
    for name in dict.fromkeys(table.name for table in tables):
        rankings = [ranking(table.rows, table.title) for table in tables if table.name == name]
        yield Section(name, HEADINGS[name], "rankings.html", {"tables": rankings, "titled": True})


def _runs_section(sweep: SweepContents) -> Section:
    columns = [*sweep.main, *(column for column in STATUS if column not in sweep.main)]
    failures = [f"{name}: {error}" for name, error in sweep.errors.items()]
    return Section(
        "runs", "Runs", "runs.html", {"failed": failures, "table": ranking(sweep.rows[columns], "runs")}
    )


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
