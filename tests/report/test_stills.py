"""Charts, map and clusters before scripts draw them, in print, and without scripts."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.browser import DESKTOP, PHONE, Tab

from experiments import report
from experiments.figures import Bars
from experiments.report import Contents
from experiments.report.stills import CLUSTERS, still_clusters

NEAR = 60  # pixels below the top at which a heading stands, under 40 of links
INK = 5.0  # standard deviation of the grey values of a picture that shows something


@pytest.fixture
def charted(told: Contents) -> Contents:
    """Add charts far down the page to the report."""
    bars = {
        f"bars_{number}": Bars(f"Chart {number}", "x", "y", ["a", "b"], [1.0, 2.0]) for number in range(5)
    }
    return replace(told, figures={**told.figures, **bars})


def ink(element: Any) -> float:
    """Return the spread of the grey values of an element's picture."""
    return float(np.asarray(Image.open(BytesIO(element.screenshot())).convert("L"), float).std())


@pytest.mark.browser
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_each_link_leads_to_its_heading(
    charted: Contents, opened: Callable[..., Tab], size: dict[str, int]
) -> None:
    page = opened(replace(charted, title="long" * 40), viewport=size).page
    for link in page.locator("nav a").all():
        page.evaluate("scrollTo(0, 0)")
        link.click()
        page.wait_for_timeout(150)  # charts that come near are drawn
        name = str(link.get_attribute("href"))[1:]
        top = page.locator(f"#h-{name}").bounding_box()["y"]
        at_end = page.evaluate("scrollY + innerHeight >= document.documentElement.scrollHeight - 2")
        assert at_end or abs(top - NEAR) < 20, name
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]


@pytest.mark.browser
def test_print_shows_every_chart_the_map_and_the_clusters(
    charted: Contents, opened: Callable[..., Tab]
) -> None:
    page = opened(charted, viewport=DESKTOP).page
    page.emulate_media(media="print")
    plots = page.locator(".plot")
    assert plots.count() == len(charted.figures) == 6
    shown = [*plots.all(), page.locator("#map"), page.locator("#clusters")]
    assert all(ink(element) > INK for element in shown)
    images = page.pdf().count(b"/Subtype /Image")
    assert images >= len(charted.figures) + 1 + charted.members["cluster"].nunique()
    page.emulate_media(media="screen")


@pytest.mark.browser
def test_without_scripts_nothing_is_blank(charted: Contents, chromium: Any, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(report.page(charted), encoding="utf-8")
    context = chromium.new_context(viewport=DESKTOP, java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    sections = page.locator("section").all()
    assert len(sections) == page.locator("nav a").count()
    assert all(ink(element) > INK for element in [*sections, *page.locator(".plot").all()])
    context.close()


def test_of_many_clusters_the_first_are_shown_and_the_others_counted() -> None:
    members = pd.DataFrame({"cluster": np.repeat(np.arange(CLUSTERS + 3), 2)})
    markup = still_clusters(members, np.zeros((0, 8, 8, 3), np.uint8))
    assert markup.count("<h3>") == CLUSTERS
    assert "3 clusters more" in markup
    assert "<img" not in markup
