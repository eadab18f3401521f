"""The report of a run as a page: its sections in reading order, and the data of its scripts."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.figures import Drawing
from experiments.figures.style import GROUPED, NOISE
from experiments.report.charts import Chart, charts
from experiments.report.clusters import SHOWN_MEMBERS, Cluster, clusters, shown_members
from experiments.report.contents import Contents
from experiments.report.crosstab import CROSSTAB
from experiments.report.html_tables import headline_table, preview, ranking, split_facts
from experiments.report.images import html_sheets
from experiments.report.map_picture import SHAPES, cluster_styles, map_image, svg_path
from experiments.report.page_frame import Section, render_page

MAX_COORDINATE = 99_999  # on the longer side of the map, finer than a screen at any zoom
LINK_COLUMNS = ("cluster", "main_cluster")  # columns of cluster numbers, which link to the cluster's images
SCRIPTS = ("card", "groups", "map", "moves", "legend", "nearest", "sheets")  # of map and clusters
BEST_JOB_SECTIONS = ("map", "clusters", "crosstab", "classes", "worst")  # in a sweep's report
K_SELECTION = "k_selection"  # figure of the evaluator of that name


def report_page(contents: Contents, drawings: Mapping[str, Drawing] | None = None) -> str:
    """Return the report of a run as HTML; figures without a drawing are drawn."""
    drawn_charts = charts(contents.figures, contents.notes, drawings)
    groups = clusters(contents.members, contents.names)
    return render_page(
        contents.title,
        contents.summary,
        list(_sections(contents, groups, drawn_charts)),
        charts=drawn_charts,
        tables=contents.tables,
        images=contents.images,
        data=script_data(contents, groups),
        scripts=SCRIPTS,
    )


def best_job_sections(
    contents: Contents, groups: Sequence[Cluster], charts: Sequence[Chart]
) -> Iterator[Section]:
    """Yield the sections that show the best job of a sweep."""
    for section in (*_member_sections(contents, groups), *_figure_sections(contents, charts)):
        if section.name in BEST_JOB_SECTIONS:
            yield replace(section, heading=f"{section.heading} of the best job", link=section.heading)


def _sections(contents: Contents, groups: Sequence[Cluster], charts: Sequence[Chart]) -> Iterator[Section]:
    """Yield the non-empty sections of a run's report in reading order."""
    labelled = "label" in contents.members
    over_k = [chart for chart in charts if chart.name == K_SELECTION]
    if over_k:
        yield Section("k", "Which k", "k.html", {"verdict": contents.verdict, "charts": over_k})
    table = headline_table(contents.headlines, contents.upper_bounds, labelled=labelled)
    yield Section("metrics", "Metrics", "headlines.html", table | {"warnings": contents.warnings})
    yield from _member_sections(contents, groups)
    yield from _figure_sections(contents, [chart for chart in charts if chart not in over_k])
    facts_of_run = split_facts(contents.facts, contents.config)
    yield Section("run", "Run details", "facts.html", facts_of_run | {"warnings": []})
    files = [preview(name, text) for name, text in contents.tables.items()]
    yield Section("tables", "Tables", "files.html", {"files": files})


def _member_sections(contents: Contents, groups: Sequence[Cluster]) -> Iterator[Section]:
    """Yield the sections of the map and of the clusters."""
    omitted, with_images = {"omitted": contents.omitted}, len(contents.images) > 0
    map_values = omitted | {"note": contents.notes.get("map", "")}
    yield Section("map", "Map", "map.html", map_values | _map_values(contents, groups))
    members = shown_members(contents.members, groups, with_images=with_images)
    labelled = "label" in contents.members
    sheet_values = {"clusters": groups, "members": members, "labelled": labelled, "with_images": with_images}
    yield Section("clusters", "Clusters", "sheets.html", omitted | sheet_values)


def _figure_sections(contents: Contents, charts: Sequence[Chart]) -> Iterator[Section]:
    """Yield the sections of figures and rankings."""
    crosstab = [chart for chart in charts if chart.name == CROSSTAB]
    training = [chart for chart in charts if chart.name.startswith("training_")]
    others = [chart for chart in charts if chart not in crosstab and chart not in training]
    if crosstab:
        yield Section("crosstab", "Classes in clusters", "charts.html", {"charts": crosstab})
    if training:
        yield Section("training", "Training", "charts.html", {"charts": training})
    rankings = {
        "classes": ("Classes", contents.worst_classes),
        "worst": ("Worst clusters", contents.worst_clusters),
    }
    for name, (heading, rows) in rankings.items():
        if len(rows):
            tables = {"tables": [ranking(rows, heading, LINK_COLUMNS)], "titled": False}
            yield Section(name, heading, "rankings.html", tables)
    if others or contents.image_sheets or contents.not_shown:
        sheets = [html_sheets(name, figure) for name, figure in contents.image_sheets.items()]
        values = {"charts": others, "image_sheets": sheets, "not_shown": contents.not_shown}
        yield Section("pictures", "More figures", "pictures.html", values)


def _map_values(contents: Contents, groups: Sequence[Cluster]) -> dict[str, Any]:
    """Return the template values of the first map: title, image and legend."""
    title, points = next(iter(contents.maps.items()))
    styles = cluster_styles(groups)
    legend = [(group, colour, svg_path(shape)) for group, (colour, shape) in zip(groups, styles, strict=True)]
    return {"axis": title, "image": map_image(points, groups, contents.images), "legend": legend}


def script_data(contents: Contents, groups: Sequence[Cluster]) -> dict[str, Any]:
    """Return the data of the scripts of map and clusters."""
    members = contents.members
    labels = members["label"].astype(str).to_list() if "label" in members else []
    return {
        "ids": members["id"].to_list(),
        "clusters": members["cluster"].to_list(),
        "labels": labels,
        "maps": [_map_coordinates(name, points) for name, points in contents.maps.items()],
        "majorities": [
            [cluster.number, cluster.majority.name, cluster.majority.classes, cluster.majority.share]
            for cluster in groups
        ],
        "nearest": base64.b64encode(contents.nearest.astype("<u2").tobytes()).decode(),
        "run": contents.facts.get("run", ""),
        "names": {cluster.number: cluster.name for cluster in groups},
        "first": SHOWN_MEMBERS,
        "colours": GROUPED,
        "shapes": [svg_path(shape) for shape in SHAPES],
        "noise": NOISE,
    }


def _map_coordinates(name: str, points: np.ndarray) -> dict[str, Any]:
    """Return coordinates as integers from the left and from the top, with equal scales on both axes."""
    extent = max(np.ptp(points, axis=0).max(initial=0), np.finfo(np.float64).tiny)
    x, y = (
        np.rint((values - values.min()) / extent * MAX_COORDINATE).astype(int)
        for values in (points[:, 0], -points[:, 1])
    )
    size = {"wide": int(x.max()), "high": int(y.max())}
    return {"name": name, "x": x.tolist(), "y": y.tolist(), **size}
