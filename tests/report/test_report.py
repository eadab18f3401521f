"""The report of a run, read and clicked through in a real browser."""

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
from experiments.report.run import members

FOLLOW = """let last = document.body;
window.reached = () => {
  const now = document.activeElement, before = last, outline = getComputedStyle(now).outlineStyle;
  if (now === document.body) return "end";
  last = now;
  if (before.compareDocumentPosition(now) & Node.DOCUMENT_POSITION_PRECEDING) return "backwards";
  if (outline === "none") return "not visible";
  const held = now.getAttribute("href") ?? (now.id || now.className || now.closest("[id]")?.id);
  return `${now.localName} ${now.localName === "figure" ? now.closest(".sheet").id : held ?? ""}`.trim();
};"""


def drawn(tab: Tab, name: str) -> Any:
    """Scroll to a plot, and wait until it is drawn."""
    tab.page.locator(f'[data-plot="{name}"]').scroll_into_view_if_needed()
    place = tab.page.locator(f'[data-plot="{name}"][data-drawn]')
    place.wait_for()
    return place


def test_members_stand_by_cluster_and_nearest_to_the_centre_first(told: Contents, ran: Any) -> None:
    result, _ = ran
    shown = told.members
    assert shown["cluster"].is_monotonic_increasing
    assert len(shown) == len(result.samples) == 200
    first = shown[shown["cluster"] == 0]["id"].iloc[0]
    rows = np.flatnonzero(result.clustering.assignments == 0)
    away = np.linalg.norm(result.reduced[rows] - result.reduced[rows].mean(axis=0), axis=1)
    assert first == result.samples.ids[rows[away.argmin()]]


def test_a_page_shows_of_each_cluster_as_many_as_fit(told: Contents, ran: Any) -> None:
    result, _ = ran
    few = members(result, most=30)
    assert len(few) == 30
    assert few["cluster"].value_counts().eq(5).all()
    for cluster, rows in few.groupby("cluster"):
        nearest = told.members.loc[told.members["cluster"] == cluster, "id"]
        assert rows["id"].to_list() == nearest.head(5).to_list()


def test_the_images_are_those_of_the_members(told: Contents, ran: Any) -> None:
    result, _ = ran
    row_of = {name: row for row, name in enumerate(result.samples.ids)}
    rows = [row_of[name] for name in told.members["id"]]
    flat = told.images[..., 0].reshape(200, -1).astype(float)
    assert flat.shape == (200, 64)
    red = np.asarray(result.embeddings)[rows].reshape(200, 64, 3)[..., 0]
    for mine, theirs in zip(flat[::40], red[::40], strict=True):
        assert np.corrcoef(mine, theirs)[0, 1] > 0.999


def test_all_that_was_found_is_told(told: Contents, ran: Any) -> None:
    result, folder = ran
    assert {path.stem for path in folder.glob("*.csv")} < set(told.tables)
    metrics = told.tables["metrics"].splitlines()
    assert len(metrics) == len(result.metrics) + 1
    assert len(told.tables["assignments"].splitlines()) == 201
    assert told.clusters["share"].is_monotonic_increasing
    assert "6" in numbers(told.summary)


def test_a_page_asks_no_network_and_holds_each_table_whole(told: Contents) -> None:
    text = report.page(told)
    assert len(text) < 2_500_000
    assert not re.search(r"<script[^>]*\ssrc=|<link(?! rel=.icon. href=.data:,.>)|@import|fetch\(", text)
    for name, table in told.tables.items():
        (held,) = re.findall(rf'<script type="text/plain" id="table-{name}">([^<]*)', text)
        assert gzip.decompress(b64decode(held)).decode() == table


def test_no_name_ends_the_script(told: Contents) -> None:
    members = told.members.assign(label="</script><b>")
    text = report.page(replace(told, members=members, title="<i>", warnings=["<u>"]))
    assert "</script><b>" not in text
    assert "<title>&lt;i&gt;" in text
    assert "<h1>&lt;i&gt;" in text
    assert "<li>&lt;u&gt;</li>" in text


def test_names_of_classes_are_text_in_each_ranking(told: Contents) -> None:
    named = told.classes.assign(**{"class": "<s>"}), told.clusters.assign(majority_class="<u>")
    text = report.page(replace(told, classes=named[0], clusters=named[1]))
    assert text.count("&lt;s&gt;") >= len(told.classes) > 0
    assert text.count("&lt;u&gt;") >= len(told.clusters) > 0
    assert "<s>" not in text
    assert "<u>" not in text


def test_a_run_leaves_its_doubts_to_its_sweep(ran: Any, tmp_path: Path) -> None:
    place = ran[1].parent  # where most of it is kept
    typed = [*QUICK, f"tracking.uri=sqlite:///{place}/mlflow.db", f"cache.root={place}/cache"]
    typed += ["evaluator=[contact_sheets]", "evaluator.contact_sheets.clusters=2", "report=none"]
    (doubt,) = run_typed(typed, tmp_path).outcome.doubts
    assert numbers(says(doubt, key="evaluator.contact_sheets.clusters=2")) == ["2", "2", "6"]


