"""PNGs: of a sane size, higher where there are more names to read, and drawn without a screen."""

import subprocess
import sys
from dataclasses import fields, replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.figures.conftest import KIND_NAMES, make

from experiments.figures import (
    Bars,
    Contrasts,
    Dendrogram,
    Figure,
    Grid,
    Heatmap,
    Lines,
    Map,
    Panels,
    Scatter,
    Sheets,
    Silhouettes,
    Space,
    StackedBars,
    draw,
    pack,
)
from experiments.figures import style as looks
from experiments.figures.draw import drawn as images_drawn
from experiments.figures.draw import laid_out
from experiments.figures.kinds import kind_of, traces
from experiments.figures.png.canvas import DPI

NONE = np.empty(0, np.uint8)


def drawn(figure: Figure, folder: Path) -> np.ndarray:
    """Draw and read back: uint8 (height, width, 3)."""
    draw(figure, folder / "picture.png")
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")
    return np.asarray(Image.open(folder / "picture.png").convert("RGB"))


def test_a_picture_is_a_png_of_a_sane_size_that_is_not_blank_and_the_same_each_time(
    figure: Figure, tmp_path: Path
) -> None:
    pixels = drawn(figure, tmp_path)
    first = (tmp_path / "picture.png").read_bytes()
    across = 2 if isinstance(figure, Panels) else 1
    assert 200 <= pixels.shape[0] <= 1000
    assert 400 <= pixels.shape[1] / across <= 1300
    assert 0.01 < (pixels < 250).any(axis=2).mean() < 0.95
    draw(figure, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes() == first


def pixels(figure: Figure) -> tuple[float, float]:
    """Return width and height of the PNG of a figure that is not of several panels."""
    paste = kind_of(figure).paste
    if paste is not None:
        return paste(figure).image.size
    width, height = laid_out(figure).get_size_inches() * DPI
    return width, height


def test_a_png_has_the_pixels_of_its_inches(tmp_path: Path) -> None:
    bars = make("Bars", 30)
    width, height = laid_out(bars).get_size_inches() * DPI
    assert drawn(bars, tmp_path).shape == pytest.approx((height, width, 3), abs=1)


@pytest.mark.parametrize("kind", sorted({*KIND_NAMES} - {"Contrasts", "Panels"}))
def test_of_233_classes_each_name_has_its_room(kind: str) -> None:
    """Drawing by matplotlib takes most of the time, and changes no size.

    Contrasts are laid out as a heat map is, panels one by one.
    """
    width, height = pixels(make(kind, 233))
    if kind in ("Bars", "Dendrogram", "Heatmap", "StackedBars"):
        assert 233 * 13 < height < 233 * 18, "pixels a name; at 7 points a letter is 11 high"
    assert width < 6000
    assert height < 6000 or kind == "Grid", "five images a row were asked for"


def test_drawing_leaves_no_state_and_needs_no_screen(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from experiments.figures import Bars, draw;"
        f"draw(Bars('t', 'x', 'y', ['a'], [1]), Path({str(tmp_path / 'x.png')!r}));"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.strip() == "False"


@pytest.mark.parametrize(
    "figure",
    [
        Lines("", "x", "y", [], {}),
        Lines("one " * 60, "x", "y", [3], {"a": [0.5]}, log_x=True),
        Lines("names", "reducer", "y", [0, 1], {"a": [1, 2]}, ticks=["pca", "umap"]),
        Heatmap("", ["a"], ["b"], np.array([[np.nan]]), "v"),
        Dendrogram("one class", ["a"], np.empty((0, 4)), 0.5),
        Map(
            "all noise",
            "1",
            "2",
            np.zeros(2),
            np.ones(2),
            np.full(2, -1),
            ["", ""],
            ["a", "b"],
            NONE,
            [],
            0,
            1,
        ),
        Sheets("no sheet", [], [], [], NONE, [], 8),
        Sheets("one image", ["a"], [{"nearest": 1}], ["x"], *pack([np.zeros((1, 8, 8, 3), np.uint8)]), 8),
        StackedBars("one part", "x", "y", ["a"], ["other"], np.ones((1, 1))),
        Contrasts("all the same", ["a"], ["b"], np.zeros((1, 1)), "z"),
        Contrasts("nothing", ["a"], ["b"], np.full((1, 1), np.nan), "z"),
        Space(
            "one point",
            "1",
            "2",
            np.zeros(1),
            np.zeros(1),
            np.zeros(1, int),
            [""],
            ["a"],
            NONE,
            [],
            0,
            1,
            "3",
            np.zeros(1),
        ),
        Silhouettes("one of one", [0], [1], [1], np.zeros(1), 0.0),
    ],
)
def test_next_to_nothing_is_drawn_all_the_same(figure: Figure, tmp_path: Path) -> None:
    assert drawn(figure, tmp_path).size


NAMES = ["$10_$ prize", "_hidden", "$x$", "a" * 70]


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_names_with_dollars_are_no_mathematics(kind: str, tmp_path: Path) -> None:
    figure = make(kind, 4)
    changed: dict[str, object] = {"title": "$10_$ of $20^"}
    for f in fields(figure):
        value = getattr(figure, f.name)
        if f.name.endswith("_label"):
            changed[f.name] = "$10_$"
        elif f.name in ("names", "rows", "columns", "parts", "captions", "groups", "ticks", "beside"):
            changed[f.name] = _dollars(value)
        elif f.name in ("series", "marks"):
            changed[f.name] = {f"$10_$ {key}": entry for key, entry in value.items()}
    assert drawn(replace(figure, **changed), tmp_path).size  # type: ignore[arg-type]


def _dollars(value: object) -> object:
    if isinstance(value, str):
        return f"$10_$ {value}"
    if isinstance(value, dict):
        return {_dollars(key): entry for key, entry in value.items()}
    return [_dollars(entry) for entry in value] if isinstance(value, list) else value


def test_a_legend_names_all_and_shortens_what_is_long() -> None:
    """By itself matplotlib leaves out what begins with `_`."""
    points = np.arange(4.0)
    pictures = [
        Lines("", "", "", [1, 2], {name: [1.0, 2.0] for name in NAMES}),
        StackedBars("", "", "", ["a"], NAMES, np.full((1, 4), 0.25)),
        Scatter("", "", "", points, points, NAMES, NAMES),
    ]
    for picture in pictures:
        legend = laid_out(picture).axes[0].get_legend()
        texts = [text.get_text() for text in legend.get_texts()]
        assert sorted(texts) == sorted(
            [r"\$10_\$ prize", "\u200b_hidden", r"\$x\$", f"{'a' * 14}…{'a' * 15}"]
        )


@pytest.mark.filterwarnings("error:constrained_layout not applied")
def test_long_names_leave_the_bars_their_width() -> None:
    """In a legend, beside rows, and beside and below a heat map."""
    ones, many = np.ones((2, 2)), [letter * 200 for letter in "ab"]

    def size(figure: Figure) -> tuple[float, float]:
        """Return the inches of what is drawn in."""
        canvas = laid_out(figure)
        canvas.draw_without_rendering()
        box = canvas.axes[0].get_position()
        return box.width * canvas.get_figwidth(), box.height * canvas.get_figheight()

    assert size(StackedBars("", "", "", many, many, ones / 2))[0] > 3.5
    assert size(Bars("", "", "", many, [1, 2]))[0] > 3.5
    assert size(Lines("", "", "", [1, 2], {name: [1.0, 2.0] for name in many}))[0] > 3.5
    few = Heatmap("", ["a", "b"], ["a", "b"], ones, "v")
    assert size(replace(few, rows=many))[0] > 2 * 0.62, "what cells with numbers need"
    assert size(replace(few, columns=many))[1] > 2 * 0.4


def test_whole_numbers_are_told_whole() -> None:
    told = [looks.said(value) for value in (12345, 1_000_000.0, 0, -7, 0.123456, 12345.678, 1e20)]
    assert told == ["12,345", "1,000,000", "0", "-7", "0.1235", "12,346", "1e+20"]
    assert looks.said(float("nan")) == "nan"
    assert traces(Bars("", "", "", ["a"], [12345]))[0][0]["text"] == ["12,345"]


def test_a_cell_without_a_value_stays_empty() -> None:
    values = np.array([[0.5, np.nan, np.inf]])
    for kind in (Heatmap, Contrasts):
        canvas = laid_out(kind("", ["a"], list("bcd"), values, "v"))
        assert [float(text.get_text()) for text in canvas.axes[0].texts] == [0.5]


def test_ten_clusters_have_ten_colours() -> None:
    assert len(set(looks.GROUPED)) == 10


def test_of_too_many_clusters_for_a_legend_the_largest_are_numbered() -> None:
    for kind in ("Map", "Space"):
        figure = make(kind, 33)  # one of which is noise
        (axis,) = laid_out(figure).axes
        assert axis.get_legend() is None
        assert {text.get_text() for text in axis.texts} == {str(number) for number in range(32)}
        listed, *_ = laid_out(make(kind, 10)).axes
        assert not listed.texts


def test_an_interval_is_drawn_as_a_band_of_its_curves_colour(tmp_path: Path) -> None:
    line = Lines("Line", "x", "y", [1, 2], {"a": [0.5, 0.5]}, low={"a": [0.0, 0.25]}, high={"a": [1.0, 0.75]})
    plain, band = (drawn(one, tmp_path) for one in (replace(line, low={}, high={}), line))
    white = [(pixels > 250).all(axis=2).mean() for pixels in (plain, band)]
    assert white[1] < white[0] - 0.2, "half of the plane and more"


def test_a_tree_has_a_colour_a_group_below_the_cut() -> None:
    joins = np.array([[0, 1, 1.0, 2], [2, 3, 1.0, 2], [4, 5, 5.0, 4]])
    _, heights, colours, names = looks.branches(Dendrogram("", list("abcd"), joins, 2.0))
    assert sorted(names) == list("abcd")
    grey = [height.max() for height, colour in zip(heights, colours, strict=True) if colour == looks.GREY]
    assert grey == [5.0]
    assert len(set(colours)) == 3
    assert set(looks.branches(Dendrogram("", list("abcd"), joins, 6.0))[2]) == {looks.COLOURS[1]}


def test_noise_is_grey_and_below_and_clusters_have_colour_and_marker() -> None:
    clusters = np.tile([3, -1, 0, 7], 2)
    none = np.zeros(8)
    groups = list(looks.clusters(Map("", "", "", none, none, clusters, [], [], NONE, [], 0, 1)))
    assert [group[0] for group in groups] == [-1, 0, 3, 7]
    assert groups[0][2] == looks.NOISE
    assert len({group[2] for group in groups}) == 4
    assert looks.GREY not in {group[2] for group in groups}
    np.testing.assert_array_equal(groups[2][1], [0, 4])


def test_what_is_left_over_is_grey_and_a_label_of_that_name_is_not() -> None:
    figure = StackedBars("", "", "", ["a"], ["other", "b", "other"], np.ones((1, 3)) / 3)
    assert looks.stacked(figure) == [looks.STACKED[0], looks.STACKED[1], looks.NOISE]
    assert len(set(looks.STACKED) | {looks.NOISE}) == 14, "a dozen labels, one more and the rest"


def test_zero_is_white_and_both_sides_reach_equally_far(tmp_path: Path) -> None:
    figure = Contrasts("", ["a"], ["b", "c", "d"], np.array([[-1, 0, 3.0]]), "z")
    assert looks.reach(figure) == 3
    held = traces(figure)[0][0]
    assert (held["zmin"], held["zmax"]) == (-3, 3)
    assert held["colorscale"][2] == (0.5, "#ffffff")
    shown = drawn(figure, tmp_path).reshape(-1, 3)
    reds, blues = ((shown == colour).all(axis=1).sum() for colour in ([178, 24, 43], [33, 102, 172]))
    assert reds > 20 * blues, "3 has the last red, -1 not the last blue, which is on the scale alone"


def test_one_sheet_alone_has_its_images_in_rows(tmp_path: Path) -> None:
    images = np.zeros((30, 16, 16, 3), np.uint8)
    one = Sheets("Cluster", ["a"], [{"near": 26, "far": 4}], ["x"] * 30, *pack([images]), 16)
    height, width, _ = drawn(one, tmp_path).shape
    assert width < 1100, "a dozen a row"
    assert height > 300


def test_each_image_is_pasted_in_its_place() -> None:
    colours = np.array([[220, 20, 20], [20, 200, 20], [20, 20, 220], [200, 200, 20]], np.uint8)
    images = np.broadcast_to(colours[:, None, None], (4, 8, 8, 3))
    sheets = Sheets("Two", ["a", "b"], [{"": 3}, {"": 1}], list("wxyz"), *pack([images[:3], images[3:]]), 8)
    for figure in (sheets, Grid("Four", images, list("wxyz"), 3)):
        drawing = images_drawn(figure)
        shown = np.asarray(Image.open(BytesIO(drawing.png)).convert("RGB"), int)
        found = [np.argwhere(np.abs(shown - colour).max(axis=2) < 12) for colour in colours.astype(int)]
        assert min(map(len, found)) > 0.9 * 75**2
        places = [np.median(pixels, axis=0) for pixels in found]
        assert places[0][1] < places[1][1] < places[2][1]
        assert places[0][0] == places[2][0] < places[3][0]
        assert (shown[: drawing.top] < 100).any(), "the title"
        assert min(pixels[:, 0].min() for pixels in found) >= drawing.top


def test_profiles_are_as_high_as_clusters_are_large_and_never_too_low_for_a_name() -> None:
    figure = Silhouettes("", [0, 1], [999, 1], [2, 1], np.array([0.5, 0.1, 0]), 0.3)
    (top, bottom, values), (below, end, _) = looks.profiles(figure)
    assert bottom - top == pytest.approx(0.999 * looks.PROFILES)
    assert end - below == pytest.approx(looks.row_height(2))
    assert bottom < below
    np.testing.assert_array_equal(values, [0.5, 0.1])


def test_of_too_many_images_the_png_shows_the_first_of_each_part_and_says_so(tmp_path: Path) -> None:
    n = 250
    images = np.zeros((6, 16, 16, 3), np.uint8)
    packed, ends = pack([images] * n)
    names = [f"cluster {number}" for number in range(n)]
    many = Sheets("Clusters", names, [{"a": 3, "b": 3}] * n, ["x"] * 6 * n, packed, ends, 16)
    height, width, _ = drawn(many, tmp_path).shape
    assert max(height, width) < 5000
    assert (tmp_path / "picture.png").stat().st_size < 3_000_000
