"""HTML pages of figures: single files with all scripts and data."""

import base64
import gzip
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, replace
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.browser import DESKTOP, Tab
from tests.figures.conftest import KIND_NAMES, make

from experiments.figures import (
    Bars,
    Figure,
    Heatmap,
    Histogram,
    ImageGrid,
    ImageSheets,
    Lines,
    Map,
    Map3d,
    Panels,
    html_page,
    pack,
)
from experiments.figures.kinds import plotly_traces
from experiments.figures.style import ROW_LETTERS, shorten

pytestmark = pytest.mark.slow


def single_plot(text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return traces and layout of a page with one plot."""
    ((data, layout),) = plots(text)
    return data, layout


def plots(text: str) -> list[tuple[list[dict[str, Any]], dict[str, Any]]]:
    """Return traces and layout of each plot of a page."""
    start = text.index("plots = ") + len("plots = ")
    return json.JSONDecoder().raw_decode(text, start)[0]


def numbers(value: Any) -> list[float]:
    """Return every number in a nested value."""
    if isinstance(value, dict):
        return [number for entry in value.values() for number in numbers(entry)]
    if isinstance(value, (list, tuple, np.ndarray)):
        return [number for entry in value for number in numbers(entry)]
    return [float(value)] if isinstance(value, (int, float, np.number)) else []


def test_a_page_needs_no_network(figure: Figure) -> None:
    text = html_page(figure)
    assert "://" not in text
    assert not re.search(r"<script[^>]*\ssrc=|<link(?! rel=.icon. href=.data:,.>)|@import|fetch\(", text)
    assert figure.title in text
    assert (
        isinstance(figure, (ImageGrid, ImageSheets))
        or 'modeBarButtonsToRemove = ["sendChartToCloud"]' in text
    )
    assert len(text) < 2_100_000


def test_a_page_contains_plotly(figure: Figure) -> None:
    packed = re.search(r'id="packed">([^<]*)<', html_page(figure))
    if isinstance(figure, (ImageGrid, ImageSheets)):
        assert packed is None, "images need no script"
        return
    assert packed
    library = gzip.decompress(base64.b64decode(packed[1]))
    assert library == (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


def test_a_page_contains_all_data(figure: Figure) -> None:
    text = html_page(figure)
    for f in fields(figure):
        value = getattr(figure, f.name)
        if isinstance(value, list) and value and isinstance(value[0], str):
            assert all(json.dumps(entry)[1:-1] in text for entry in value), f.name
        elif f.name in ("x", "y", "z", "values", "shares", "series", "marks") and not isinstance(
            figure, Histogram
        ):
            wanted = np.array(numbers(value))
            shown_numbers = np.array(numbers(single_plot(text)))
            assert all(
                np.isclose(shown_numbers, number, rtol=1e-5).any() for number in wanted[~np.isnan(wanted)]
            )


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_no_name_is_read_as_html(kind: str) -> None:
    """No name and no title reaches plotly unescaped."""
    figure = make(kind, 4)
    if isinstance(figure, (ImageGrid, ImageSheets, Panels)):
        return
    marked = {f.name: _marked(getattr(figure, f.name)) for f in fields(figure) if f.name != "clusters"}
    data, layout = plotly_traces(replace(figure, **marked))
    assert not [text for text in _texts([data, layout]) if "<i>" in text]
    assert "&lt;i&gt;" in layout["title"]["text"]


def _marked(value: Any) -> Any:
    """Return a value with an HTML tag in each text."""
    if isinstance(value, str):
        return f"<i>{value}"
    if isinstance(value, dict):
        return {_marked(key): entry for key, entry in value.items()}
    return [_marked(entry) for entry in value] if isinstance(value, list) else value


def _texts(value: Any, key: str = "") -> Iterator[str]:
    """Yield every text in traces and layout that is shown."""
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from _texts(entry, name)
    elif isinstance(value, (list, tuple)):
        for entry in value:
            yield from _texts(entry, key)
    elif isinstance(value, str) and key != "legendgroup":
        yield value


def test_a_long_title_is_wrapped_next_to_the_buttons() -> None:
    title = "Mean of each column " * 8
    _, layout = plotly_traces(Heatmap(title, ["a"], ["b"], np.ones((1, 1)), "v"))
    lines = layout["title"]["text"].split("<br>")
    assert " ".join(lines) == title.strip()
    assert max(map(len, lines)) <= 55, "720 pixels, less those of the buttons"
    short_one = plotly_traces(Heatmap("Mean", ["a"], ["b"], np.ones((1, 1)), "v"))[1]
    assert layout["margin"]["t"] == short_one["margin"]["t"] + 22 * (len(lines) - 1)


def test_the_agreement_of_fifteen_jobs_fits_a_desktop() -> None:
    jobs = [f"seed={seed} k={k}" for seed in range(5) for k in (10, 50, 233)]
    _, layout = plotly_traces(Heatmap("Agreement", jobs, jobs, np.eye(len(jobs)), "adjusted Rand index"))
    assert layout["width"] <= DESKTOP["width"]


def test_a_3d_map_is_wholly_visible_whichever_side_is_long() -> None:
    space = make("Map3d", 10)
    assert isinstance(space, Map3d)
    scene = plotly_traces(replace(space, x=space.x * 100))[1]["scene"]
    assert scene["aspectmode"] == "manual"
    assert list(scene["aspectratio"].values()) == [1, 0.05, 0.05]
    assert min(scene["camera"]["eye"].values()) > 0.5, "outside of a box of sides up to 1"
    assert scene["xaxis"]["nticks"] > scene["yaxis"]["nticks"]


def test_panels_share_one_page_and_one_library() -> None:
    lines, bars = Lines("One", "k", "", [1, 2], {"a": [3.5, 4.5]}), Bars("Other", "", "", ["b"], [7.25])
    text = html_page(Panels("Both", [lines, bars]))
    assert [layout["title"]["text"] for _, layout in plots(text)] == ["One", "Other"]
    assert text.count('id="packed"') == 1


def test_a_histogram_counts_values() -> None:
    (bars,), _ = plotly_traces(Histogram("", "pixels", [1, 1, 2, 9.5], 3))
    assert bars["y"] == [3, 0, 1]
    assert bars["hovertext"][0] == "1 to 3.83333"


def test_a_grid_shows_its_images(figure: Figure) -> None:
    if isinstance(figure, ImageGrid):
        shown = re.findall(r'base64,([^"]*)"', html_page(figure))
        read = [np.asarray(Image.open(BytesIO(base64.b64decode(image)))) for image in shown]
        np.testing.assert_array_equal(read, figure.images)


@pytest.mark.parametrize(
    "kind", ["Bars", "Dendrogram", "Heatmap", "DivergingHeatmap", "StackedBars", "Silhouettes"]
)
def test_each_of_233_names_has_room(kind: str) -> None:
    _, layout = plotly_traces(make(kind, 233))
    assert len(layout["yaxis"]["tickvals"]) == 233
    assert layout["height"] >= 233 * layout["yaxis"]["tickfont"]["size"]


def test_a_name_cannot_end_the_script() -> None:
    name = "</script><script>alert(1)</script>"
    text = html_page(Bars(name, "class", "images", [name], [1]))
    assert text.count("</script>") == 2
    (label,) = single_plot(text)[1]["yaxis"]["ticktext"]
    assert html.unescape(label) == name != label


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Open figures in a browser; fail on errors of a page."""
    tabs = []

    def open_(figure: Figure, **settings: Any) -> Any:
        (tmp_path / "page.html").write_text(html_page(figure), encoding="utf-8")
        tabs.append(Tab(chromium, tmp_path / "page.html", **settings))
        tabs[-1].page.wait_for_selector("#figure .main-svg, section", state="attached")
        return tabs[-1].page

    yield open_
    for tab in tabs:
        tab.close()


@pytest.mark.browser
def test_a_browser_draws_the_page(opened: Callable[..., Any]) -> None:
    shown = opened(Bars("Sizes", "class", "images", ["airplanes"], [800]))
    name = shown.locator("svg.main-svg text", has_text="airplanes")
    name.wait_for()
    box, view = name.bounding_box(), shown.viewport_size
    assert 0 <= box["x"] < box["x"] + box["width"] <= view["width"], "the whole name is on the page"


MARKED = "<b>R&D</b> &amp;"  # a name that plotly would read as HTML


@pytest.mark.browser
def test_a_browser_shows_names_unchanged_and_nothing_for_missing_values(
    opened: Callable[..., Any],
) -> None:
    values = np.array([[0.25, np.nan]])
    shown = opened(Heatmap(f"Of {MARKED}", [MARKED], ["a", f"{MARKED} {'b' * 40}"], values, "share"))
    shown.locator("svg.main-svg text", has_text="0.250").wait_for()
    texts = shown.locator("svg.main-svg text").all_text_contents()
    assert {MARKED, f"Of {MARKED}"} <= set(texts)
    assert not {"NaN", "nan", "undefined", "null"} & set(texts)
    assert [text for text in texts if "…" in text] == [shorten(f"{MARKED} {'b' * 40}", ROW_LETTERS)]


@pytest.mark.browser
def test_a_long_name_is_shortened_in_the_legend_and_complete_on_hover(opened: Callable[..., Any]) -> None:
    name = f"{MARKED} {'long ' * 12}end"
    shown = opened(Lines("Line", "x", "y", [1, 2], {name: [3.5, 4.5], "b": [1, 2]}))
    shown.locator(".legendtext", has_text="…").wait_for()
    assert shown.locator(".legendtext").all_text_contents() == [f"{MARKED[:14]}…g long long end", "b"]
    shown.evaluate("() => Plotly.Fx.hover('figure', [{ curveNumber: 0, pointNumber: 1 }])")
    shown.locator(".hoverlayer text", has_text=name).wait_for()


@pytest.mark.browser
def test_a_browser_draws_panels_in_order(opened: Callable[..., Any]) -> None:
    lines, bars = Lines("One", "k", "", [1, 2], {"a": [3.5, 4.5]}), Bars("Other", "", "", ["b"], [7.25])
    shown = opened(Panels("Both", [lines, bars]))
    titles = [shown.locator("svg.main-svg text", has_text=name) for name in ("One", "Other")]
    first, second = (title.bounding_box() for title in titles)
    assert first["y"] < second["y"]


POINT = """const figure = document.getElementById("figure"), where = { clientX: 70, clientY: 80 };
figure.dispatchEvent(new PointerEvent("pointermove", where));
figure.emit("plotly_hover", { points: [{ customdata: 5 }], %s });"""
DRAWN = """const paper = document.querySelector("#card canvas").getContext("2d");
const pixel = paper.getImageData(64, 64, 1, 1).data;
return pixel[3] ? Array.from(pixel).slice(0, 3) : null;"""


def pointed(shown: Any, event: str = "") -> tuple[str, np.ndarray]:
    """Point at row 5; return text and image colour of the hover card."""
    shown.evaluate(f"() => {{ {POINT % event} }}")
    colour = shown.wait_for_function(f"() => {{ {DRAWN} }}").json_value()
    assert shown.locator("#card").is_visible()
    return shown.locator("#card div").inner_text(), np.array(colour)


@pytest.mark.browser
def test_a_map_shows_image_and_text_of_the_point_below_the_pointer(opened: Callable[..., Any]) -> None:
    images = np.zeros((6, 16, 16, 3), np.uint8)
    images[5] = [200, 40, 60]
    hover = [f"image {row}\nlabel <b>{row}" for row in range(6)]
    x = np.arange(6.0)
    sheets = pack([images[:4], images[4:]])
    figure = Map("Map", "1", "2", x, x, np.array([-1, 0, 0, 1, 1, 1]), hover, [], *sheets, 16, 4)
    text, colour = pointed(opened(figure), "event: where")
    assert text == "image 5\nlabel <b>5"
    assert np.abs(colour - images[5, 0, 0]).max() < 8


@pytest.mark.browser
def test_the_hover_card_of_a_3d_map_is_at_the_pointer(opened: Callable[..., Any]) -> None:
    """Plotly's event has no pointer position there."""
    images = np.zeros((6, 16, 16, 3), np.uint8)
    images[5] = [200, 40, 60]
    x, hover, clusters = np.arange(6.0), [f"image {row}" for row in range(6)], np.arange(6) // 2
    figure = Map3d("Map3d", "1", "2", x, x, clusters, hover, [], *pack([images]), 16, 6, "3", x % 2)
    shown = opened(figure)
    text, colour = pointed(shown)
    assert text == "image 5"
    assert np.abs(colour - images[5, 0, 0]).max() < 8
    card = shown.locator("#card").bounding_box()
    assert (card["x"], card["y"]) == (70 + 16, 80 + 16)


@pytest.mark.browser
def test_sheets_show_images_in_order(opened: Callable[..., Any]) -> None:
    colours = np.array([[220, 20, 20], [20, 200, 20], [20, 20, 220], [200, 200, 20]], np.uint8)
    images = np.broadcast_to(colours[:, None, None], (4, 12, 12, 3))
    figure = ImageSheets(
        "Two", ["a", "b"], [{"": 3}, {"": 1}], list("wxyz"), *pack([images[:3], images[3:]]), 12
    )
    shown = opened(figure, viewport={"width": 900, "height": 500})
    shot = np.asarray(Image.open(BytesIO(shown.screenshot())).convert("RGB")).astype(int)
    centres = []
    for colour in colours:
        positions = np.argwhere(np.abs(shot - colour).max(axis=2) < 12)
        assert 0.9 * 96**2 < len(positions) < 1.1 * 96**2, "a tile of 96 x 96 pixels, none of its neighbours"
        centres.append(np.median(positions, axis=0))
    assert centres[0][1] < centres[1][1] < centres[2][1]
    assert abs(centres[0][0] - centres[2][0]) < 2


def test_an_interval_is_a_band_in_the_legend_group_of_its_curve() -> None:
    line = Lines("Line", "x", "y", [1, 2, 3], {"a": [5, 5, 5], "b": [1, 1, 1]})
    data, _ = plotly_traces(replace(line, low={"a": [4, float("nan"), 3]}, high={"a": [6, float("nan"), 7]}))
    band, a, b = data
    assert (a["name"], b["name"]) == ("a", "b")
    assert band["legendgroup"] == a["legendgroup"] != b["legendgroup"]
    assert (list(band["x"]), list(band["y"])) == ([1, 3, 3, 1], [6, 7, 3, 4])
    assert not band["showlegend"]


def test_a_constant_curve_has_an_axis_from_zero() -> None:
    _, layout = plotly_traces(Lines("Learning rate", "epoch", "", [1.0, 2.0], {"rate": [5e-4, 5e-4]}))
    assert layout["yaxis"]["range"] == [0, 1e-3]
    _, layout = plotly_traces(Lines("Loss", "epoch", "", [1.0, 2.0], {"loss": [2.0, 1.0]}))
    assert "range" not in layout["yaxis"]
