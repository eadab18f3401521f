"""Pages of images: grids and contact sheets. They need no script."""

import base64
import html
from collections.abc import Iterator
from io import BytesIO

import numpy as np

from experiments.figures.html.markup import document
from experiments.figures.specs import Grid, Sheets
from experiments.figures.sprites import COLUMNS, files, pitch

LEAST = 96  # pixels a side that an image of a sheet is shown at
GRID = """figcaption {{ font-size: 12px }}
#grid {{ display: grid; grid-template-columns: repeat({columns}, 128px); gap: 12px; overflow-wrap: anywhere }}
#grid img {{ width: 128px; height: 128px; image-rendering: {rendering} }}"""
SHEETS = """nav {{ font-size: 13px; line-height: 1.7; margin-bottom: 12px }} nav a {{ margin-right: 8px }}
main {{ display: flex; flex-wrap: wrap; gap: 0 28px }}
section {{ margin: 6px 0; padding-top: 4px; border-top: 1px solid #ddd }}
h4 {{ margin: 4px 0 }} h5 {{ margin: 0 0 2px; font-weight: normal; color: #555 }}
.parts {{ display: flex; flex-wrap: wrap; gap: 20px }} .tiles {{ display: flex; flex-wrap: wrap; gap: 4px }}
.tiles figure {{ width: {shown}px }}
.tiles i {{ display: block; width: {shown}px; height: {shown}px; image-rendering: {rendering} }}
figcaption {{ font-size: 11px; max-height: 3.9em; overflow: hidden; overflow-wrap: anywhere }}
{sprites}"""


def grid_page(figure: Grid) -> str:
    """Return images in rows."""
    from PIL import Image

    cells = []
    for pixels, caption in zip(figure.images, figure.captions, strict=True):
        buffer = BytesIO()
        Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "PNG")
        source = base64.b64encode(buffer.getvalue()).decode()
        name = html.escape(caption)
        image = f'<img src="data:image/png;base64,{source}" alt="{name}">'
        cells.append(f"<figure>{image}<figcaption>{name}</figcaption></figure>")
    rendering = "pixelated" if figure.images.shape[1] < 64 else "auto"
    style = GRID.format(columns=figure.columns, rendering=rendering)
    title = html.escape(figure.title)
    return document(figure.title, style, f'<h3>{title}</h3>\n<div id="grid">\n{chr(10).join(cells)}\n</div>')


def sheets_page(figure: Sheets) -> str:
    """Return sheets with a heading each, and links to them."""
    zoom = max(1, round(LEAST / max(figure.side, 1)))
    sprites = "\n".join(
        f"#s{number} i {{ background: url(data:image/jpeg;base64,{base64.b64encode(file).decode()}) 0 0 / "
        f"{zoom * pitch(figure.side) * min(COLUMNS, sum(parts.values()))}px auto }}"
        for number, (file, parts) in enumerate(
            zip(files(figure.images, figure.ends), figure.parts, strict=True)
        )
    )
    rendering = "pixelated" if figure.side < 64 else "auto"
    style = SHEETS.format(shown=zoom * figure.side, rendering=rendering, sprites=sprites)
    links = "".join(
        f'<a href="#s{number}">{html.escape(name.partition(":")[0])}</a> '
        for number, name in enumerate(figure.names)
    )
    several = len(figure.names) > 1 and all(":" in name for name in figure.names)
    nav = f"<nav>{links}</nav>\n" if several else ""
    body = "\n".join(_sections(figure, zoom))
    title = html.escape(figure.title)
    return document(figure.title, style, f"<h3>{title}</h3>\n{nav}<main>\n{body}\n</main>")


def _sections(figure: Sheets, zoom: int) -> Iterator[str]:
    captions, step = iter(figure.captions), zoom * pitch(figure.side)
    for number, (name, parts) in enumerate(zip(figure.names, figure.parts, strict=True)):
        tile, found = 0, []
        for part, count in parts.items():
            cells = []
            for _ in range(count):
                caption = html.escape(next(captions))
                place = f"-{step * (tile % COLUMNS)}px -{step * (tile // COLUMNS)}px"
                cells.append(
                    f'<figure title="{caption}"><i role="img" aria-label="{caption}" '
                    f'style="background-position:{place}"></i><figcaption>{caption}</figcaption></figure>'
                )
                tile += 1
            heading = f"<h5>{html.escape(part)}</h5>" if part else ""
            found.append(f'<div class="part">{heading}<div class="tiles">{"".join(cells)}</div></div>')
        heading = f"<h4>{html.escape(name)}</h4>"
        yield f'<section id="s{number}">{heading}<div class="parts">{"".join(found)}</div></section>'
