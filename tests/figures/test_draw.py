"""PNGs: their size, their content, and room for all names."""

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
    Dendrogram,
    DivergingHeatmap,
    Figure,
    Heatmap,
    ImageGrid,
    ImageSheets,
    Lines,
    Map,
    Panels,
    Scatter,
    Silhouettes,
    StackedBars,
    draw_png,
    pack,
    save_figures,
    save_png,
    style,
)
from experiments.figures.draw import draw_canvas
from experiments.figures.kinds import kind_of, plotly_traces
from experiments.figures.png.canvas import DPI

pytestmark = pytest.mark.slow

NONE = np.empty(0, np.uint8)
DRAWN = [kind for kind in KIND_NAMES if kind != "Map3d"]


def pixels_of(figure: Figure, folder: Path) -> np.ndarray:
    """Return the pixels of a figure's PNG, uint8 (height, width, 3)."""
    save_png(figure, folder / "picture.png")
    assert (folder / "picture.png").read_bytes().startswith(b"\x89PNG")
    return np.asarray(Image.open(folder / "picture.png").convert("RGB"))


@pytest.mark.parametrize("kind", DRAWN)
def test_a_png_has_a_sane_size_is_not_blank_and_is_deterministic(kind: str, tmp_path: Path) -> None:
    figure = make(kind, 5)
    pixels = pixels_of(figure, tmp_path)
    first = (tmp_path / "picture.png").read_bytes()
    across = 2 if isinstance(figure, Panels) else 1
    assert 200 <= pixels.shape[0] <= 1000
    assert 400 <= pixels.shape[1] / across <= 1300
    assert 0.01 < (pixels < 250).any(axis=2).mean() < 0.95
    save_png(figure, tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes() == first


def size_of(figure: Figure) -> tuple[float, float]:
    """Return width and height of a figure's PNG; not for panels."""
    paste = kind_of(figure).paste
    if paste is not None:
        return paste(figure).image.size
    width, height = draw_canvas(figure).get_size_inches() * DPI
    return width, height


def test_the_size_of_a_png_follows_from_its_inches(tmp_path: Path) -> None:
    bars = make("Bars", 30)
    width, height = draw_canvas(bars).get_size_inches() * DPI
    assert pixels_of(bars, tmp_path).shape == pytest.approx((height, width, 3), abs=1)


@pytest.mark.parametrize("kind", sorted({*DRAWN} - {"DivergingHeatmap", "Panels"}))
def test_each_of_233_names_has_room(kind: str) -> None:
    """The layout is enough, as drawing takes most of the time and changes no size.

    A DivergingHeatmap has the layout of a Heatmap; panels are laid out one by one.
    """
    width, height = size_of(make(kind, 233))
    if kind in ("Bars", "Dendrogram", "Heatmap", "StackedBars"):
        assert 233 * 13 < height < 233 * 18, "pixels a name; at 7 points a letter is 11 high"
    assert width < 6000
    assert height < 6000 or kind == "ImageGrid", "the grid has five columns"


def test_drawing_leaves_no_state_and_needs_no_screen(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from experiments.figures import Bars, save_png;"
        f"save_png(Bars('t', 'x', 'y', ['a'], [1]), Path({str(tmp_path / 'x.png')!r}));"
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
        ImageSheets("no sheet", [], [], [], NONE, [], 8),
        ImageSheets(
            "one image", ["a"], [{"nearest": 1}], ["x"], *pack([np.zeros((1, 8, 8, 3), np.uint8)]), 8
        ),
        StackedBars("one part", "x", "y", ["a"], ["other"], np.ones((1, 1))),
        DivergingHeatmap("all the same", ["a"], ["b"], np.zeros((1, 1)), "z"),
        DivergingHeatmap("nothing", ["a"], ["b"], np.full((1, 1), np.nan), "z"),
        Silhouettes("one of one", [0], [1], [1], np.zeros(1), 0.0),
    ],
)
def test_nearly_empty_figures_are_drawn(figure: Figure, tmp_path: Path) -> None:
    assert pixels_of(figure, tmp_path).size


NAMES = ["$10_$ prize", "_hidden", "$x$", "a" * 70]


@pytest.mark.parametrize("kind", DRAWN)
def test_dollars_in_names_are_shown(kind: str, tmp_path: Path) -> None:
    figure = make(kind, 4)
    changed: dict[str, object] = {"title": "$10_$ of $20^"}
    for f in fields(figure):
        value = getattr(figure, f.name)
        if f.name.endswith("_label"):
            changed[f.name] = "$10_$"
        elif isinstance(value, list):
            changed[f.name] = _dollars(value)
        elif f.name in ("series", "marks"):
            changed[f.name] = {f"$10_$ {key}": entry for key, entry in value.items()}
    assert pixels_of(replace(figure, **changed), tmp_path).size  # type: ignore[arg-type]


