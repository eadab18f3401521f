"""Draw a picture as one HTML page that needs nothing else: no network, no file beside it.

plotly's wheel holds one bundle of plotly.js, the whole of it: 4.8 MB. Packed here and unpacked by the browser
it makes pages of 2 MB. Bundles with fewer kinds of trace come from npm alone, which the set-up does not need.
"""

import base64
import gzip
import html
import json
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np

from experiments.figures.specs import Grid
from experiments.figures.traces import traces
from experiments.types import Figure

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>body {{ font-family: sans-serif; margin: 12px; overflow-y: scroll }} figure {{ margin: 0 }}
figcaption {{ font-size: 12px }}
#grid {{ display: grid; grid-template-columns: repeat({columns}, 128px); gap: 12px; overflow-wrap: anywhere }}
#grid img {{ width: 128px; height: 128px; image-rendering: {rendering} }}</style></head><body>
"""
PLOT = """<div id="figure"></div>
<script type="text/plain" id="packed">{library}</script>
<script type="module">
const place = document.getElementById("figure");
try {{
  const bytes = Uint8Array.from(atob(document.getElementById("packed").textContent), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const text = await new Response(stream).text();
  document.head.append(Object.assign(document.createElement("script"), {{ text }}));
  const modeBarButtonsToRemove = ["sendChartToCloud"];
  const how = {{ responsive: true, displaylogo: false, modeBarButtonsToRemove }};
  await Plotly.newPlot(place, {data}, {layout}, how);
}} catch (error) {{
  place.textContent = `This needs a browser of 2023 or later; the PNG beside it shows the same. ${{error}}`;
}}
</script></body></html>
"""


def page(figure: Figure) -> str:
    """Return a picture as an HTML page."""
    if isinstance(figure, Grid):
        return _grid(figure)
    data, layout = traces(figure)
    head = HEAD.format(title=html.escape(figure.title), columns=1, rendering="auto")
    return head + PLOT.format(library=_library(), data=_script(data), layout=_script(layout))


@cache
def _library() -> str:
    packed = gzip.compress((files("plotly") / "package_data" / "plotly.min.js").read_bytes(), 6, mtime=0)
    return base64.b64encode(packed).decode()


def _script(value: Any) -> str:
    """Spell a value in JavaScript, so that no text in it can end the script."""
    return json.dumps(value).replace("<", "\\u003c")


def _grid(figure: Grid) -> str:
    from PIL import Image

    cells = []
    for pixels, caption in zip(figure.images, figure.captions, strict=True):
        buffer = BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
        source = base64.b64encode(buffer.getvalue()).decode()
        name = html.escape(caption)
        image = f'<img src="data:image/png;base64,{source}" alt="{name}">'
        cells.append(f"<figure>{image}<figcaption>{name}</figcaption></figure>")
    title = html.escape(figure.title)
    rendering = "pixelated" if figure.images.shape[1] < 64 else "auto"
    head = HEAD.format(title=title, columns=figure.columns, rendering=rendering)
    return f'{head}<h3>{title}</h3>\n<div id="grid">\n{chr(10).join(cells)}\n</div></body></html>\n'
