"""Lay the report of a run out: one file that opens offline, and asks nothing of the network."""

import html
from collections.abc import Iterator
from typing import Any

import numpy as np

from experiments.figures.style import GROUPED, NOISE
from experiments.report.contents import Contents
from experiments.report.crosstab import NAME as CROSSTAB
from experiments.report.frame import framed, part, plotted
from experiments.report.images import images
from experiments.report.stills import still_clusters, still_map
from experiments.report.tabling import facts, headline_table, preview, ranking

K_SELECTION = "k_selection"  # the figure of the evaluator of that name
STEPS = 99_999  # of the longer side of the map: finer than a screen at any zoom
SECTIONS = {  # the answer to what was asked stands first
    "k": "Which k",
    "figures": "Metrics",
    "map": "Map",
    "clusters": "Clusters",
    "crosstab": "Classes in clusters",
    "training": "Training",
    "classes": "Classes",
    "worst": "Worst clusters",
    "pictures": "More pictures",
    "run": "What was run",
    "tables": "Tables",
}


SCRIPTS = ("card", "groups", "map", "moves", "legend", "sheets")  # of the map and the clusters
OF_BEST = ("map", "clusters", "crosstab", "classes", "worst")  # sections that a sweep has of its best job


def of_best(contents: Contents) -> dict[str, tuple[str, str]]:
    """Return heading and markup of the sections that show the best job of a sweep."""
    body = dict(_sections(contents))
    return {name: (f"{SECTIONS[name]} of the best job", body[name]) for name in OF_BEST if name in body}


def page(contents: Contents) -> str:
    """Return the report of a run as an HTML page."""
    body = dict(_sections(contents))
    return framed(
        contents.title,
        contents.told,
        {name: (heading, body[name]) for name, heading in SECTIONS.items() if name in body},
        figures=contents.figures,
        tables=contents.tables,
        images=contents.images,
        data=data_of(contents),
        parts=SCRIPTS,
    )


def _sections(contents: Contents) -> Iterator[tuple[str, str]]:
    """Give the markup of each section that has something to tell."""
    doubts = "".join(f"<li>{html.escape(doubt)}</li>" for doubt in contents.warnings)
    told = f'<ul class="doubts" aria-label="warnings">{doubts}</ul>' if doubts else ""
    yield "run", facts(contents.facts, contents.config)
    yield (
        "figures",
        told + headline_table(contents.headlines, contents.upper, labelled="label" in contents.members),
    )
    left = f"<p>{contents.left_out:,} samples more are not shown, as a page has no room.</p>"
    left = left if contents.left_out else ""
    first, plane = next(iter(contents.maps.items()))
    clusters = contents.members["cluster"].to_numpy()
    yield "map", left + still_map(first, plane, clusters) + part("map.html")
    static = f'<div class="still">{still_clusters(contents.members, contents.images)}</div>'
    yield "clusters", left + static + part("sheets.html")
    for name, about in {"classes": contents.classes, "worst": contents.clusters}.items():
        if len(about):
            yield name, ranking(about, SECTIONS[name], ("cluster", "main_cluster"))
    yield from _figures(contents).items()
    yield "tables", "\n".join(preview(name, text) for name, text in contents.tables.items())


def _figures(contents: Contents) -> dict[str, str]:
    """Return the markup of each section that holds figures."""
    places: dict[str, list[str]] = {}
    for name in contents.figures:
        places.setdefault(_section_of(name), []).append(name)
    found = {
        place: plotted(contents.figures, names, contents.notes, contents.drawn)
        for place, names in places.items()
    }
    parts = [found.get("pictures", "")]
    parts += [
        f"<h3>{html.escape(figure.title)}</h3>{images(name, figure)}"
        for name, figure in contents.pictures.items()
    ]
    if contents.unseen:
        names = html.escape(", ".join(contents.unseen))
        parts.append(f"<p>Not on this page: {names}. With figures=auto each has a page of its own.</p>")
    if contents.verdict and "k" in found:
        found["k"] = f"<p><b>{html.escape(contents.verdict)}</b></p>{found['k']}"
    return found | ({"pictures": "\n".join(parts)} if any(parts) else {})


def _section_of(figure: str) -> str:
    if figure in (CROSSTAB, K_SELECTION):
        return {CROSSTAB: CROSSTAB, K_SELECTION: "k"}[figure]
    return "training" if figure.startswith("training_") else "pictures"


def data_of(contents: Contents) -> dict[str, Any]:
    """Return the data of the scripts of the map and the clusters: ids, clusters, labels, coordinates."""
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
        np.rint((each - each.min()) / extent * STEPS).astype(int) for each in (places[:, 0], -places[:, 1])
    )
    sides = {"wide": int(across.max()), "high": int(down.max())}
    return {"name": name, "x": across.tolist(), "y": down.tolist(), **sides}
