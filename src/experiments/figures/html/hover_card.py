"""What a map's page shows at the pointer: the image and the text of a point."""

import base64
from typing import TYPE_CHECKING, NamedTuple

from experiments.figures.html.markup import script
from experiments.figures.specs import Map
from experiments.figures.sprites import COLUMNS, files, pitch

if TYPE_CHECKING:
    from markupsafe import Markup

LEAST = 128  # pixels a side that an image is shown at


class Card(NamedTuple):
    """Sheets of images as base64, and what web/card.js knows of them."""

    sheets: list[str]
    settings: "Markup"


def card(figure: Map) -> Card:
    """Return the images of a map; each sheet is decoded when the pointer first needs it."""
    settings = {
        "texts": figure.hover,
        "side": figure.side,
        "pitch": pitch(figure.side),
        "per": figure.per if figure.ends else 0,
        "columns": COLUMNS,
        "shown": figure.side * max(1, round(LEAST / max(figure.side, 1))),
    }
    sheets = [base64.b64encode(file).decode() for file in files(figure.images, figure.ends)]
    return Card(sheets, script(settings))
