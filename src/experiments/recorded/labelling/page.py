"""An HTML page to correct labels in a browser: a single file that needs no server and no network."""

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
from experiments.recorded.labelling.template import apply_command, doubtful, unlabelled

if TYPE_CHECKING:
    import pandas as pd

THUMBNAIL_SIZE = 72  # initial side of an image in pixels; the page has a slider
PARTS = ("csv", "changes", "sheets", "selecting", "chooser", "controls")
CONTENT_SECURITY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'">
"""


def check_file(file: Path) -> None:
    """Raise ValueError unless the file ends in .html, so that no table is overwritten."""
    if file.suffix.lower() not in (".html", ".htm"):
        raise ValueError(f"FILE={file} does not end in .html; use a name such as labels.html")
    if not file.absolute().parent.is_dir():
        raise ValueError(f"FILE={file}: the folder does not exist; create it first")


def select_rows(table: "pd.DataFrame", most: int = MAX_IMAGES) -> "pd.DataFrame":
    """Return at most `most` rows for a page: doubtful ones first, then the same number of each cluster."""
    if len(table) <= most:
        return table
    doubts = doubtful(table)
    round_ = table.groupby([table["cluster"], doubts]).cumcount().to_numpy()
    rows = np.lexsort((round_, ~doubts))[:most]
    return table.iloc[np.sort(rows)]


def display_order(table: "pd.DataFrame") -> np.ndarray:
    """Return the order of the rows on the page, int64 (n,).

    Rows are ordered by cluster, noise last; within a cluster, doubtful rows first, then unlabelled ones.
    """
    cluster = table["cluster"].to_numpy()
    return np.lexsort((~unlabelled(table), ~doubtful(table), cluster, cluster < 0))


def export_name(run: str) -> str:
    """Return the name of the CSV that a run's page exports; it differs from the name of the template."""
    return f"labels_{run[:8]}.csv"


def render(
    table: "pd.DataFrame",
    images: np.ndarray,
    *,
    run: str,
    name: str,
    left_out: int = 0,
    options: Sequence[str] = (),
) -> str:
    """Return the HTML page of a table from `template`.

    Parameters
    ----------
    table
        At most MAX_IMAGES rows with distinct image_ids.
    images
        uint8 (n, S, S, 3), an image per row; (0, S, S, 3) to show names instead.
    left_out
        Number of the run's rows that are not on the page.
    options
        Options at the end of the apply command.
    """
    order = display_order(table)
    ordered = images[order] if len(images) else images
    labels = sorted({*table["current_label"], *table["applied_label"], *table["suggestion"]} - {""})
    has_images = len(images) > 0
    data = {
        "run": run,
        "export": export_name(run),
        "labels": labels,
        "withdrawn": WITHDRAWN,
        "whole": not left_out,
        "one": "image" if has_images else "row",
        "many": "images" if has_images else "rows",
        "ids": table["image_id"].to_list(),
        "files": table["file"].to_list(),
        "clusters": table["cluster"].to_list(),
        "order": order.tolist(),
        "drawn": has_images,
    } | _numbered(table, labels)
    style = f"{_part('style.css')}\n{tiles.css_rules(ordered)}"
    body = _part("body.html").format(
        name=html.escape(name),
        command=html.escape(apply_command(run, export_name(run), options)),
        about=html.escape(_about(table, run, data["many"], left_out)),
        size=THUMBNAIL_SIZE,
    )
    return document(f"Labels of {name}", style, body + _script(data, tiles.script(images)), CONTENT_SECURITY)


def _numbered(table: "pd.DataFrame", labels: list[str]) -> dict[str, list[int]]:
    """Return the columns of labels as indices into `labels`, to save space; -1 is no label."""
    numbers = {label: number for number, label in enumerate(labels)} | {"": -1}
    columns = {"current": "current_label", "applied": "applied_label", "suggestion": "suggestion"}
    return {short: [numbers[label] for label in table[column]] for short, column in columns.items()}


def _about(table: "pd.DataFrame", run: str, noun: str, left_out: int) -> str:
    clusters = table["cluster"]
    groups = counted(clusters[clusters >= 0].nunique(), "cluster")
    groups += " and noise" if (clusters < 0).any() else ""
    text = f"{len(table):,} {noun} in {groups} of run {run}."
    if left_out:
        text += (
            f" {left_out:,} more {'is' if left_out == 1 else 'are'} not shown, as a page has at most "
            f"{len(table):,}: doubtful ones first, then some of each cluster. The table of labels.py "
            "template has all."
        )
    return text


def _script(data: dict[str, Any], tiles_script: str) -> str:
    code = "\n".join([tiles_script, *(_part(f"{name}.js") for name in PARTS)])
    data_tag = f'<script type="application/json" id="data">{to_javascript(data)}</script>'
    return f'{data_tag}\n<script type="module">{code}</script>'


def _part(name: str) -> str:
    return (files("experiments.recorded.labelling") / "web" / name).read_text(encoding="utf-8")
