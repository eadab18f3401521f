"""The report of a run, in a browser."""

import gzip
import re
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.browser import PHONE, Tab
from tests.messages import numbers, says
from tests.report.conftest import QUICK
from tests.running import run_typed

from experiments import report
from experiments.figures import Heatmap
from experiments.report import Contents
from experiments.report.run_report import shown_samples

FOLLOW = """let last = document.body;
window.reached = () => {
  const now = document.activeElement, before = last, outline = getComputedStyle(now).outlineStyle;
  if (now === document.body) return "end";
  last = now;
  if (before.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_PRECEDING) return "backwards";
  if (outline === "none") return "not visible";
  const name = now.getAttribute("href") ?? (now.id || now.className || now.closest("[id]")?.id);
  return `${now.localName} ${now.localName === "figure" ? now.closest(".sheet").id : name ?? ""}`.trim();
};"""


def drawn_plot(tab: Tab, name: str) -> Any:
    """Scroll to a plot and return it when it is drawn."""
    tab.page.locator(f'[data-plot="{name}"]').scroll_into_view_if_needed()
    plot = tab.page.locator(f'[data-plot="{name}"][data-drawn]')
    plot.wait_for()
    return plot


def test_members_are_sorted_by_cluster_and_distance_to_the_centre(contents: Contents, ran: Any) -> None:
    result, _ = ran
    shown = contents.members
    assert shown["cluster"].is_monotonic_increasing
    assert len(shown) == len(result.samples) == 200
    first = shown[shown["cluster"] == 0]["id"].iloc[0]
    rows = np.flatnonzero(result.clustering.assignments == 0)
    away = np.linalg.norm(result.reduced[rows] - result.reduced[rows].mean(axis=0), axis=1)
    assert first == result.samples.ids[rows[away.argmin()]]


def test_a_page_of_few_images_shows_the_nearest_of_each_cluster(contents: Contents, ran: Any) -> None:
    result, _ = ran
    few = shown_samples(result, max_samples=30)
    assert len(few) == 30
    assert few["cluster"].value_counts().eq(5).all()
    for cluster, rows in few.groupby("cluster"):
        nearest = contents.members.loc[contents.members["cluster"] == cluster, "id"]
        assert rows["id"].to_list() == nearest.head(5).to_list()


def test_the_images_are_those_of_the_members(contents: Contents, ran: Any) -> None:
    result, _ = ran
    row_of = {name: row for row, name in enumerate(result.samples.ids)}
    rows = [row_of[name] for name in contents.members["id"]]
    flat = contents.images[..., 0].reshape(200, -1).astype(float)
    assert flat.shape == (200, 64)
    red = np.asarray(result.embeddings)[rows].reshape(200, 64, 3)[..., 0]
    for mine, theirs in zip(flat[::40], red[::40], strict=True):
        assert np.corrcoef(mine, theirs)[0, 1] > 0.999


def test_the_contents_have_all_metrics_and_tables(contents: Contents, ran: Any) -> None:
    result, folder = ran
    assert {path.stem for path in folder.glob("*.csv")} < set(contents.tables)
    metrics = contents.tables["metrics"].splitlines()
    assert len(metrics) == len(result.metrics) + 1
    assert len(contents.tables["assignments"].splitlines()) == 201
    assert contents.worst_clusters["share"].is_monotonic_increasing
    assert "6" in numbers(contents.summary)


def test_a_page_needs_no_network_and_contains_whole_tables(contents: Contents) -> None:
    text = report.report_page(contents)
    assert len(text) < 2_500_000
    assert not re.search(r"<script[^>]*\ssrc=|<link(?! rel=.icon. href=.data:,.>)|@import|fetch\(", text)
    for name, table in contents.tables.items():
        (encoded,) = re.findall(rf'<script type="text/plain" id="table-{name}">([^<]*)', text)
        assert gzip.decompress(b64decode(encoded)).decode() == table


def test_no_name_can_end_the_script(contents: Contents) -> None:
    members = contents.members.assign(label="</script><b>")
    text = report.report_page(replace(contents, members=members, title="<i>", warnings=["<u>"]))
    assert "</script><b>" not in text
    assert "<title>&lt;i&gt;" in text
    assert "<h1>&lt;i&gt;" in text
    assert "<li>&lt;u&gt;</li>" in text


