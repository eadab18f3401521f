"""The page of a run: its sections in reading order, and the data of its map and sheets."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from experiments.figures.style import GROUPED, NOISE
from experiments.report.charts import charts
from experiments.report.contents import Contents
from experiments.report.crosstab import NAME as CROSSTAB
from experiments.report.frame import Section, framed
from experiments.report.images import sheets
from experiments.report.tabling import facts, headline_table, preview, ranking

STEPS = 99_999  # of the longer side of the map: finer than a screen at any zoom
LINKED = ("cluster", "main_cluster")  # columns that name a cluster, whose images are on the page


def page(contents: Contents) -> str:
    """Return the report of a run as an HTML page."""
    return framed(
        contents.title,
        contents.summary,
        list(_sections(contents)),
        charts=charts(contents.figures),
        tables=contents.tables,
        images=contents.images,
        data=_data(contents),
        parts=("card", "groups", "map", "moves", "legend", "sheets"),
    )


def _sections(contents: Contents) -> Iterator[Section]:
    """Give the sections that have content, in reading order."""
    labelled = "label" in contents.members
    about = facts(contents.facts, contents.config)
    yield Section("run", "What was run", "facts.html", about | {"warnings": []})
    table = headline_table(contents.headlines, contents.upper, labelled=labelled)
    yield Section("figures", "Figures", "headlines.html", table | {"warnings": contents.warnings})
    yield Section("map", "Map", "map.html", {"omitted": contents.left_out})
    yield Section("clusters", "Clusters", "sheets.html", {"omitted": contents.left_out})
    drawn = charts(contents.figures, contents.notes)
    training = [chart for chart in drawn if chart.name.startswith("training_")]
    others = [chart for chart in drawn if chart.name != CROSSTAB and chart not in training]
    if CROSSTAB in contents.figures:
        crosstab = [chart for chart in drawn if chart.name == CROSSTAB]
        yield Section("crosstab", "Classes in clusters", "charts.html", {"charts": crosstab})
    if training:
        yield Section("training", "Training", "charts.html", {"charts": training})
    rankings = {"classes": ("Classes", contents.classes), "worst": ("Worst clusters", contents.clusters)}
    for name, (heading, rows) in rankings.items():
        if len(rows):
            shown = {"tables": [ranking(rows, heading, LINKED)], "titled": False}
            yield Section(name, heading, "rankings.html", shown)
    if others or contents.pictures or contents.unseen:
        pictures = [sheets(name, figure) for name, figure in contents.pictures.items()]
        more = {"charts": others, "pictures": pictures, "unseen": contents.unseen}
        yield Section("pictures", "More pictures", "pictures.html", more)
    files = [preview(name, text) for name, text in contents.tables.items()]
    yield Section("tables", "Tables", "files.html", {"files": files})


def _data(contents: Contents) -> dict[str, Any]:
    """Return what the map and the sheets know of each member."""
    members = contents.members
    labels = members["label"].astype(str).to_list() if "label" in members else []
    return {
        "ids": members["id"].to_list(),
        "clusters": members["cluster"].to_list(),
        "labels": labels,
        "maps": [_map(name, places) for name, places in contents.maps.items()],
        "colours": GROUPED,
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
