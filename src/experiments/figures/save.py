"""Write figures into a folder, each as an HTML page and, but for three dimensions, as a PNG."""

from collections.abc import Mapping
from pathlib import Path

from experiments.figures.draw import Drawing, has_png, save_png
from experiments.figures.page import html_page
from experiments.figures.specs import Figure


def save_figures(figures: Mapping[str, Figure], folder: Path) -> dict[str, Drawing]:
    """Write `<name>.html` and `<name>.png` of each figure, with folders in the name; return the PNGs."""
    drawings = {}
    for name, figure in figures.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f"{path.name}.html").write_text(html_page(figure), encoding="utf-8")
        if has_png(figure):
            drawings[name] = save_png(figure, path.with_name(f"{path.name}.png"))
    return drawings
