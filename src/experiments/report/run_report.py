"""Gather the contents of a run's report from its result and its folder, and write the report."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.context import Context
from experiments.evaluator.pictures.centres import distances
from experiments.evaluator.pictures.thumbnails import thumbnails
from experiments.figures import Drawing, ImageGrid, ImageSheets, Map, Map3d
from experiments.figures.html import tiles
from experiments.figures.specs import Figure
from experiments.figures.training import training_curves
from experiments.pipeline import Result
from experiments.report.clusters import nearest_members
from experiments.report.contents import Contents
from experiments.report.crosstab import CROSSTAB, TABLE_NAME, count_table, draw_crosstab
from experiments.report.headlines import equal_count_suffixes, headlines, upper_bounds
from experiments.report.images import ImageFigure, fit_into_page
from experiments.report.maps import map_points, why_pca
from experiments.report.run_page import report_page
from experiments.report.tables import csv_text
from experiments.tracking.environment import environment
from experiments.types import step_name

if TYPE_CHECKING:
    import pandas as pd

REPORT_FILE = "report.html"
STAGES = ("dataset", "backbone", "reducer", "cluster")
CONTACT_SHEETS = "contact_sheets"  # evaluator whose images are also in the section `Clusters` of a report


def write_report(
    result: Result,
    folder: Path,
    ctx: Context,
    *,
    name: str,
    run_id: str,
    seconds: float,
    drawings: Mapping[str, Drawing] | None = None,
) -> Path:
    """Write report.html into the folder of a run, which contains its tables; return its path.

    Parameters
    ----------
    seconds
        Duration of the whole run.
    drawings
        Existing PNGs by figure name.
    """
    facts = {"name": name, "run": run_id, "took": f"{seconds:,.1f} s"}
    path = folder / REPORT_FILE
    path.write_text(report_page(gather_contents(result, folder, ctx, facts), drawings), encoding="utf-8")
    return path


def gather_contents(result: Result, folder: Path, ctx: Context, facts: Mapping[str, str]) -> Contents:
    """Return the contents of a run's report; `folder` has its config.yaml and tables, `facts` come first."""
    import yaml

    config = (folder / "config.yaml").read_text(encoding="utf-8")
    settings = yaml.safe_load(config)
    stages, method = _stages(settings), settings.get("map", "auto")
    samples, clusters = result.samples, np.asarray(result.clustering.assignments)
    members = shown_samples(result)
    rows, images = members["row"].to_numpy(), tiles.no_images(tiles.MIN_SIDE)
    if samples.content.has_images:
        images = thumbnails(samples, rows, tiles.tile_side(len(members)), ctx)
    figures, image_figures, not_shown = _select_figures(result)
    sheets, too_large = fit_into_page(image_figures)
    crosstab = draw_crosstab(result)
    if crosstab is not None:
        figures[CROSSTAB] = crosstab[0]
    count = len(np.unique(clusters[clusters >= 0]))
    summary = f"{len(samples):,} samples of {samples.name} by {' → '.join(stages.values())}: {count} clusters"
    noise = float((clusters < 0).mean())
    maps = map_points(result, rows, ctx, method)
    classes, per_cluster = (_worst_first(result, key) for key in ("classes", "clusters"))
    if result.names and len(per_cluster):
        per_cluster.insert(1, "name", per_cluster["cluster"].map(result.names).fillna(""))
    upper = upper_bounds(result.metrics, result.encoder.history if result.encoder.trained else ())
    return Contents(
        title=f"{samples.name}: {count} clusters",
        summary=summary + (f" and {noise:.1%} noise" if noise else ""),
        facts={**facts, **_run_facts(result, ctx)},
        config=config,
        headlines=headlines(result.metrics, upper, equal_count_suffixes(result)),
        upper_bounds=upper,
        members=members.drop(columns=["row", "distance"]),
        maps=maps,
        omitted=len(samples) - len(members),
        images=images,
        nearest=nearest_members(np.asarray(result.reduced)[rows], ctx),
        worst_classes=classes,
        worst_clusters=per_cluster,
        figures=figures,
        notes={CROSSTAB: crosstab[1] if crosstab else "", "map": why_pca(maps, len(samples), method)},
        image_sheets=sheets,
        verdict=_verdict(result),
        not_shown=[*not_shown, *too_large],
        tables=_csv_tables(result, folder),
        warnings=result.warnings,
        names=result.names,
    )


