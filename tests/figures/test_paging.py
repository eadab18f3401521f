"""Pages: one file that holds its script and all its data, and asks no network."""

import base64
import gzip
import json
import re
import shutil
import subprocess
from dataclasses import fields
from importlib.resources import files
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.figures import Bars, Grid, Histogram, page
from experiments.figures.traces import traces
from experiments.types import Figure

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
    assert isinstance(figure, Grid) or 'modeBarButtonsToRemove = ["sendChartToCloud"]' in text
    assert len(text) < 2_100_000


def test_a_page_holds_the_whole_of_plotly(figure: Figure) -> None:
    packed = re.search(r'id="packed">([^<]*)<', page(figure))
    if isinstance(figure, Grid):
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
            assert all(entry in text for entry in value), f.name
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
    if kind in ("Bars", "Dendrogram", "Heatmap"):
        _, layout = traces(many)
        assert len(layout["yaxis"]["tickvals"]) == 233
        assert layout["height"] >= 233 * layout["yaxis"]["tickfont"]["size"]


def test_a_name_cannot_end_the_script() -> None:
    name = "</script><script>alert(1)</script>"
    text = page(Bars(name, "class", "images", [name], [1]))
    assert text.count("</script>") == 2
    assert plotted(text)[1]["yaxis"]["ticktext"] == [name]


@pytest.mark.process
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the page with")
def test_a_browser_draws_the_page(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(page(Bars("Sizes", "class", "images", ["airplanes"], [800])))
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--virtual-time-budget=9000"]
    where = [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", (tmp_path / "page.html").as_uri()]
    done = subprocess.run([str(CHROMIUM), *flags, *where], capture_output=True, text=True, timeout=120)
    assert re.search(r'<svg class="main-svg".*>airplanes</text>', done.stdout, re.S)