def _dollars(value: object) -> object:
    if isinstance(value, str):
        return f"$10_$ {value}"
    if isinstance(value, dict):
        return {_dollars(key): entry for key, entry in value.items()}
    return [_dollars(entry) for entry in value] if isinstance(value, list) else value


def test_a_legend_has_all_names_and_shortens_long_ones() -> None:
    """Matplotlib's legends skip names that start with `_`, unless they are escaped."""
    points = np.arange(4.0)
    pictures = [
        Lines("", "", "", [1, 2], {name: [1.0, 2.0] for name in NAMES}),
        StackedBars("", "", "", ["a"], NAMES, np.full((1, 4), 0.25)),
        Scatter("", "", "", points, points, NAMES, NAMES),
    ]
    for picture in pictures:
        legend = draw_canvas(picture).axes[0].get_legend()
        texts = [text.get_text() for text in legend.get_texts()]
        assert sorted(texts) == sorted(
            [r"\$10_\$ prize", "\u200b_hidden", r"\$x\$", f"{'a' * 14}…{'a' * 15}"]
        )


@pytest.mark.filterwarnings("error:constrained_layout not applied")
def test_long_names_leave_the_bars_their_width() -> None:
    """Long names in legends, in row labels, and on both axes of a heat map."""
    ones, many = np.ones((2, 2)), [letter * 200 for letter in "ab"]

    def size(figure: Figure) -> tuple[float, float]:
        """Return width and height of the axis in inches."""
        canvas = draw_canvas(figure)
        canvas.draw_without_rendering()
        box = canvas.axes[0].get_position()
        return box.width * canvas.get_figwidth(), box.height * canvas.get_figheight()

    assert size(StackedBars("", "", "", many, many, ones / 2))[0] > 3.5
    assert size(Bars("", "", "", many, [1, 2]))[0] > 3.5
    assert size(Lines("", "", "", [1, 2], {name: [1.0, 2.0] for name in many}))[0] > 3.5
    few = Heatmap("", ["a", "b"], ["a", "b"], ones, "v")
    assert size(replace(few, rows=many))[0] > 2 * 0.62, "the width of annotated cells"
    assert size(replace(few, columns=many))[1] > 2 * 0.4


def test_whole_numbers_have_no_decimals() -> None:
    texts = [style.format_value(value) for value in (12345, 1_000_000.0, 0, -7, 0.123456, 12345.678, 1e20)]
    assert texts == ["12,345", "1,000,000", "0", "-7", "0.1235", "12,346", "1e+20"]
    assert style.format_value(float("nan")) == "nan"
    assert plotly_traces(Bars("", "", "", ["a"], [12345]))[0][0]["text"] == ["12,345"]


def test_a_cell_without_a_value_stays_empty() -> None:
    values = np.array([[0.5, np.nan, np.inf]])
    for kind in (Heatmap, DivergingHeatmap):
        canvas = draw_canvas(kind("", ["a"], list("bcd"), values, "v"))
        assert [float(text.get_text()) for text in canvas.axes[0].texts] == [0.5]


def test_ten_clusters_have_ten_colours() -> None:
    assert len(set(style.GROUPED)) == 10


def test_too_many_clusters_for_a_legend_have_their_numbers_in_the_plot() -> None:
    (axis,) = draw_canvas(make("Map", 33)).axes  # one of which is noise
    assert axis.get_legend() is None
    assert {text.get_text() for text in axis.texts} == {str(number) for number in range(32)}
    listed, *_ = draw_canvas(make("Map", 10)).axes
    assert not listed.texts


def test_an_interval_is_drawn_as_a_band_of_its_curves_colour(tmp_path: Path) -> None:
    line = Lines("Line", "x", "y", [1, 2], {"a": [0.5, 0.5]}, low={"a": [0.0, 0.25]}, high={"a": [1.0, 0.75]})
    plain, band = (pixels_of(figure, tmp_path) for figure in (replace(line, low={}, high={}), line))
    white = [(pixels > 250).all(axis=2).mean() for pixels in (plain, band)]
    assert white[1] < white[0] - 0.2, "half of the plane and more"


def test_a_tree_has_a_colour_per_group_below_the_cut() -> None:
    joins = np.array([[0, 1, 1.0, 2], [2, 3, 1.0, 2], [4, 5, 5.0, 4]])
    _, heights, colours, names = style.tree_layout(Dendrogram("", list("abcd"), joins, 2.0))
    assert sorted(names) == list("abcd")
    grey = [height.max() for height, colour in zip(heights, colours, strict=True) if colour == style.GREY]
    assert grey == [5.0]
    assert len(set(colours)) == 3
    assert set(style.tree_layout(Dendrogram("", list("abcd"), joins, 6.0))[2]) == {style.COLOURS[1]}


