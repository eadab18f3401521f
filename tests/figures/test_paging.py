"""Pages: one file that holds its script and all its data, and asks no network."""

import base64
import gzip
import json
import re
import shutil
import subprocess
from dataclasses import fields, replace
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.figures import Bars, Grid, Histogram, Lines, Map, Sheets, pack, page
from experiments.figures.traces import traces
from experiments.kept import Figure

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def plotted(text: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Read traces and layout back from a page."""
    decoder = json.JSONDecoder()
    start = text.index("newPlot(place, ") + len("newPlot(place, ")
    data, end = decoder.raw_decode(text, start)
    return data, decoder.raw_decode(text, end + 2)[0]


def numbers(value: Any) -> list[float]:
    """Return every number in a nested value."""
    if isinstance(value, dict):
        return [number for entry in value.values() for number in numbers(entry)]
    if isinstance(value, (list, tuple, np.ndarray)):
        return [number for entry in value for number in numbers(entry)]
    return [float(value)] if isinstance(value, (int, float, np.number)) else []


def test_a_page_asks_no_network(figure: Figure) -> None:
    text = page(figure)
    assert "://" not in text
    assert not re.search(r"<script[^>]*\ssrc=|<link|@import|fetch\(", text)
    assert figure.title in text
    assert isinstance(figure, (Grid, Sheets)) or 'modeBarButtonsToRemove = ["sendChartToCloud"]' in text
    assert len(text) < 2_100_000


def test_a_page_holds_the_whole_of_plotly(figure: Figure) -> None:
    packed = re.search(r'id="packed">([^<]*)<', page(figure))
    if isinstance(figure, (Grid, Sheets)):
        assert packed is None, "images need no script"
        return
    assert packed
    library = gzip.decompress(base64.b64decode(packed[1]))
    assert library == (files("plotly") / "package_data" / "plotly.min.js").read_bytes()


def test_a_page_holds_all_its_data(figure: Figure) -> None:
    text = page(figure)
    for f in fields(figure):
        value = getattr(figure, f.name)
        if isinstance(value, list) and value and isinstance(value[0], str):
            assert all(json.dumps(entry)[1:-1] in text for entry in value), f.name
        elif f.name in ("x", "y", "values", "series", "marks") and not isinstance(figure, Histogram):
            wanted = np.array(numbers(value))
            held = np.array(numbers(plotted(text)))
            assert all(np.isclose(held, number, rtol=1e-5).any() for number in wanted[~np.isnan(wanted)])


def test_a_histogram_counts_what_it_is_given() -> None:
    (bars,), _ = traces(Histogram("", "pixels", [1, 1, 2, 9.5], 3))
    assert bars["y"] == [3, 0, 1]
    assert bars["hovertext"][0] == "1 to 3.83333"


def test_a_grid_shows_its_images(figure: Figure) -> None:
    if isinstance(figure, Grid):
        shown = re.findall(r'base64,([^"]*)"', page(figure))
        read = [np.asarray(Image.open(BytesIO(base64.b64decode(one)))) for one in shown]
        np.testing.assert_array_equal(read, figure.images)


def test_of_233_classes_each_name_has_its_room(kind: str, many: Figure) -> None:
    if kind in ("Bars", "Dendrogram", "Heatmap", "Silhouettes"):
        _, layout = traces(many)
        assert len(layout["yaxis"]["tickvals"]) == 233
        assert layout["height"] >= 233 * layout["yaxis"]["tickfont"]["size"]


def test_a_name_cannot_end_the_script() -> None:
    name = "</script><script>alert(1)</script>"
    text = page(Bars(name, "class", "images", [name], [1]))
    assert text.count("</script>") == 2
    assert plotted(text)[1]["yaxis"]["ticktext"] == [name]


def opened(text: str, folder: Path, *flags: str) -> str:
    """Open a page in a browser; return what it became, and fail if the page complained."""
    (folder / "page.html").write_text(text)
    always = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=9000"]
    always += ["--enable-logging=stderr", "--hide-scrollbars", f"--user-data-dir={folder / 'profile'}"]
    where = (folder / "page.html").as_uri()
    done = subprocess.run(
        [str(CHROMIUM), *always, *flags, where], capture_output=True, text=True, timeout=120
    )
    assert ":CONSOLE" not in done.stderr, done.stderr
    return done.stdout


in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the page with")


@pytest.mark.process
@in_a_browser
def test_a_browser_draws_the_page(tmp_path: Path) -> None:
    text = opened(page(Bars("Sizes", "class", "images", ["airplanes"], [800])), tmp_path, "--dump-dom")
    assert re.search(r'<svg class="main-svg".*>airplanes</text>', text, re.S)


ASK = """<script type="module">
while (!document.querySelector("#figure .main-svg")) await new Promise(go => setTimeout(go, 50));
await new Promise(go => setTimeout(go, 500));
const event = { clientX: 50, clientY: 50 };
document.getElementById("figure").emit("plotly_hover", { points: [{ customdata: 5 }], event });
const canvas = document.querySelector("#card canvas");
const drawn = () => canvas.getContext("2d", { willReadFrequently: true }).getImageData(64, 64, 1, 1).data;
let spent = 0;  // the budget is of virtual time, an image is decoded in real time
for (let turn = 0; turn < 400 && !drawn()[3]; turn++) {
  for (let step = 0; step < 3e6; step++) spent += Math.sqrt(step);
  await new Promise(go => setTimeout(go, 10));
}
document.title = drawn().join();
</script></body>"""


@pytest.mark.process
@in_a_browser
def test_a_map_shows_the_image_at_the_pointer_and_what_is_said_of_it(tmp_path: Path) -> None:
    images = np.zeros((6, 16, 16, 3), np.uint8)
    images[5] = [200, 40, 60]
    hover = [f"image {row}\nlabel <b>{row}" for row in range(6)]
    places = np.arange(6.0)
    sheets = pack([images[:4], images[4:]])
    figure = Map("Map", "1", "2", places, places, np.array([-1, 0, 0, 1, 1, 1]), hover, [], *sheets, 16, 4)
    shown = opened(page(figure).replace("</body>", ASK), tmp_path, "--dump-dom")
    assert re.search(
        r'id="card" style="display: block[^>]*><canvas.*?<div>image 5\nlabel &lt;b&gt;5</div>', shown
    )
    colour = re.search(r"<title>(\d+),(\d+),(\d+),255</title>", shown)
    assert colour, "no pixel was drawn"
    assert np.abs(np.array(colour.groups(), int) - images[5, 0, 0]).max() < 8


@pytest.mark.process
@in_a_browser
def test_sheets_show_each_image_in_its_place(tmp_path: Path) -> None:
    colours = np.array([[220, 20, 20], [20, 200, 20], [20, 20, 220], [200, 200, 20]], np.uint8)
    images = np.broadcast_to(colours[:, None, None], (4, 12, 12, 3))
    figure = Sheets("Two", ["a", "b"], [{"": 3}, {"": 1}], list("wxyz"), *pack([images[:3], images[3:]]), 12)
    opened(page(figure), tmp_path, f"--screenshot={tmp_path / 'shot.png'}", "--window-size=900,500")
    shot = np.asarray(Image.open(tmp_path / "shot.png").convert("RGB")).astype(int)
    places = []
    for colour in colours:
        there = np.argwhere(np.abs(shot - colour).max(axis=2) < 12)
        assert 0.9 * 96**2 < len(there) < 1.1 * 96**2, "a tile of 96 x 96 pixels, none of its neighbours"
        places.append(np.median(there, axis=0))
    assert places[0][1] < places[1][1] < places[2][1]
    assert abs(places[0][0] - places[2][0]) < 2


def test_an_interval_is_a_band_that_hides_with_its_curve() -> None:
    line = Lines("Line", "x", "y", [1, 2, 3], {"a": [5, 5, 5], "b": [1, 1, 1]})
    data, _ = traces(replace(line, low={"a": [4, float("nan"), 3]}, high={"a": [6, float("nan"), 7]}))
    band, a, b = data
    assert (a["name"], b["name"]) == ("a", "b")
    assert band["legendgroup"] == a["legendgroup"] != b["legendgroup"]
    assert (list(band["x"]), list(band["y"])) == ([1, 3, 3, 1], [6, 7, 3, 4])
    assert not band["showlegend"]
