"""The charts of a report, as plotly draws them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.figures import Panels
from experiments.figures.kinds import traces
from experiments.figures.specs import Figure


@dataclass(frozen=True)
class Chart:
    """A figure under a heading.

    Parameters
    ----------
    note
        What the figure leaves out, "" for nothing.
    plots
        plotly's traces and layout of each panel.
    """

    name: str
    title: str
    note: str
    plots: list[list[Any]]


def charts(figures: Mapping[str, Figure], notes: Mapping[str, str] | None = None) -> list[Chart]:
    """Return the charts of figures, with their notes by name."""
    return [
        Chart(name, figure.title, (notes or {}).get(name, ""), _plots(figure))
        for name, figure in figures.items()
    ]


def _plots(figure: Figure) -> list[list[Any]]:
    """Return traces and layout of each panel; the heading above shows the title of one alone."""
    panels = figure.panels if isinstance(figure, Panels) else [figure]
    plots = []
    for panel in panels:
        data, layout = traces(panel)
        if len(panels) == 1:
            layout = {key: value for key, value in layout.items() if key != "title"}
            layout["margin"] = layout.get("margin", {}) | {"t": 30}
        plots.append([data, layout])
    return plots