def test_noise_is_grey_and_drawn_first_and_clusters_have_colours() -> None:
    clusters = np.tile([3, -1, 0, 7], 2)
    none = np.zeros(8)
    groups = list(style.cluster_styles(Map("", "", "", none, none, clusters, [], [], NONE, [], 0, 1)))
    assert [group[0] for group in groups] == [-1, 0, 3, 7]
    assert groups[0][2] == style.NOISE
    assert len({group[2] for group in groups}) == 4
    assert style.GREY not in {group[2] for group in groups}
    np.testing.assert_array_equal(groups[2][1], [0, 4])


def test_the_remainder_is_grey_and_a_label_named_other_is_not() -> None:
    figure = StackedBars("", "", "", ["a"], ["other", "b", "other"], np.ones((1, 3)) / 3)
    assert style.part_colours(figure) == [style.STACKED[0], style.STACKED[1], style.NOISE]
    assert len(set(style.STACKED) | {style.NOISE}) == 14, "a dozen labels, one more and the rest"


def test_a_diverging_scale_is_white_at_zero_and_symmetric(tmp_path: Path) -> None:
    figure = DivergingHeatmap("", ["a"], ["b", "c", "d"], np.array([[-1, 0, 3.0]]), "z")
    assert style.max_abs(figure) == 3
    trace = plotly_traces(figure)[0][0]
    assert (trace["zmin"], trace["zmax"]) == (-3, 3)
    assert trace["colorscale"][2] == (0.5, "#ffffff")
    shown = pixels_of(figure, tmp_path).reshape(-1, 3)
    reds, blues = ((shown == colour).all(axis=1).sum() for colour in ([178, 24, 43], [33, 102, 172]))
    assert reds > 20 * blues, "3 has the last red, -1 not the last blue, which is on the scale alone"


def test_a_single_sheet_has_its_images_in_rows(tmp_path: Path) -> None:
    images = np.zeros((30, 16, 16, 3), np.uint8)
    sheets = ImageSheets("Cluster", ["a"], [{"near": 26, "far": 4}], ["x"] * 30, *pack([images]), 16)
    height, width, _ = pixels_of(sheets, tmp_path).shape
    assert width < 1100, "a dozen a row"
    assert height > 300


def test_images_are_pasted_in_order() -> None:
    colours = np.array([[220, 20, 20], [20, 200, 20], [20, 20, 220], [200, 200, 20]], np.uint8)
    images = np.broadcast_to(colours[:, None, None], (4, 8, 8, 3))
    sheets = ImageSheets(
        "Two", ["a", "b"], [{"": 3}, {"": 1}], list("wxyz"), *pack([images[:3], images[3:]]), 8
    )
    for figure in (sheets, ImageGrid("Four", images, list("wxyz"), 3)):
        drawing = draw_png(figure)
        shown = np.asarray(Image.open(BytesIO(drawing.png)).convert("RGB"), int)
        positions_of = [
            np.argwhere(np.abs(shown - colour).max(axis=2) < 12) for colour in colours.astype(int)
        ]
        assert min(map(len, positions_of)) > 0.9 * 75**2
        centres = [np.median(pixels, axis=0) for pixels in positions_of]
        assert centres[0][1] < centres[1][1] < centres[2][1]
        assert centres[0][0] == centres[2][0] < centres[3][0]
        assert (shown[: drawing.title_height] < 100).any(), "the title"
        assert min(pixels[:, 0].min() for pixels in positions_of) >= drawing.title_height


def test_profile_heights_follow_cluster_sizes_but_have_room_for_a_name() -> None:
    figure = Silhouettes("", [0, 1], [999, 1], [2, 1], np.array([0.5, 0.1, 0]), 0.3)
    (top, bottom, values), (below, end, _) = style.profiles(figure)
    assert bottom - top == pytest.approx(0.999 * style.PROFILES_HEIGHT)
    assert end - below == pytest.approx(style.row_height(2))
    assert bottom < below
    np.testing.assert_array_equal(values, [0.5, 0.1])


def test_a_png_of_too_many_images_shows_the_first_of_each_part(tmp_path: Path) -> None:
    n = 250
    images = np.zeros((6, 16, 16, 3), np.uint8)
    packed, ends = pack([images] * n)
    names = [f"cluster {number}" for number in range(n)]
    many = ImageSheets("Clusters", names, [{"a": 3, "b": 3}] * n, ["x"] * 6 * n, packed, ends, 16)
    height, width, _ = pixels_of(many, tmp_path).shape
    assert max(height, width) < 5000
    assert (tmp_path / "picture.png").stat().st_size < 3_000_000


def test_a_map_in_three_dimensions_has_a_page_alone(tmp_path: Path) -> None:
    figures = {"flat": make("Map", 5), "space": make("Map3d", 5)}
    assert set(save_figures(figures, tmp_path)) == {"flat"}
    assert {path.name for path in tmp_path.iterdir()} == {"flat.html", "flat.png", "space.html"}
