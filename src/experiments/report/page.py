"""Lay the report of a run out: one file that opens offline, and asks nothing of the network."""

import html
from collections.abc import Iterator

import numpy as np

from experiments.figures import Map, tiles
from experiments.report.contents import Contents
from experiments.report.frame import framed, part, plotted
from experiments.report.tabling import facts, headline_table, preview, ranking

SECTIONS = {
    "run": "What was run",
    "figures": "Figures",
    "map": "Map",
    "clusters": "Clusters",
    "crosstab": "Classes in clusters",
    "training": "Training",
    "classes": "Classes",
    "worst": "Worst clusters",
    "pictures": "More pictures",
    "tables": "Tables",
}


def page(contents: Contents) -> str:
    """Return the report of a run as an HTML page."""
    body, members = dict(_sections(contents)), contents.members
    labels = members["label"].astype(str).to_list() if "label" in members else []
    return framed(
        contents.title,
        contents.told,
        {name: (heading, body[name]) for name, heading in SECTIONS.items() if name in body},
        figures={"map": _map(contents), **contents.figures},
        tables=contents.tables,
        images=contents.images,
        data={"ids": members["id"].to_list(), "clusters": members["cluster"].to_list(), "labels": labels},
        parts=("card", "sheets"),
    )


def _sections(contents: Contents) -> Iterator[tuple[str, str]]:
    """Give the markup of each section that has something to tell."""
    doubts = "".join(f"<li>{html.escape(doubt)}</li>" for doubt in contents.warnings)
    told = f'<ul class="doubts" aria-label="warnings">{doubts}</ul>' if doubts else ""
    yield "run", facts(contents.facts, contents.config)
    yield "figures", told + headline_table(contents.headlines, contents.upper)
    left = f"<p>{contents.left_out:,} samples more are not shown, as a page has no room.</p>"
    left = left if contents.left_out else ""
    yield "map", f'{left}<div class="plot" data-plot="map"></div>'
    yield "clusters", left + part("sheets.html")
    for name, about in {"classes": contents.classes, "worst": contents.clusters}.items():
        if len(about):
            yield name, ranking(about, SECTIONS[name])
    places: dict[str, list[str]] = {}
    for name in contents.figures:
        place = name if name == "crosstab" else "training" if name.startswith("training_") else "pictures"
        places.setdefault(place, []).append(name)
    yield from ((place, plotted(contents.figures, names)) for place, names in places.items())
    yield "tables", "\n".join(preview(name, text) for name, text in contents.tables.items())


def _map(contents: Contents) -> Map:
    """Return the map without images and words, which the sheets have already."""
    members, (x_label, y_label) = contents.members, contents.axes
    return Map(
        "",
        x_label,
        y_label,
        members["x"].to_numpy(np.float32),
        members["y"].to_numpy(np.float32),
        members["cluster"].to_numpy(),
        hover=[],
        beside=[],
        images=np.empty(0, np.uint8),
        ends=[],
        side=0,
        per=tiles.PER,
    )