def _stages(settings: Mapping[str, Any]) -> dict[str, str]:
    options = {name: settings[name]["_target_"].split(".")[-2] for name in STAGES}
    return {name: step_name(option, settings[name].get("model")) for name, option in options.items()}


def _run_facts(result: Result, ctx: Context) -> dict[str, str]:
    """Return the facts about data, code and machine."""
    samples, tags = result.samples, environment()
    changes = " with uncommitted changes" if tags["git.dirty"] == "true" else ""
    times = {step: "cached" if value is None else f"{value:.2f} s" for step, value in result.seconds.items()}
    return {
        "data": f"{samples.source}, key {samples.data_key}",
        "samples": f"{len(samples):,}, {len(samples.skipped):,} skipped",
        "commit": tags["git.commit"] + changes,
        "command": tags["command"],
        "device": f"{ctx.device}, {ctx.dtype}, {ctx.threads} threads",
        "times": ", ".join(f"{step} {value}" for step, value in times.items()),
        "versions": ", ".join(
            [f"python {tags['python']}"]
            + [
                f"{name.removeprefix('version.')} {value}"
                for name, value in tags.items()
                if "version." in name
            ]
        ),
    }


def shown_samples(result: Result, max_samples: int = tiles.MAX_IMAGES) -> "pd.DataFrame":
    """Return the samples of a page, sorted by cluster (noise last) and distance to the centre."""
    import pandas as pd

    clusters = np.asarray(result.clustering.assignments)
    distance = distances(result.reduced, clusters)
    order = np.lexsort((np.nan_to_num(distance), clusters, clusters < 0))
    if len(order) > max_samples:  # only the nearest of each cluster
        rank_in_cluster = pd.Series(clusters[order]).groupby(clusters[order]).cumcount().to_numpy()
        order = order[np.sort(np.argsort(rank_in_cluster, kind="stable")[:max_samples])]
    columns = {"row": order, "id": result.samples.ids[order].astype(str), "cluster": clusters[order]}
    columns["distance"] = distance[order]
    labels = result.samples.label_names
    return pd.DataFrame(columns if labels is None else columns | {"label": labels[order]})


def _verdict(result: Result) -> str:
    """Return the verdict of the evaluator k_selection; "" without it."""
    tables = [
        findings.tables["k_agreement"]
        for findings in result.findings.values()
        if "k_agreement" in findings.tables
    ]
    return str(tables[0]["verdict"].iloc[0]) if tables else ""


def _worst_first(result: Result, table_name: str) -> "pd.DataFrame":
    """Return an evaluator's results by class or cluster, the worst first."""
    import pandas as pd

    for findings in result.findings.values():
        if table_name in findings.tables and "share" in findings.tables[table_name]:
            return findings.tables[table_name].sort_values("share", kind="stable").reset_index(drop=True)
    return pd.DataFrame()


def _csv_tables(result: Result, folder: Path) -> dict[str, str]:
    """Return all tables as CSV: metrics, assignments, and the CSV files in the folder."""
    import pandas as pd

    metrics = pd.DataFrame(result.metrics.items(), columns=["metric", "value"])
    columns = {"id": result.samples.ids.astype(str), "cluster": np.asarray(result.clustering.assignments)}
    labels = result.samples.label_names
    assignments = pd.DataFrame(columns if labels is None else columns | {"label": labels})
    texts = {"metrics": csv_text(metrics), "assignments": csv_text(assignments)}
    if (crosstab := count_table(result)) is not None:
        texts[TABLE_NAME] = csv_text(crosstab)
    return texts | {path.stem: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.csv"))}


def _select_figures(result: Result) -> tuple[dict[str, Figure], dict[str, ImageFigure], list[str]]:
    """Return the figures for plotly, the image figures, and the names of figures that are not shown."""
    figures: dict[str, Figure] = dict(training_curves(result.encoder.history))
    image_figures: dict[str, ImageFigure] = {}
    not_shown = []
    for evaluator, findings in result.findings.items():
        for name, figure in findings.figures.items():
            if isinstance(figure, Map3d):
                not_shown.append(name)
            elif isinstance(figure, Map) or evaluator == CONTACT_SHEETS:
                continue  # the sections of map and clusters show it
            elif isinstance(figure, (ImageGrid, ImageSheets)):
                image_figures[name] = figure
            else:
                figures[name] = figure
    return figures, image_figures, not_shown
