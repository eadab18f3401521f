"""PNGs: of a sane size, higher where there are more names to read, and drawn without a screen."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from experiments.figures import Dendrogram, Heatmap, Lines, draw, looks
from experiments.types import Figure


def drawn(figure: Figure, folder: Path) -> np.ndarray:
    """Draw and read back: uint8 (height, width, 3)."""
    draw(figure, folder / "picture.png")
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")
    return np.asarray(Image.open(folder / "picture.png").convert("RGB"))


def test_a_picture_is_a_png_of_a_sane_size_that_is_not_blank(figure: Figure, tmp_path: Path) -> None:
    pixels = drawn(figure, tmp_path)
    assert 250 <= pixels.shape[0] <= 1000
    assert 400 <= pixels.shape[1] <= 1300
    assert 0.01 < (pixels < 250).any(axis=2).mean() < 0.95


def test_of_233_classes_each_name_has_its_room(kind: str, many: Figure, tmp_path: Path) -> None:
    height, width, _ = drawn(many, tmp_path).shape
    if kind in ("Bars", "Dendrogram", "Heatmap"):
        assert 233 * 13 < height < 233 * 18, "pixels a name; at 7 points a letter is 11 high"
    assert width < 6000
    assert height < 6000 or kind == "Grid", "five images a row were asked for"


def test_a_picture_is_the_same_each_time(figure: Figure, tmp_path: Path) -> None:
    np.testing.assert_array_equal(drawn(figure, tmp_path), drawn(figure, tmp_path))


def test_drawing_leaves_no_state_and_needs_no_screen(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from experiments.figures import Bars, draw;"
        f"draw(Bars('t', 'x', 'y', ['a'], [1]), Path({str(tmp_path / 'x.png')!r}));"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "figure",
    [
        Lines("", "x", "y", [], {}),
        Lines("one " * 60, "x", "y", [3], {"a": [0.5]}, log_x=True),
        Lines("names", "reducer", "y", [0, 1], {"a": [1, 2]}, ticks=["pca", "umap"]),
        Heatmap("", ["a"], ["b"], np.array([[np.nan]]), "v"),
        Dendrogram("one class", ["a"], np.empty((0, 4)), 0.5),
    ],
)
def test_next_to_nothing_is_drawn_all_the_same(figure: Figure, tmp_path: Path) -> None:
    assert drawn(figure, tmp_path).size


def test_a_tree_has_a_colour_a_group_below_the_cut() -> None:
    joins = np.array([[0, 1, 1.0, 2], [2, 3, 1.0, 2], [4, 5, 5.0, 4]])
    _, heights, colours, names = looks.branches(Dendrogram("", list("abcd"), joins, 2.0))
    assert sorted(names) == list("abcd")
    grey = [height.max() for height, colour in zip(heights, colours, strict=True) if colour == looks.GREY]
    assert grey == [5.0]
    assert len(set(colours)) == 3
    assert set(looks.branches(Dendrogram("", list("abcd"), joins, 6.0))[2]) == {looks.COLOURS[1]}
