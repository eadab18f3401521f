"""The page of a run: its sections in reading order, and the data of its map and sheets."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from experiments.figures import Drawing
from experiments.figures.style import GROUPED, NOISE
from experiments.report.charts import Chart, charts
from experiments.report.clusters import FIRST, Cluster, clusters, shown
from experiments.report.contents import Contents
from experiments.report.crosstab import NAME as CROSSTAB
from experiments.report.frame import Section, framed
from experiments.report.images import sheets
from experiments.report.map_picture import SHAPES, looks, path, picture
from experiments.report.tabling import facts, headline_table, preview, ranking

STEPS = 99_999  # of the longer side of the map: finer than a screen at any zoom
LINKED = ("cluster", "main_cluster")  # columns that name a cluster, whose images are on the page


SCRIPTS = ("card", "groups", "map", "moves", "legend", "sheets")  # of the map and the clusters
OF_BEST = ("map", "clusters", "crosstab", "classes", "worst")  # sections that a sweep has of its best job
K_SELECTION = "k_selection"  # the figure of the evaluator of that name


def page(contents: Contents, drawings: Mapping[str, Drawing] | None = None) -> str:
    """Return the report of a run as an HTML page; figures without a drawing are drawn."""
    drawn = charts(contents.figures, contents.notes, drawings)
    groups = clusters(contents.members)
    return framed(
        contents.title,
        contents.summary,
        list(_sections(contents, groups, drawn)),
        charts=drawn,
        tables=contents.tables,
        images=contents.images,
        data=data_of(contents, groups),
        parts=SCRIPTS,
    )


def sections_of_best(
    contents: Contents, groups: Sequence[Cluster], drawn: Sequence[Chart]
) -> Iterator[Section]:
    """Give the sections that show the best job of a sweep."""
    for section in (*_members(contents, groups), *_figures(contents, drawn)):
        if section.name in OF_BEST:
            yield replace(section, heading=f"{section.heading} of the best job")


def _sections(contents: Contents, groups: Sequence[Cluster], drawn: Sequence[Chart]) -> Iterator[Section]:
    """Give the sections that have content; the answer to what was asked comes first."""
    labelled = "label" in contents.members
    over_k = [chart for chart in drawn if chart.name == K_SELECTION]
    if over_k:
        yield Section("k", "Which k", "k.html", {"verdict": contents.verdict, "charts": over_k})
    table = headline_table(contents.headlines, contents.upper, labelled=labelled)
    yield Section("figures", "Metrics", "headlines.html", table | {"warnings": contents.warnings})
    yield from _members(contents, groups)
    yield from _figures(contents, [chart for chart in drawn if chart not in over_k])
    about = facts(contents.facts, contents.config)
    yield Section("run", "What was run", "facts.html", about | {"warnings": []})
    files = [preview(name, text) for name, text in contents.tables.items()]
    yield Section("tables", "Tables", "files.html", {"files": files})


def _members(contents: Contents, groups: Sequence[Cluster]) -> Iterator[Section]:
    """Give the map and the clusters."""
    omitted, pictured = {"omitted": contents.left_out}, len(contents.images) > 0
    yield Section("map", "Map", "map.html", omitted | _map_shown(contents, groups))
    members = shown(contents.members, groups, pictured=pictured)
    labelled = "label" in contents.members
    sheets_shown = {"clusters": groups, "members": members, "labelled": labelled, "pictured": pictured}
    yield Section("clusters", "Clusters", "sheets.html", omitted | sheets_shown)


def _figures(contents: Contents, drawn: Sequence[Chart]) -> Iterator[Section]:
    """Give the sections of figures and of rankings."""
    crosstab = [chart for chart in drawn if chart.name == CROSSTAB]
    training = [chart for chart in drawn if chart.name.startswith("training_")]
    others = [chart for chart in drawn if chart not in crosstab and chart not in training]
    if crosstab:
        yield Section("crosstab", "Classes in clusters", "charts.html", {"charts": crosstab})
    if training:
        yield Section("training", "Training", "charts.html", {"charts": training})
    rankings = {"classes": ("Classes", contents.classes), "worst": ("Worst clusters", contents.clusters)}
    for name, (heading, rows) in rankings.items():
        if len(rows):
            tables = {"tables": [ranking(rows, heading, LINKED)], "titled": False}
            yield Section(name, heading, "rankings.html", tables)
    if others or contents.pictures or contents.unseen:
        pictures = [sheets(name, figure) for name, figure in contents.pictures.items()]
        more = {"charts": others, "pictures": pictures, "unseen": contents.unseen}
        yield Section("pictures", "More pictures", "pictures.html", more)


def _map_shown(contents: Contents, groups: Sequence[Cluster]) -> dict[str, Any]:
    """Return the first map as a picture, and the names on it."""
    axis, places = next(iter(contents.maps.items()))
    names = [
        (cluster, colour, path(shape)) for cluster, (colour, shape) in zip(groups, looks(groups), strict=True)
    ]
    return {"axis": axis, "picture": picture(places, groups, contents.images), "names": names}


def data_of(contents: Contents, groups: Sequence[Cluster]) -> dict[str, Any]:
    """Return the data of the scripts of the map and the clusters."""
    members = contents.members
    labels = members["label"].astype(str).to_list() if "label" in members else []
    return {
        "ids": members["id"].to_list(),
        "clusters": members["cluster"].to_list(),
        "labels": labels,
        "maps": [_map(name, places) for name, places in contents.maps.items()],
        "majorities": [
            [cluster.number, cluster.majority.name, cluster.majority.classes, cluster.majority.share]
            for cluster in groups
        ],
        "first": FIRST,
        "colours": GROUPED,
        "shapes": [path(shape) for shape in SHAPES],
        "noise": NOISE,
    }


def _map(name: str, places: np.ndarray) -> dict[str, Any]:
    """Return places in whole steps from the left and from the top, both axes in the same."""
    extent = max(np.ptp(places, axis=0).max(initial=0), np.finfo(np.float64).tiny)
    across, down = (
        np.rint((axis - axis.min()) / extent * STEPS).astype(int) for axis in (places[:, 0], -places[:, 1])
    )
    sides = {"wide": int(across.max()), "high": int(down.max())}
    return {"name": name, "x": across.tolist(), "y": down.tolist(), **sides}
