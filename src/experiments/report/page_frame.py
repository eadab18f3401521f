"""The frame of every report: a single HTML file that works offline, with links to its sections."""

import base64
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.figures.html import tiles
from experiments.figures.html.markup import render, to_javascript
from experiments.figures.page import plotly_library
from experiments.report.charts import Chart


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Parameters
    ----------
    name
        Anchor of the section.
    template
        A file of report/web, in which `section` is this section.
    data
        Values of the template, by name.
    link
        Link text in the navigation; the heading if empty.
    """

    name: str
    heading: str
    template: str
    data: Mapping[str, Any]
    link: str = ""


def render_page(
    title: str,
    summary: str,
    sections: Sequence[Section],
    *,
    charts: Sequence[Chart],
    tables: Mapping[str, str],
    images: np.ndarray | None = None,
    data: Any = None,
    scripts: Sequence[str] = (),
) -> str:
    """Return the HTML of a report.

    Parameters
    ----------
    tables
        All tables as CSV, by name.
    images
        uint8 (m, S, S, 3): the images that `tile(row)` shows, in templates and in scripts.
    data, scripts
        Names of further scripts, and their data.
    """
    from markupsafe import Markup

    images = tiles.no_images(tiles.MIN_SIDE) if images is None else images
    stored = {"data": to_javascript(data)} | {
        f"plot-{chart.name}": to_javascript(chart.plots) for chart in charts
    }
    return render(
        "frame.html",
        "experiments.report",
        title=title,
        summary=summary,
        sections=sections,
        stored=stored,
        packed={name: _gzip_base64(text) for name, text in tables.items()},
        plotly=plotly_library(),
        image_style=Markup(tiles.css_rules(images)),  # noqa: S704
        tiles=tiles.layout(images),
        tile_script=Markup(tiles.script(images)),  # noqa: S704
        parts=[f"{name}.js" for name in ("plots", "tables", *scripts)],
    )


def _gzip_base64(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()
