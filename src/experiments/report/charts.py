"""The charts of a report: a static picture, and the plotly chart that replaces it."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NamedTuple

from experiments.figures import Drawing, Panels, draw_png
from experiments.figures.kinds import plotly_traces
from experiments.figures.specs import Figure

COLOURS = 128  # of a picture's palette
MAX_SIDE = 16_000  # pixels of a picture's side
TALL_RATIO = 3  # height by width; higher pictures may be printed on several pages
MAX_PHONE_HEIGHT = 640  # pixels of a chart
LEGEND_ROW, MAX_LEGEND_ROWS = 24, 8  # pixels of a row, and rows; on phones the legend is below the chart
SCROLLBAR = 16  # pixels of the scroll bar of a chart with a fixed width


class Picture(NamedTuple):
    """An image as a data URI, without the title of its figure."""

    uri: str
    width: int
    height: int

    @property
    def tall(self) -> bool:
        """True if printing may take more than one page."""
        return self.height > TALL_RATIO * self.width


@dataclass(frozen=True)
class Chart:
    """A figure with its heading.

    Parameters
    ----------
    note
        A remark such as what the figure omits; "" for none.
    plots
        plotly's traces and layout of each panel, and its height on a phone in pixels.
    """

    name: str
    title: str
    note: str
    picture: Picture
    plots: list[tuple[Any, dict[str, Any], float]]

    @property
    def height(self) -> float:
        """Height of plotly's charts in pixels."""
        return float(sum(layout["height"] + _scrollbar(layout) for _, layout, _ in self.plots))

    @property
    def phone_height(self) -> float:
        """Height of plotly's charts on a phone in pixels."""
        return sum(height + _scrollbar(layout) for _, layout, height in self.plots)


def charts(
    figures: Mapping[str, Figure],
    notes: Mapping[str, str] | None = None,
    drawings: Mapping[str, Drawing] | None = None,
) -> list[Chart]:
    """Return the charts of figures; `notes` and `drawings` are optional, by figure name."""
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
    """Return a drawing with fewer colours and without its title, which the page shows as a heading."""
    from PIL import Image

    image = Image.open(BytesIO(drawing.png)).convert("RGB")
    image = image.crop((0, min(drawing.title_height, image.height - 1), image.width, image.height))
    image.thumbnail((MAX_SIDE, MAX_SIDE))
    file = BytesIO()
    image.quantize(COLOURS, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
    encoded = base64.b64encode(file.getvalue()).decode()
    return Picture(f"data:image/png;base64,{encoded}", image.width, image.height)


def _plots(figure: Figure) -> list[tuple[Any, dict[str, Any], float]]:
    """Return plotly's traces and layout of each panel; the title of a single panel is the heading."""
    panels = figure.panels if isinstance(figure, Panels) else [figure]
    plots = []
    for panel in panels:
        data, layout = plotly_traces(panel)
        if len(panels) == 1:
            layout = {key: value for key, value in layout.items() if key != "title"}
            layout["margin"] = layout.get("margin", {}) | {"t": 30}
        plots.append((data, layout, _phone_height(data, layout)))
    return plots


def _phone_height(data: list[dict[str, Any]], layout: dict[str, Any]) -> float:
    """Return the height on a phone in pixels, with the legend below the chart."""
    if "width" in layout:
        return float(layout["height"])
    names = sum(1 for trace in data if trace.get("name") and trace.get("showlegend") is not False)
    rows = min(-(-names // 2), MAX_LEGEND_ROWS)
    plot_height = (
        layout["height"] if "ticktext" in layout.get("yaxis", {}) else min(layout["height"], MAX_PHONE_HEIGHT)
    )
    return float(plot_height + LEGEND_ROW * rows)


def _scrollbar(layout: dict[str, Any]) -> int:
    return SCROLLBAR if "width" in layout else 0
