"""The hover card of a map: image and text of the point below the pointer."""

import base64
from typing import TYPE_CHECKING, NamedTuple

from experiments.figures.html.markup import to_javascript
from experiments.figures.specs import Map
from experiments.figures.sprites import COLUMNS, jpegs, pitch

if TYPE_CHECKING:
    from markupsafe import Markup

MIN_SIDE = 128  # smallest side of a shown image in pixels


class HoverCard(NamedTuple):
    """Sprites of images as base64, and the settings of web/card.js."""

    sprites: list[str]
    settings: "Markup"


def hover_card(figure: Map) -> HoverCard:
    """Return the hover card of a map; the browser decodes each sprite on first use."""
    settings = {
        "texts": figure.hover,
        "side": figure.side,
        "pitch": pitch(figure.side),
        "per": figure.per if figure.ends else 0,
        "columns": COLUMNS,
        "shown": figure.side * max(1, round(MIN_SIDE / max(figure.side, 1))),
    }
    sprites = [base64.b64encode(jpeg).decode() for jpeg in jpegs(figure.images, figure.ends)]
    return HoverCard(sprites, to_javascript(settings))
