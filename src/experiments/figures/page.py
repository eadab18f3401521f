"""Draw a picture as one HTML page that needs nothing else: no network, no file beside it.

plotly's wheel holds one bundle of plotly.js, the whole of it: 4.8 MB. Packed here and unpacked by the browser
it makes pages of 2 MB. Bundles with fewer kinds of trace come from npm alone, which the set-up does not need.
"""

import base64
import gzip
from functools import cache
from importlib.resources import files

from experiments.figures.html.markup import document, script
from experiments.figures.kinds import kind_of, traces
from experiments.figures.specs import Figure, Panels

PLOT = """<div id="figure"></div>
<script type="text/plain" id="packed">{library}</script>
{before}<script type="module">
const place = document.getElementById("figure"), plots = {plots};
try {{
  const bytes = Uint8Array.from(atob(document.getElementById("packed").textContent), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).text();
  document.head.append(Object.assign(document.createElement("script"), {{ text }}));
  const modeBarButtonsToRemove = ["sendChartToCloud"];
  const how = {{ responsive: true, displaylogo: false, scrollZoom: {zooms}, modeBarButtonsToRemove }};
  for (const [data, layout] of plots.slice(1))
    await Plotly.newPlot(place.parentNode.appendChild(document.createElement("div")), data, layout, how);
  await Plotly.newPlot(place, ...plots[0], how);
{after}}} catch (error) {{
  place.textContent = `This needs a browser of 2023 or later; the PNG beside it shows the same. ${{error}}`;
}}
</script>
"""


def page(figure: Figure) -> str:
    """Return a figure as an HTML page."""
    panels = figure.panels if isinstance(figure, Panels) else [figure]
    first = kind_of(panels[0])
    if first.page:
        return first.page(figure)
    plots = [traces(panel) for panel in panels]
    style, before, after = first.hover(figure) if first.hover else ("", "", "")
    body = PLOT.format(
        library=library(),
        plots=script(plots),
        zooms=script(first.hover is not None),
        before=before,
        after=after,
    )
    return document(figure.title, style, body)


@cache
def library() -> str:
    """Return plotly.js, packed with gzip, in base64."""
    packed = gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), 6, mtime=0)
    return base64.b64encode(packed).decode()
