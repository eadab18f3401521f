"""The images of evaluators in a report."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.browser import Tab
from tests.messages import says

from experiments.figures import ImageGrid, ImageSheets, pack
from experiments.report import Contents
from experiments.report.images import as_sheets, fit_into_page

pytestmark = pytest.mark.slow

RED, BLUE = (np.full((1, 32, 32, 3), colour, np.uint8) for colour in ((220, 20, 20), (20, 20, 220)))
GRID = ImageGrid("Samples", np.concatenate([RED, BLUE]), ["red", "<blue>"], 2)
NOISE = np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3)).astype(np.uint8)


def test_images_without_room_are_listed() -> None:
    empty = ImageGrid("Nothing", NOISE[:0], [], 2)
    sheets, others = fit_into_page(
        {"large": ImageGrid("Noise", NOISE, ["noise"] * 40, 5), "few": GRID, "none": empty}, 20_000
    )
    assert list(sheets) == ["few"]
    assert others == ["large", "none"]


def test_sheets_that_fit_keep_their_order() -> None:
    sheets = as_sheets(GRID)
    assert as_sheets(sheets) is sheets
    fitting, others = fit_into_page({"large": ImageGrid("Noise", NOISE, ["noise"] * 40, 5), "sheets": sheets})
    assert list(fitting) == ["large", "sheets"]
    assert others == []


@pytest.mark.browser
def test_each_image_is_above_its_caption(contents: Contents, opened: Callable[..., Tab]) -> None:
    packed, ends = pack([RED, np.concatenate([RED, BLUE])])
    sheets = ImageSheets("Pairs", ["one", "two"], [{"": 1}, {"": 2}], ["a", "b", "c"], packed, ends, 32)
    tab = opened(
        replace(contents, image_sheets={"grid": as_sheets(GRID), "pairs": sheets}, not_shown=["map_3d"])
    )
    section = tab.page.locator("#pictures")
    assert section.locator("h3").all_inner_texts()[-2:] == ["Samples", "Pairs"]
    assert section.locator("figcaption").all_text_contents() == ["red", "<blue>", "a", "b", "c"]
    says(section.locator("p").last.inner_text(), key="map_3d", use="figures=auto")
    for name, reddish in (("<blue>", False), ("a", True), ("c", False)):
        image = section.locator("figure", has_text=name).locator("i")
        image.scroll_into_view_if_needed()
        red, blue = colour(image.screenshot())
        assert (red > blue) == reddish, name


def colour(png: bytes) -> tuple[float, float]:
    """Return the mean red and blue of the middle of an image."""
    shot = np.asarray(Image.open(BytesIO(png)).convert("RGB"), float)
    middle = shot[shot.shape[0] // 4 : -shot.shape[0] // 4, shot.shape[1] // 4 : -shot.shape[1] // 4]
    return float(middle[..., 0].mean()), float(middle[..., 2].mean())
