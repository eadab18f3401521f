"""Draw a picture as one HTML page that needs nothing else: no network, no file beside it.

plotly's wheel holds one bundle of plotly.js, the whole of it: 4.8 MB. Packed here and unpacked by the browser
it makes pages of 2 MB. Bundles with fewer kinds of trace come from npm alone, which the set-up does not need.
"""

import base64
import gzip
from functools import cache
from importlib.resources import files

from experiments.figures.html.markup import render, script
from experiments.figures.kinds import kind_of, traces
from experiments.figures.specs import Figure, Panels


def page(figure: Figure) -> str:
    """Return a figure as an HTML page."""
    panels = figure.panels if isinstance(figure, Panels) else [figure]
    first = kind_of(panels[0])
    if first.page:
        return first.page(figure)
    return render(
        "plot.html",
        title=figure.title,
        library=library(),
        plots=script([traces(panel) for panel in panels]),
        card=first.card(figure) if first.card else None,
    )


@cache
def library() -> str:
    """Return plotly.js, packed with gzip, in base64."""
    packed = gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), 6, mtime=0)
    return base64.b64encode(packed).decode()
