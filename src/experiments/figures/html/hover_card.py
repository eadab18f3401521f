"""What a map's page shows at the pointer: the image, and what is said of it."""

import base64

from experiments.figures.html.markup import script
from experiments.figures.specs import Map
from experiments.figures.sprites import COLUMNS, files, pitch

LEAST = 128  # pixels a side that an image is shown at
STYLE = """#card { position: fixed; display: none; z-index: 9; pointer-events: none; padding: 6px;
background: white; border: 1px solid #999; border-radius: 4px; box-shadow: 0 2px 8px #0004;
font-size: 12px; max-width: 320px }
#card canvas { display: block; margin-bottom: 4px }
#card div { white-space: pre-line; overflow-wrap: anywhere }
"""
CARD = """<div id="card"><canvas></canvas><div></div></div>
"""
FOLLOW = """  const said = {said};
  const side = {side}, pitch = {pitch}, per = {per}, columns = {columns}, shown = {shown};
  const card = document.getElementById("card"), [canvas, words] = card.children;
  const sheets = [];
  const sheet = (number) => sheets[number] ??= (() => {{
    const packed = atob(document.getElementById(`sheet-${{number}}`).textContent);
    const bytes = Uint8Array.from(packed, c => c.charCodeAt(0));
    return createImageBitmap(new Blob([bytes], {{ type: "image/jpeg" }}));
  }})();
  let current = -1, pointer = {{ clientX: 0, clientY: 0 }};  // plotly says none where it draws in space
  place.addEventListener("pointermove", (event) => {{ pointer = event; }}, true);
  place.on("plotly_hover", async ({{ points, event = pointer }}) => {{
    const row = current = points[0].customdata;
    words.textContent = said[row];
    const image = per ? await sheet(Math.floor(row / per)) : null;
    if (row !== current) return;
    canvas.width = canvas.height = image ? shown : 0;
    const paper = canvas.getContext("2d"), tile = row % per;
    paper.imageSmoothingEnabled = side >= 32;
    const left = pitch * (tile % columns), top = pitch * Math.floor(tile / columns);
    if (image) paper.drawImage(image, left, top, side, side, 0, 0, shown, shown);
    card.style.display = "block";
    const right = event.clientX + 16 + card.offsetWidth > innerWidth;
    const low = event.clientY + 16 + card.offsetHeight > innerHeight;
    card.style.left = `${{Math.max(0, event.clientX + (right ? -16 - card.offsetWidth : 16))}}px`;
    card.style.top = `${{Math.max(0, event.clientY + (low ? -16 - card.offsetHeight : 16))}}px`;
  }});
  place.on("plotly_unhover", () => {{ current = -1; card.style.display = "none"; }});
"""


def hovering(figure: Map) -> tuple[str, str, str]:
    """Return the style, the elements and the script; an image is decoded when the pointer first needs it."""
    sheets = [
        f'<script type="text/plain" id="sheet-{number}">{base64.b64encode(file).decode()}</script>\n'
        for number, file in enumerate(files(figure.images, figure.ends))
    ]
    shown = figure.side * max(1, round(LEAST / max(figure.side, 1)))
    after = FOLLOW.format(
        said=script(figure.hover),
        side=figure.side,
        pitch=pitch(figure.side),
        per=figure.per if figure.ends else 0,
        columns=COLUMNS,
        shown=shown,
    )
    return STYLE, CARD + "".join(sheets), after
