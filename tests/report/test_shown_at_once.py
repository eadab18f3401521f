"""A report on paper, without JavaScript, and where its links lead: nothing waits for being scrolled to."""

import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.browser import DESKTOP, PHONE, Tab

from experiments import report
from experiments.figures import Bars, Lines, Panels
from experiments.report import Contents

LANDED = """() => document.querySelector(`${location.hash} h2`).getBoundingClientRect().top
  - document.querySelector("nav").getBoundingClientRect().bottom"""
IMAGE = rb"/Subtype /Image\n/Width (\d+)\n/Height (\d+)\n"  # as Chromium writes it into a PDF

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def charted(told: Contents) -> Contents:
    """Add a chart with a legend and one of two panels."""
    lines = Lines("Loss", "epoch", "", [1.0, 2.0, 3.0], {"train": [3, 2, 1], "validation": [3.5, 2.5, 2]})
    bars = Bars("Sizes", "cluster", "images", [f"cluster {number}" for number in range(12)], list(range(12)))
    more = {"training_loss": lines, "both": Panels("Both", [lines, bars])}
    return replace(told, figures=dict(told.figures) | more)


def inked(png: bytes) -> bool:
    """Return True if a picture is not of one colour: some hundredth of it differs from the most of it."""
    grey = np.asarray(Image.open(BytesIO(png)).convert("L"), int)
    return bool((np.abs(grey - np.median(grey)) > 30).mean() > 0.01)


def pictures(tab: Tab) -> dict[str, bytes]:
    """Return a screenshot of the map, of each chart and of the first image of each sheet, by name."""
    page = tab.page
    found = {"map": page.locator("#plane").screenshot()}
    found |= {str(plot.get_attribute("data-plot")): plot.screenshot() for plot in page.locator(".plot").all()}
    sheets = page.locator(".sheet").all()
    return found | {str(sheet.get_attribute("id")): sheet.locator("i").first.screenshot() for sheet in sheets}


def test_nothing_is_blank_on_paper(charted: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(charted)
    tab.page.emulate_media(media="print")
    shown = pictures(tab)
    tab.page.emulate_media(media="null")  # as the page serves other tests too
    assert {*charted.figures, "map", "cluster-0", "cluster-5"} <= set(shown)
    assert [name for name, png in shown.items() if not inked(png)] == []


def test_a_pdf_has_the_picture_of_each_chart(charted: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(charted)
    sizes = tab.page.locator(".plot img, #plane img").evaluate_all(
        "images => images.map((image) => [image.naturalWidth, image.naturalHeight])"
    )
    pdf = tab.page.pdf()
    found = {}
    for match in re.finditer(IMAGE, pdf):
        start = pdf.index(b"stream\n", match.end()) + len(b"stream\n")
        content = pdf[start : pdf.index(b"endstream", start)]
        deflated = b"/FlateDecode" in pdf[match.end() : start]
        found[int(match[1]), int(match[2])] = len(set(zlib.decompress(content) if deflated else content))
    assert len(sizes) == len(charted.figures) + 1
    assert [size for size in sizes if found.get(tuple(size), 0) < 10] == [], "in ten colours at least"


def test_nothing_is_blank_without_javascript(charted: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(charted, java_script_enabled=False)
    assert [name for name, png in pictures(tab).items() if not inked(png)] == []
    assert tab.page.locator("button:visible:not(th button), select:visible, canvas:visible").count() == 0
    assert len(tab.page.locator("#groups span").all_inner_texts()) == 6


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_each_link_leads_to_its_heading_before_and_after_the_charts_are_drawn(
    charted: Contents, opened: Callable[..., Tab], viewport: dict[str, int]
) -> None:
    tab = opened(charted, viewport=viewport)
    heights = "plots => plots.map((plot) => plot.offsetHeight)"
    before = tab.page.locator(".plot").evaluate_all(heights)
    links = tab.page.locator("nav a").all()
    landed = []
    for _ in range(2):
        for link in links:
            link.click()
            landed.append(tab.page.evaluate(LANDED))
        for plot in tab.page.locator(".plot").all():
            plot.scroll_into_view_if_needed()
            plot.locator("xpath=self::*[@data-drawn]").wait_for()
    assert len(landed) == 2 * len(links)
    assert max(landed) <= 20
    assert min(landed) >= 0
    assert tab.page.locator(".plot").evaluate_all(heights) == before


@pytest.mark.parametrize("title", ["w" * 300, "backbone=resnet," * 20], ids=["word", "settings"])
def test_a_long_title_does_not_scroll_a_phone_sideways(
    told: Contents, chromium: Any, tmp_path: Path, title: str
) -> None:
    run, sweep = tmp_path / "run.html", tmp_path / "sweep"
    sweep.mkdir()
    run.write_text(report.page(replace(told, title=title, figures={}, notes={})), encoding="utf-8")
    rows = told.clusters.assign(protocol="held_out", ari=0.5, status="FINISHED", seconds=1.0, run_id="a")
    rows = rows.assign(backbone=title)
    about: dict[str, Any] = {"figures": {}, "tables": {"sweep": rows}, "errors": {title: title}}
    main = ["backbone", "cluster", "ari"]
    swept, doubts = ["backbone", "cluster"], [[title]]
    report.write_sweep(
        sweep, rows, main, swept=swept, objective="ari", name=title, run_id="a", doubts=doubts, **about
    )
    for file in (run, sweep / "report.html"):
        tab = Tab(chromium, file, viewport=PHONE)
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), file.name
        tab.close()
