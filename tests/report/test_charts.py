"""Charts of a report: the picture that is shown at once, and the height of plotly's chart."""

from base64 import b64decode
from io import BytesIO

import numpy as np
from PIL import Image

from experiments.figures import Bars, Drawing, Heatmap, Lines, Panels, draw_png
from experiments.report.charts import MAX_PHONE_HEIGHT, SCROLLBAR, charts, picture

LINES = Lines("A title", "k", "ari", [1.0, 2.0], {"a": [0.5, 0.4], "b": [0.2, 0.3], "c": [0.1, 0.2]})
BARS = Bars("Sizes", "cluster", "images", ["one", "two"], [1, 2])


def test_a_static_chart_is_the_png_without_its_title() -> None:
    whole = draw_png(LINES)
    shown = picture(whole)
    before = Image.open(BytesIO(whole.png)).convert("L")
    after = Image.open(BytesIO(b64decode(shown.uri.partition(",")[2]))).convert("L")
    assert (
        (after.width, after.height)
        == (shown.width, shown.height)
        == (before.width, before.height - whole.title_height)
    )
    assert 15 < whole.title_height < 40
    difference = np.abs(np.asarray(before, int)[whole.title_height :] - np.asarray(after, int))
    assert np.quantile(difference, 0.999) < 12, "except for fewer colours"
    assert (np.asarray(before)[: whole.title_height] < 100).any(), "the title"
    assert (np.asarray(after)[:2] > 250).all(), "no title"


def test_an_existing_drawing_is_reused() -> None:
    png = BytesIO()
    Image.new("RGB", (30, 20), "red").save(png, "PNG")
    first, second = charts(
        {"one": LINES, "other": BARS}, {"one": "note"}, {"one": Drawing(png.getvalue(), 5)}
    )
    assert (first.picture.width, first.picture.height, first.note) == (30, 15, "note")
    assert second.picture.width > 100


def test_heights_are_plotly_heights() -> None:
    lines, bars, both, wide = charts(
        {
            "lines": LINES,
            "bars": BARS,
            "both": Panels("Both", [LINES, BARS]),
            "wide": Heatmap("Wide", ["a"], [f"{n}" for n in range(90)], np.zeros((1, 90)), "share"),
        }
    )
    assert lines.height == lines.plots[0][1]["height"]
    assert lines.phone_height == min(lines.height, MAX_PHONE_HEIGHT) + 2 * 24, "two rows of a legend"
    assert both.height == lines.height + bars.height
    assert "title" not in lines.plots[0][1]
    assert all("title" in layout for _, layout, _ in both.plots)
    assert wide.height == wide.phone_height == wide.plots[0][1]["height"] + SCROLLBAR
