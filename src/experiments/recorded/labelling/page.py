"""A page to correct labels in a browser: one file that needs no server and asks nothing of the network."""

import html
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.figures.html import tiles
from experiments.figures.html.markup import document, to_javascript
from experiments.figures.html.tiles import MAX_IMAGES
from experiments.messages import counted
from experiments.recorded.labelling.checking import WITHDRAWN
from experiments.recorded.labelling.template import command, doubtful, unlabelled

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 72  # pixels a side that an image is shown at, until a person moves the slider
PARTS = ("csv", "changes", "sheets", "selecting", "chooser", "controls")
ALONE = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'">
"""


def check(file: Path) -> None:
    """Raise ValueError for a name that is no page's, which might be the table of somebody's work."""
    if file.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"FILE={file} does not end in .html; name the page labels.html or so")
    if not file.absolute().parent.is_dir():
        raise ValueError(f"FILE={file} is in a folder that is not there; make it first")


def fitting(table: "pd.DataFrame", most: int = MAX_IMAGES) -> "pd.DataFrame":
    """Return the rows that a page shows: the doubtful first, then of each cluster as many as fit."""
    if len(table) <= most:
        return table
    doubts = doubtful(table)
    turn = table.groupby([table["cluster"], doubts]).cumcount().to_numpy()
    taken = np.lexsort((turn, ~doubts))[:most]
    return table.iloc[np.sort(taken)]


def arranged(table: "pd.DataFrame") -> np.ndarray:
    """Return the order in which rows are shown, int64 (n,).

    It is by cluster, noise last; the doubtful of each first, then those without a label.
    """
    cluster = table["cluster"].to_numpy()
    return np.lexsort((~unlabelled(table), ~doubtful(table), cluster, cluster < 0))


def exported(run: str) -> str:
    """Return the name of the CSV that the page of a run exports: another than the table's to edit."""
    return f"labels_{run[:8]}.csv"


def page(
    table: "pd.DataFrame",
    images: np.ndarray,
    *,
    run: str,
    name: str,
    left_out: int = 0,
    options: Sequence[str] = (),
) -> str:
    """Return the page of a table as `labels.py template` writes it.

    Parameters
    ----------
    table
        Text without gaps, but for `cluster`; at most `most` rows, of which no two have one image_id.
    images
        uint8 (n, S, S, 3), one a row; (0, S, S, 3) for names instead of images.
    left_out
        Rows of the run that the page does not have.
    options
        Words that the line to type ends with.
    """
    order = arranged(table)
    ordered = images[order] if len(images) else images
    labels = sorted({*table["current_label"], *table["applied_label"], *table["suggestion"]} - {""})
    drawn = len(images) > 0
    data = {
        "run": run,
        "export": exported(run),
        "labels": labels,
        "withdrawn": WITHDRAWN,
        "whole": not left_out,
        "one": "image" if drawn else "row",
        "many": "images" if drawn else "rows",
        "ids": table["image_id"].to_list(),
        "files": table["file"].to_list(),
        "clusters": table["cluster"].to_list(),
        "order": order.tolist(),
        "drawn": drawn,
    } | _numbered(table, labels)
    style = f"{_part('style.css')}\n{tiles.css_rules(ordered)}"
    body = _part("body.html").format(
        name=html.escape(name),
        command=html.escape(command(run, exported(run), options)),
        about=html.escape(_about(table, run, data["many"], left_out)),
        size=SHOWN,
    )
    return document(f"Labels of {name}", style, body + _script(data, tiles.script(images)), ALONE)


def _numbered(table: "pd.DataFrame", labels: list[str]) -> dict[str, list[int]]:
    """Spell each column of labels by their places, as names are long; -1 is none."""
    place = {label: number for number, label in enumerate(labels)} | {"": -1}
    columns = {"current": "current_label", "applied": "applied_label", "suggestion": "suggestion"}
    return {short: [place[label] for label in table[column]] for short, column in columns.items()}


def _about(table: "pd.DataFrame", run: str, many: str, left_out: int) -> str:
    clusters = table["cluster"]
    groups = counted(clusters[clusters >= 0].nunique(), "cluster")
    groups += " and noise" if (clusters < 0).any() else ""
    words = f"{len(table):,} {many} in {groups} of run {run}."
    if left_out:
        words += (
            f" {left_out:,} more {'is' if left_out == 1 else 'are'} left out, as a page has room for "
            f"{len(table):,}: it has the doubtful ones first, then some of each cluster. labels.py template "
            "writes a row for each."
        )
    return words


def _script(data: dict[str, Any], before: str) -> str:
    code = "\n".join([before, *(_part(f"{name}.js") for name in PARTS)])
    held = f'<script type="application/json" id="data">{to_javascript(data)}</script>'
    return f'{held}\n<script type="module">{code}</script>'


def _part(name: str) -> str:
    return (files("experiments.recorded.labelling") / "web" / name).read_text(encoding="utf-8")
