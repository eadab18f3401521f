"""What every report has: sections below a navigation, charts drawn when they come near, tables to save."""

import base64
import gzip
import html
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from experiments.figures import Panels
from experiments.figures.html import tiles
from experiments.figures.html.markup import document, script
from experiments.figures.kinds import traces
from experiments.figures.page import library
from experiments.figures.specs import Figure
from experiments.report.stills import HEIGHT, still

ALONE = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data: blob:; \
style-src 'unsafe-inline'; script-src 'unsafe-inline' 'unsafe-eval'">
"""  # plotly makes shaders by eval where it draws many points


def framed(
    title: str,
    told: str,
    sections: Mapping[str, tuple[str, str]],
    *,
    figures: Mapping[str, Figure],
    tables: Mapping[str, str],
    images: np.ndarray | None = None,
    data: Any = None,
    parts: Sequence[str] = (),
) -> str:
    """Return a whole page.

    Parameters
    ----------
    sections
        Heading and markup of each, by the name that links use, in reading order.
    tables
        Each as CSV.
    data, parts
        What further scripts know, and their names.
    """
    links = "".join(f'<a href="#{name}">{heading}</a> ' for name, (heading, _) in sections.items())
    head = f"<header><h1>{html.escape(title)}</h1><p>{html.escape(told)}</p></header>"
    body = "\n".join(_section(name, *section) for name, section in sections.items())
    images = tiles.none(tiles.SMALLEST) if images is None else images
    held = [_held("data", data), *(_held(f"plot-{name}", _plots(each)) for name, each in figures.items())]
    held += [_packed(f"table-{name}", text.encode()) for name, text in tables.items()]
    held.append(f'<script type="text/plain" id="plotly">{library()}</script>')
    code = [
        tiles.script(images),
        part("plots.js"),
        part("tables.js"),
        *(part(f"{name}.js") for name in parts),
    ]
    scripts = "\n".join([*held, f'<script type="module">{"".join(code)}</script>'])
    whole = f'{head}<nav aria-label="sections">{links}</nav>\n<main>{body}</main>\n{scripts}'
    return document(title, f"{part('style.css')}\n{tiles.style(images)}", whole, ALONE)


def plotted(
    figures: Mapping[str, Figure], names: Iterable[str], notes: Mapping[str, str], drawn: Mapping[str, Path]
) -> str:
    """Return headings, notes and charts: each a still picture at its final height, until it is drawn.

    Parameters
    ----------
    notes
        What a figure leaves out, by its name.
    drawn
        The PNGs that were written before, by their names.
    """
    return "\n".join(_chart(name, figures[name], notes.get(name, ""), drawn.get(name)) for name in names)


def _chart(name: str, figure: Figure, note: str, drawn: Path | None) -> str:
    said = f"<p>{html.escape(note)}</p>" if note else ""
    box = f'class="plot" data-plot="{html.escape(name)}" style="--height:{_height(figure):.0f}px"'
    heading = f'<h3 class="charted">{html.escape(figure.title)}</h3>'
    return f"{heading}{said}<div {box}>{still(figure, drawn)}</div>"


def _height(figure: Figure) -> float:
    """Return the height of a chart in pixels."""
    return float(sum(layout.get("height", HEIGHT) for _, layout in _plots(figure)))


def part(name: str) -> str:
    """Return a file of the page's own."""
    return (files("experiments.report") / "web" / name).read_text(encoding="utf-8")


def _section(name: str, heading: str, body: str) -> str:
    title = f'<h2 id="h-{name}">{heading}</h2>'
    return f'<section id="{name}" aria-labelledby="h-{name}">{title}\n{body}</section>'


def _plots(figure: Figure) -> list[list[Any]]:
    """Return traces and layout of each panel; the heading above says what the title would."""
    panels = figure.panels if isinstance(figure, Panels) else [figure]
    found = []
    for panel in panels:
        data, layout = traces(panel)
        if len(panels) == 1:
            layout = {key: value for key, value in layout.items() if key != "title"}
            layout["margin"] = layout.get("margin", {}) | {"t": 30}
        found.append([data, layout])
    return found


def _held(name: str, value: Any) -> str:
    return f'<script type="application/json" id="{html.escape(name)}">{script(value)}</script>'


def _packed(name: str, content: bytes) -> str:
    packed = base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()
    return f'<script type="text/plain" id="{html.escape(name)}">{packed}</script>'
