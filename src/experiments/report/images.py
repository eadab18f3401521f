"""The images that evaluators show, as markup that needs no script."""

import base64
import html
from collections.abc import Iterator

import numpy as np

from experiments.figures import Grid, Sheets, pack
from experiments.figures.sprites import COLUMNS, files, pitch

ROOM = 2_000_000  # bytes that a page has for them beside the images of the clusters

Pictured = Grid | Sheets


def as_sheets(figure: Pictured) -> Sheets:
    """Return a grid as one sheet, sheets as they are."""
    if isinstance(figure, Sheets):
        return figure
    packed, ends = pack([figure.images])
    count = len(figure.images)
    return Sheets(figure.title, [""], [{"": count}], figure.captions, packed, ends, figure.images.shape[1])


def fitting(pictures: dict[str, Pictured], room: int = ROOM) -> tuple[dict[str, Sheets], list[str]]:
    """Return those that a page has room for, the smallest first taken, and the names of the others."""
    sheets = {name: as_sheets(figure) for name, figure in pictures.items() if _shown(figure)}
    order = sorted(sheets, key=lambda name: len(sheets[name].images))
    room_left = dict(zip(order, room - np.cumsum([len(sheets[name].images) for name in order]), strict=True))
    kept = {name: sheet for name, sheet in sheets.items() if room_left[name] >= 0}
    return kept, [name for name in pictures if name not in kept]


def images(name: str, figure: Sheets) -> str:
    """Lay out the sheets below each other."""
    sheets = zip(figure.names, figure.parts, files(figure.images, figure.ends), strict=True)
    captions, found = iter(figure.captions), []
    for number, (heading, parts, file) in enumerate(sheets):
        place, count = f"images-{name}-{number}", sum(parts.values())
        wide = pitch(figure.side) / figure.side * min(COLUMNS, count)
        held = base64.b64encode(file).decode()
        size = f"calc(var(--size) * {wide:g}) auto"
        rule = f'[id="{place}"] i {{ background: url(data:image/jpeg;base64,{held}) 0 0 / {size} }}'
        tiles = "".join(_tiles(figure, count, captions))
        above = f"<h4>{html.escape(heading)}</h4>" if heading else ""
        found.append(f'<style>{rule}</style><div id="{place}">{above}<div class="tiles">{tiles}</div></div>')
    return f'<div class="images">{"".join(found)}</div>'


def _shown(figure: Pictured) -> bool:
    return len(figure.images) > 0


def _tiles(figure: Sheets, count: int, captions: Iterator[str]) -> Iterator[str]:
    step = pitch(figure.side) / figure.side
    for tile in range(count):
        across, down = (f"calc(var(--size) * {-at * step:g})" for at in (tile % COLUMNS, tile // COLUMNS))
        said = html.escape(next(captions))
        image = f'<i role="img" aria-label="{said}" style="background-position:{across} {down}"></i>'
        yield f'<figure title="{said}">{image}<figcaption>{said}</figcaption></figure>'
