"""Draw a figure as a single HTML page that needs neither a network nor other files.

plotly's wheel contains only the complete bundle of plotly.js (4.8 MB). Compressed, it makes pages of
2 MB, which the browser unpacks. Smaller bundles would need npm.
"""

import base64
import gzip
from functools import cache
from importlib.resources import files

from experiments.figures.html.markup import render, to_javascript
from experiments.figures.kinds import kind_of, plotly_traces
from experiments.figures.specs import Figure, Panels


def html_page(figure: Figure) -> str:
    """Return a figure as an HTML page."""
    panels = figure.panels if isinstance(figure, Panels) else [figure]
    first = kind_of(panels[0])
    if first.page:
        return first.page(figure)
    return render(
        "plot.html",
        title=figure.title,
        library=plotly_library(),
        plots=to_javascript([plotly_traces(panel) for panel in panels]),
        card=first.card(figure) if first.card else None,
    )


@cache
def plotly_library() -> str:
    """Return plotly.js, compressed with gzip, as base64."""
    packed = gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), 6, mtime=0)
    return base64.b64encode(packed).decode()
