"""Write a picture into a folder: once for a browser, once for paper."""

from collections.abc import Mapping
from pathlib import Path

from experiments.figures.draw import Drawing, draw
from experiments.figures.page import page
from experiments.figures.specs import Figure


def write(figures: Mapping[str, Figure], folder: Path) -> dict[str, Drawing]:
    """Write `<name>.html` and `<name>.png` of each, whose name may have a folder; return what was drawn."""
    drawings = {}
    for name, figure in figures.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.html").write_text(page(figure), encoding="utf-8")
        drawings[name] = draw(figure, path.with_name(f"{path.name}.png"))
    return drawings
