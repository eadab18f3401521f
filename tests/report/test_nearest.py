"""The samples nearest to one, and those that a search finds."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from tests.browser import PHONE, Tab
from tests.report.conftest import omit_charts

from experiments.context import Context
from experiments.report import Contents
from experiments.report.clusters import MAX_PRODUCTS, NEAREST, nearest_members
from experiments.store.cache import Store


@pytest.fixture(scope="module")
def contents(contents: Contents) -> Contents:
    return omit_charts(contents)


@pytest.fixture
def ctx(tmp_path) -> Context:
    return Context.plain(Store(tmp_path / "store"))


def test_the_nearest_members_of_points_on_a_line(ctx: Context) -> None:
    points = np.float32([[0], [1], [3], [7]])
    assert nearest_members(points, ctx).tolist() == [[1, 2, 3], [0, 2, 3], [1, 0, 3], [2, 1, 0]]
    assert nearest_members(points[:1], ctx).shape == (1, 0)


def test_a_member_is_not_its_own_neighbour_among_equal_ones(ctx: Context) -> None:
    near = nearest_members(np.zeros((20, 3), np.float32), ctx)
    assert near.shape == (20, NEAREST)
    assert not (near == np.arange(20)[:, None]).any()


def test_rows_that_would_take_minutes_have_no_neighbours(ctx: Context) -> None:
    wide = np.broadcast_to(np.float32(0), (1000, int(MAX_PRODUCTS / 1e6) + 1))
    assert nearest_members(wide, ctx).shape == (1000, 0)


@pytest.mark.browser
def test_a_click_shows_the_nearest_and_a_search_finds(contents: Contents, opened: Callable[..., Tab]) -> None:
    tab = opened(contents)
    panel, members = tab.page.locator("#nearest"), contents.members
    shown = panel.locator("figure")

    def rows() -> list[int]:
        return [int(str(figure.get_attribute("data-row"))) for figure in shown.all()]

    tab.page.locator("#cluster-1 figure").nth(2).click()
    row = int(np.flatnonzero(members["cluster"] == 1)[2])
    assert rows() == contents.nearest[row].tolist()
    assert members["id"].iloc[row] in panel.inner_text()
    assert "python scripts/export.py 0123abcd clusters" in panel.inner_text()
    assert "clusters/data/cluster_1" in panel.inner_text()
    shown.first.press("Enter")  # the nearest of the nearest; the focus follows
    assert rows() == contents.nearest[contents.nearest[row][0]].tolist()
    assert tab.page.evaluate("document.activeElement.closest('#nearest') !== null")
    tab.page.keyboard.press("ArrowRight")
    assert shown.nth(1).evaluate("figure => figure === document.activeElement")
    tab.page.keyboard.press("Escape")
    assert panel.is_hidden()
    find = tab.page.locator("#find")
    find.fill("cluster 3")
    assert rows() == np.flatnonzero(members["cluster"] == 3)[:24].tolist()
    assert panel.locator("a").all_inner_texts() == ["cluster 3"]
    find.fill(members["id"].iloc[5].upper())
    assert 5 in rows()
    find.fill(members["label"].iloc[7])
    assert members["label"].iloc[rows()[0]] == members["label"].iloc[7]
    find.fill("no such <name>")
    assert (rows(), "no such <name>" in panel.inner_text()) == ([], True)
    find.fill("")
    assert panel.is_hidden()
    tab.page.locator("#plane canvas").focus()
    tab.page.keyboard.press("ArrowRight")
    tab.page.keyboard.press("Space")
    assert len(rows()) == NEAREST


@pytest.mark.browser
def test_the_panel_fits_on_a_phone_without_images_and_labels(
    contents: Contents, opened: Callable[..., Tab]
) -> None:
    members = contents.members.drop(columns="label")
    long_ids = members.assign(id=members["id"] + "_" + "long" * 20)
    bare = replace(contents, members=long_ids, images=contents.images[:0], facts={})
    tab = opened(bare, viewport=PHONE, has_touch=True)
    tab.page.locator("#cluster-0 figure").first.tap()
    panel = tab.page.locator("#nearest")
    assert panel.locator("figure").count() == NEAREST
    assert "export.py" not in panel.inner_text()
    box = panel.bounding_box()
    assert box["width"] <= PHONE["width"]
    assert box["height"] <= 0.46 * PHONE["height"]
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    panel.locator("button").tap()
    assert panel.is_hidden()