def test_names_of_classes_are_escaped_in_rankings(contents: Contents) -> None:
    classes = contents.worst_classes.assign(**{"class": "<s>"})
    clusters = contents.worst_clusters.assign(majority_class="<u>")
    text = report.report_page(replace(contents, worst_classes=classes, worst_clusters=clusters))
    assert text.count("&lt;s&gt;") >= len(classes) > 0
    assert text.count("&lt;u&gt;") >= len(clusters) > 0
    assert "<s>" not in text
    assert "<u>" not in text


def test_a_run_passes_its_warnings_to_its_sweep(ran: Any, tmp_path: Path) -> None:
    folder = ran[1].parent  # whose cache has most results
    overrides = [*QUICK, f"tracking.uri=sqlite:///{folder}/mlflow.db", f"cache.root={folder}/cache"]
    overrides += ["evaluator=[contact_sheets]", "evaluator.contact_sheets.clusters=2", "report=none"]
    (warning,) = run_typed(overrides, tmp_path).outcome.warnings
    assert numbers(says(warning, key="evaluator.contact_sheets.clusters=2")) == ["2", "2", "6"]


@pytest.mark.browser
def test_sections_are_in_reading_order(contents: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(contents)
    says(tab.page.locator("h1").inner_text(), key="digits", use="6")
    links = [str(link.get_attribute("href")) for link in tab.page.locator("nav a").all()]
    assert links == ["#metrics", "#map", "#clusters", "#crosstab", "#classes", "#worst", "#run", "#tables"]
    for link in links:
        assert tab.page.locator(link).count() == 1
    row = tab.page.locator(".metrics tr", has=tab.page.locator("th", has_text=re.compile("^purity")))
    values = row.first.locator("td.number").all_inner_texts()
    assert (
        values[0]
        == f"{next(headline.value for headline in contents.headlines if headline.name == 'purity'):.4g}"
    )
    assert all(values)
    headers = tab.page.locator(".metrics thead th").all_inner_texts()
    assert headers == ["metric", "value", "chance", "ceiling", ""]  # without a probe
    assert tab.page.locator(".key u").count() == 2
    assert "evaluator=[external,internal,probe]" in tab.page.locator("#metrics").inner_text()


@pytest.mark.browser
def test_a_button_shows_all_images_of_a_cluster(without_charts: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(without_charts)
    sizes = without_charts.members["cluster"].value_counts().sort_index()
    large = int(sizes.idxmax())
    sheet = tab.page.locator(f"#cluster-{large}")
    assert sheet.locator("figure").count() == 24
    sheet.locator("button").click()
    assert sheet.locator("figure").count() == sizes[large]
    last = sheet.locator("figure").last
    across, down = divmod(int(str(last.get_attribute("data-row"))), 32)[::-1]  # images in a row of the sprite
    position = last.locator("i").evaluate("tile => getComputedStyle(tile).backgroundPosition")
    assert position == f"-{128 * across}px -{128 * down}px"  # 8 pixels of 16 are shown as 64
    tab.page.locator("#order").select_option("size")
    first = tab.page.locator(".sheet h3").first.text_content()
    assert numbers(str(first))[:2] == [str(large), str(sizes[large])]


@pytest.mark.browser
def test_tables_are_saved_completely_and_rankings_sort(
    without_charts: Contents, opened: Callable[..., Tab]
) -> None:
    tab = opened(without_charts)
    with tab.page.expect_download() as download:
        tab.page.locator('.save[data-table="assignments"]').click()
    assert download.value.suggested_filename == "assignments.csv"
    saved = pd.read_csv(download.value.path(), dtype=str)
    assert sorted(saved["id"]) == sorted(without_charts.members["id"])
    ranking = tab.page.locator("#worst .ranking")
    before = ranking.locator("tbody tr td:last-child").all_inner_texts()
    assert before == sorted(before, key=float)
    ranking.locator("th button", has_text="size").click()
    sizes = ranking.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert sizes == sorted(sizes, key=int)
    ranking.locator("th button", has_text="size").click()
    assert ranking.locator("tbody tr td:nth-child(2)").all_inner_texts() == sizes[::-1]
    worst = ranking.locator("tbody a").first
    assert tab.page.locator(str(worst.get_attribute("href"))).count() == 1


@pytest.mark.browser
def test_a_phone_shows_the_whole_report(contents: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(contents, viewport=PHONE, has_touch=True)
    drawn_plot(tab, "crosstab")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.page.locator("figure").first.tap()
    assert "cluster 0" in tab.page.locator("#nearest").inner_text()


@pytest.mark.browser
def test_a_heat_map_shrinks_to_a_phone_if_its_cells_stay_readable(
    contents: Contents, opened: Callable[..., Tab]
) -> None:
    few = contents.figures["crosstab"]
    names = [f"cluster {number}" for number in range(30)]
    many = Heatmap("Wide", ["one", "two"], names, np.zeros((2, 30)), "share")
    wide = replace(contents, figures={"crosstab": few, "wide": many}, notes={})
    tab = opened(wide, viewport=PHONE, has_touch=True)
    plot = drawn_plot(tab, "crosstab")
    assert plot.locator(".main-svg").first.bounding_box()["width"] <= PHONE["width"]
    assert "cut" not in str(plot.get_attribute("class"))
    assert plot.locator(".heatmaplayer text").count() == few.values.size  # type: ignore[attr-defined]
    assert few.x_label in plot.text_content()  # type: ignore[attr-defined]
    plot = drawn_plot(tab, "wide")
    assert plot.evaluate("plot => plot.scrollWidth") > PHONE["width"]
    assert "cut" in str(plot.get_attribute("class"))
    plot.evaluate("plot => plot.scrollTo(9999, 0)")
    tab.page.locator('[data-plot="wide"]:not(.cut)').wait_for()


@pytest.mark.browser
def test_tab_reaches_all_controls_in_order(contents: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(contents)
    tab.page.evaluate(FOLLOW)
    reached: list[str] = []
    while "end" not in reached and len(reached) < 200:
        tab.page.keyboard.press("Tab")
        reached.append(tab.page.evaluate("reached()"))
    assert reached[-1] == "end"
    assert "backwards" not in reached
    assert "not visible" not in reached
    sheets = [f"figure cluster-{number}" for number in range(6)]
    controls = ("a #map", "summary run", "select colour", "canvas plane", "button groups", "button save")
    for element in (*controls, *sheets):
        assert reached.count(element) >= 1, element
    assert reached.count("button groups") == 1  # arrows go through the others
    tab.page.locator('nav a[href="#tables"]').press("Enter")
    assert tab.page.evaluate("location.hash") == "#tables"


@pytest.mark.browser
def test_unlabelled_samples_have_their_file_name_and_are_not_wrong(
    contents: Contents, opened: Callable[..., Tab]
) -> None:
    first = contents.members[contents.members["cluster"] == 0]
    known = first["label"].where(np.arange(len(first)) < 2, "")
    labels = contents.members["label"].where(contents.members["cluster"] != 0, known).fillna("")
    tab = opened(replace(contents, members=contents.members.assign(label=labels)))
    sheet = tab.page.locator("#cluster-0")
    assert numbers(sheet.locator("h3").text_content())[-1] == "2", "of two labelled"
    captions = sheet.locator("figcaption").all_text_contents()
    assert captions[:3] == [*known.iloc[:2], first["id"].iloc[2]]
    assert sheet.locator("figure.wrong").count() == len(set(known) - {""}) - 1
    tab.page.locator("#colour").select_option("labels")
    names = tab.page.locator("#groups button").all_text_contents()
    assert sum(name.startswith(f"no label ({len(first) - 2})") for name in names) == 1


@pytest.mark.browser
def test_a_run_without_labels_or_images_has_a_report(contents: Contents, opened: Callable[..., Tab]) -> None:
    bare = replace(
        contents,
        members=contents.members.drop(columns="label"),
        images=contents.images[:0],
        worst_classes=pd.DataFrame(),
        worst_clusters=pd.DataFrame(),
        headlines=[],
        upper_bounds=[],
        figures={},
        notes={},
    )
    tab = opened(bare)
    assert tab.page.locator("#classes").count() == 0
    assert tab.page.locator("#cluster-0 figcaption").first.text_content() == contents.members["id"].iloc[0]
    tab.page.locator("#plane[data-drawn]").wait_for()
    assert tab.page.locator("#colour, #pictured").count() == 0
    assert tab.page.locator("#metrics table").count() == 0
    assert "probe" not in tab.page.locator("#metrics").inner_text()
