"""Charts of a report: the picture that is there at once, and the room that plotly's chart will take."""

from base64 import b64decode
from io import BytesIO

import numpy as np
from PIL import Image

from experiments.figures import Bars, Drawing, Heatmap, Lines, Panels, drawn
from experiments.report.charts import BAR, LOWEST, charts, picture

LINES = Lines("A title", "k", "ari", [1.0, 2.0], {"a": [0.5, 0.4], "b": [0.2, 0.3], "c": [0.1, 0.2]})
BARS = Bars("Sizes", "cluster", "images", ["one", "two"], [1, 2])


def test_the_picture_is_what_was_drawn_without_its_title() -> None:
    whole = drawn(LINES)
    shown = picture(whole)
    before = Image.open(BytesIO(whole.png)).convert("L")
    after = Image.open(BytesIO(b64decode(shown.uri.partition(",")[2]))).convert("L")
    assert (
        (after.width, after.height)
        == (shown.width, shown.height)
        == (before.width, before.height - whole.top)
    )
    assert 15 < whole.top < 40
    difference = np.abs(np.asarray(before, int)[whole.top :] - np.asarray(after, int))
    assert np.quantile(difference, 0.999) < 12, "but for fewer colours"
    assert (np.asarray(before)[: whole.top] < 100).any(), "the title"
    assert (np.asarray(after)[:2] > 250).all(), "and nothing of it is left"


def test_a_figure_that_was_drawn_is_not_drawn_again() -> None:
    png = BytesIO()
    Image.new("RGB", (30, 20), "red").save(png, "PNG")
    first, second = charts(
        {"one": LINES, "other": BARS}, {"one": "note"}, {"one": Drawing(png.getvalue(), 5)}
    )
    assert (first.picture.width, first.picture.height, first.note) == (30, 15, "note")
    assert second.picture.width > 100


def test_the_heights_are_those_of_plotly() -> None:
    lines, bars, both, wide = charts(
        {
            "lines": LINES,
            "bars": BARS,
            "both": Panels("Both", [LINES, BARS]),
            "wide": Heatmap("Wide", ["a"], [f"{n}" for n in range(90)], np.zeros((1, 90)), "share"),
        }
    )
    assert lines.height == lines.plots[0][1]["height"]
    assert lines.narrow == min(lines.height, LOWEST) + 2 * 24, "two rows of a legend"
    assert both.height == lines.height + bars.height
    assert "title" not in lines.plots[0][1]
    assert all("title" in layout for _, layout, _ in both.plots)
    assert wide.height == wide.narrow == wide.plots[0][1]["height"] + BAR