@pytest.mark.browser
def test_a_person_reads_it_from_the_top(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(told)
    says(tab.page.locator("h1").inner_text(), key="digits", use="6")
    links = [str(link.get_attribute("href")) for link in tab.page.locator("nav a").all()]
    assert links == ["#figures", "#map", "#clusters", "#crosstab", "#classes", "#worst", "#run", "#tables"]
    for link in links:
        assert tab.page.locator(link).count() == 1
    row = tab.page.locator(".figures tr", has=tab.page.locator("th", has_text=re.compile("^purity")))
    figures = row.first.locator("td.number").all_inner_texts()
    assert figures[0] == f"{next(each.value for each in told.headlines if each.name == 'purity'):.4g}"
    assert all(figures)
    heads = tab.page.locator(".figures thead th").all_inner_texts()
    assert heads == ["figure", "value", "chance", "ceiling", ""]  # a probe was not asked for
    assert tab.page.locator(".key u").count() == 2
    assert "evaluator=[external,internal,probe]" in tab.page.locator("#figures").inner_text()


@pytest.mark.browser
def test_a_cluster_shows_all_its_images_when_asked(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(told)
    sizes = told.members["cluster"].value_counts().sort_index()
    large = int(sizes.idxmax())
    sheet = tab.page.locator(f"#cluster-{large}")
    assert sheet.locator("figure").count() == 24
    sheet.locator("button").click()
    assert sheet.locator("figure").count() == sizes[large]
    tab.page.locator("#order").select_option("size")
    first = tab.page.locator(".sheet h3").first.text_content()
    assert numbers(str(first))[:2] == [str(large), str(sizes[large])]


@pytest.mark.browser
def test_each_table_is_saved_whole_and_rankings_sort(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(told)
    with tab.page.expect_download() as download:
        tab.page.locator('.save[data-table="assignments"]').click()
    assert download.value.suggested_filename == "assignments.csv"
    saved = pd.read_csv(download.value.path(), dtype=str)
    assert sorted(saved["id"]) == sorted(told.members["id"])
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
def test_a_phone_shows_it_all(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(told, viewport=PHONE, has_touch=True)
    drawn(tab, "crosstab")
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.page.locator("figure").first.tap()
    assert "cluster 0" in tab.page.locator("#card").inner_text()


@pytest.mark.browser
def test_a_heat_map_shrinks_to_a_phone_while_its_cells_can_be_read(
    told: Contents, opened: Callable[..., Tab]
) -> None:
    few = told.figures["crosstab"]
    names = [f"cluster {number}" for number in range(30)]
    many = Heatmap("Wide", ["one", "two"], names, np.zeros((2, 30)), "share")
    wide = replace(told, figures={"crosstab": few, "wide": many}, notes={})
    tab = opened(wide, viewport=PHONE, has_touch=True)
    place = drawn(tab, "crosstab")
    assert place.locator(".main-svg").first.bounding_box()["width"] <= PHONE["width"]
    assert "cut" not in str(place.get_attribute("class"))
    assert place.locator(".heatmaplayer text").count() == few.values.size  # type: ignore[attr-defined]
    assert few.x_label in place.text_content()  # type: ignore[attr-defined]
    place = drawn(tab, "wide")
    assert place.evaluate("each => each.scrollWidth") > PHONE["width"]
    assert "cut" in str(place.get_attribute("class"))
    place.evaluate("each => each.scrollTo(9999, 0)")
    tab.page.locator('[data-plot="wide"]:not(.cut)').wait_for()


@pytest.mark.browser
def test_tab_reaches_everything_from_the_top_down(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(told)
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
    for what in (*controls, *sheets):
        assert reached.count(what) >= 1, what
    assert reached.count("button groups") == 1  # arrows go through the others
    tab.page.locator('nav a[href="#tables"]').press("Enter")
    assert tab.page.evaluate("location.hash") == "#tables"


@pytest.mark.browser
def test_samples_without_a_label_are_called_by_their_file_and_none_is_wrong(
    told: Contents, opened: Callable[..., Tab]
) -> None:
    first = told.members[told.members["cluster"] == 0]
    known = first["label"].where(np.arange(len(first)) < 2, "")
    labels = told.members["label"].where(told.members["cluster"] != 0, known).fillna("")
    tab = opened(replace(told, members=told.members.assign(label=labels)))
    sheet = tab.page.locator("#cluster-0")
    assert numbers(sheet.locator("h3").text_content())[-1] == "2", "of two labelled"
    said = sheet.locator("figcaption").all_text_contents()
    assert said[:3] == [*known.iloc[:2], first["id"].iloc[2]]
    assert sheet.locator("figure.wrong").count() == len(set(known) - {""}) - 1
    tab.page.locator("#colour").select_option("labels")
    names = tab.page.locator("#groups button").all_text_contents()
    assert sum(name.startswith(f"no label ({len(first) - 2})") for name in names) == 1


@pytest.mark.browser
def test_a_run_without_labels_or_images_has_a_report_too(told: Contents, opened: Callable[..., Tab]) -> None:
    bare = replace(
        told,
        members=told.members.drop(columns="label"),
        images=told.images[:0],
        classes=pd.DataFrame(),
        clusters=pd.DataFrame(),
        headlines=[],
        upper=[],
        figures={},
        notes={},
    )
    tab = opened(bare)
    assert tab.page.locator("#classes").count() == 0
    assert tab.page.locator("#cluster-0 figcaption").first.text_content() == told.members["id"].iloc[0]
    tab.page.locator("#plane[data-drawn]").wait_for()
    assert tab.page.locator("#colour, #pictured").count() == 0
    assert tab.page.locator("#figures table").count() == 0
    assert "probe" not in tab.page.locator("#figures").inner_text()
