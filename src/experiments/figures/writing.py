"""Write a picture into a folder: once for a browser, once for paper."""

from collections.abc import Mapping
from pathlib import Path

from experiments.figures.draw import draw
from experiments.figures.page import page
from experiments.figures.specs import Figure


def write(figures: Mapping[str, Figure], folder: Path) -> None:
    """Leave `<name>.html` and `<name>.png` of each in `folder`; a name may have a folder of its own in it."""
    for name, figure in figures.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.with_name(f"{place.name}.html").write_text(page(figure), encoding="utf-8")
        draw(figure, place.with_name(f"{place.name}.png"))
