"""The charts of a report: a picture that is there at once, and what plotly draws in its place."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

from experiments.figures import Drawing, Panels, draw_png
from experiments.figures.kinds import plotly_traces
from experiments.figures.specs import Figure

COLOURS = 128  # of a picture
LONGEST = 16_000  # pixels of a side
TALL = 3  # times as high as wide: a picture that would be too small on one page of paper
LOWEST = 640  # pixels to which a phone lowers a chart
LEGEND, LISTED = 24, 8  # pixels of a row of the legend, which a phone shows below, and its rows at most
BAR = 16  # pixels of the bar that scrolls a chart of a width of its own


class Picture(NamedTuple):
    """An image as a data URI, without the title of its figure."""

    uri: str
    width: int
    height: int

    @property
    def tall(self) -> bool:
        """True if it may take more than a page of paper."""
        return self.height > TALL * self.width


@dataclass(frozen=True)
class Chart:
    """A figure under a heading.

    Parameters
    ----------
    note
        What the figure leaves out, "" for nothing.
    plots
        plotly's traces and layout of each panel, and its pixels of height on a phone.
    """

    name: str
    title: str
    note: str
    picture: Picture
    plots: list[tuple[Any, dict[str, Any], float]]

    @property
    def height(self) -> float:
        """Pixels that plotly's charts will take."""
        return float(sum(layout["height"] + _bar(layout) for _, layout, _ in self.plots))

    @property
    def narrow(self) -> float:
        """Pixels that they will take on a phone."""
        return sum(height + _bar(layout) for _, layout, height in self.plots)


def charts(
    figures: Mapping[str, Figure],
    notes: Mapping[str, str] | None = None,
    drawings: Mapping[str, Drawing] | None = None,
) -> list[Chart]:
    """Return the charts of figures; `notes` and `drawings` by name, as far as there are any."""
    notes, drawings = notes or {}, drawings or {}
    return [
        Chart(
            name,
            figure.title,
            notes.get(name, ""),
            picture(drawings.get(name) or draw_png(figure)),
            _plots(figure),
        )
        for name, figure in figures.items()
    ]


def picture(drawing: Drawing) -> Picture:
    """Return a drawing in few colours, without its title, which stands above it."""
    from PIL import Image

    image = Image.open(BytesIO(drawing.png)).convert("RGB")
    image = image.crop((0, min(drawing.top, image.height - 1), image.width, image.height))
    image.thumbnail((LONGEST, LONGEST))
    file = BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    held = base64.b64encode(file.getvalue()).decode()
    return Picture(f"data:image/png;base64,{held}", image.width, image.height)


def _plots(figure: Figure) -> list[tuple[Any, dict[str, Any], float]]:
    """Return what plotly draws of each panel; the heading above shows the title of one alone."""
    panels = figure.panels if isinstance(figure, Panels) else [figure]
    plots = []
    for panel in panels:
        data, layout = plotly_traces(panel)
        if len(panels) == 1:
            layout = {key: value for key, value in layout.items() if key != "title"}
            layout["margin"] = layout.get("margin", {}) | {"t": 30}
        plots.append((data, layout, _narrow(data, layout)))
    return plots


def _narrow(data: list[dict[str, Any]], layout: dict[str, Any]) -> float:
    """Return the pixels of height on a phone, where the legend stands below the chart."""
    if "width" in layout:
        return float(layout["height"])
    named = sum(1 for trace in data if trace.get("name") and trace.get("showlegend") is not False)
    rows = min(-(-named // 2), LISTED)
    lowered = layout["height"] if "ticktext" in layout.get("yaxis", {}) else min(layout["height"], LOWEST)
    return float(lowered + LEGEND * rows)


def _bar(layout: dict[str, Any]) -> int:
    return BAR if "width" in layout else 0
