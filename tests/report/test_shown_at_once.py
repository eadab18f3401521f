"""A report on paper, without JavaScript, and after a click on a link: all content is there at once."""

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
def contents_with_charts(contents: Contents) -> Contents:
    """Return contents with two more charts: one with a legend, one of two panels."""
    lines = Lines("Loss", "epoch", "", [1.0, 2.0, 3.0], {"train": [3, 2, 1], "validation": [3.5, 2.5, 2]})
    bars = Bars("Sizes", "cluster", "images", [f"cluster {number}" for number in range(12)], list(range(12)))
    more = {"training_loss": lines, "both": Panels("Both", [lines, bars])}
    return replace(contents, figures=dict(contents.figures) | more)


def has_content(png: bytes) -> bool:
    """Return True if more than 1 % of an image's pixels differ from its median."""
    grey = np.asarray(Image.open(BytesIO(png)).convert("L"), int)
    return bool((np.abs(grey - np.median(grey)) > 30).mean() > 0.01)


def screenshots(tab: Tab) -> dict[str, bytes]:
    """Return a screenshot of the map, of each chart and of the first image of each sheet, by name."""
    page = tab.page
    images = {"map": page.locator("#plane").screenshot()}
    images |= {
        str(plot.get_attribute("data-plot")): plot.screenshot() for plot in page.locator(".plot").all()
    }
    sheets = page.locator(".sheet").all()
    return images | {
        str(sheet.get_attribute("id")): sheet.locator("i").first.screenshot() for sheet in sheets
    }


def test_nothing_is_blank_on_paper(contents_with_charts: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(contents_with_charts)
    tab.page.emulate_media(media="print")
    shown = screenshots(tab)
    tab.page.emulate_media(media="null")  # as the page serves other tests too
    assert {*contents_with_charts.figures, "map", "cluster-0", "cluster-5"} <= set(shown)
    assert [name for name, png in shown.items() if not has_content(png)] == []


def test_a_pdf_has_each_chart(contents_with_charts: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(contents_with_charts)
    sizes = tab.page.locator(".plot img, #plane img").evaluate_all(
        "images => images.map((image) => [image.naturalWidth, image.naturalHeight])"
    )
    pdf = tab.page.pdf()
    colour_counts = {}
    for match in re.finditer(IMAGE, pdf):
        start = pdf.index(b"stream\n", match.end()) + len(b"stream\n")
        content = pdf[start : pdf.index(b"endstream", start)]
        deflated = b"/FlateDecode" in pdf[match.end() : start]
        colour_counts[int(match[1]), int(match[2])] = len(
            set(zlib.decompress(content) if deflated else content)
        )
    assert len(sizes) == len(contents_with_charts.figures) + 1
    assert [size for size in sizes if colour_counts.get(tuple(size), 0) < 10] == [], (
        "each has ten colours or more"
    )


def test_nothing_is_blank_without_javascript(
    contents_with_charts: Contents, opened: Callable[..., Tab]
) -> None:
    tab = opened(contents_with_charts, java_script_enabled=False)
    assert [name for name, png in screenshots(tab).items() if not has_content(png)] == []
    assert tab.page.locator("button:visible:not(th button), select:visible, canvas:visible").count() == 0
    assert len(tab.page.locator("#groups span").all_inner_texts()) == 6


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_links_lead_to_headings_before_and_after_charts_are_drawn(
    contents_with_charts: Contents, opened: Callable[..., Tab], viewport: dict[str, int]
) -> None:
    tab = opened(contents_with_charts, viewport=viewport)
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
    contents: Contents, chromium: Any, tmp_path: Path, title: str
) -> None:
    run, sweep = tmp_path / "run.html", tmp_path / "sweep"
    sweep.mkdir()
    run.write_text(report.report_page(replace(contents, title=title, figures={}, notes={})), encoding="utf-8")
    rows = contents.worst_clusters.assign(
        protocol="held_out", ari=0.5, status="FINISHED", seconds=1.0, run_id="a"
    )
    rows = rows.assign(backbone=title)
    values: dict[str, Any] = {"figures": {}, "tables": {"sweep": rows}, "errors": {title: title}}
    main = ["backbone", "cluster", "ari"]
    swept, warnings = ["backbone", "cluster"], [[title]]
    report.write_sweep_report(
        sweep,
        report.SweepContents(
            rows, main, swept=swept, objective="ari", name=title, run_id="a", warnings=warnings, **values
        ),
    )
    for file in (run, sweep / "report.html"):
        tab = Tab(chromium, file, viewport=PHONE)
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), file.name
        tab.close()
