"""The map of a report: markers, images, legend and navigation."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.browser import PHONE, Tab
from tests.report.conftest import omit_charts

from experiments.report import Contents

EDGE = 24  # pixels of the margin around the whole map
PIXEL = """([across, down]) => {
  const canvas = document.querySelector("#plane canvas"), ratio = devicePixelRatio;
  return [...canvas.getContext("2d").getImageData(across * ratio, down * ratio, 1, 1).data];
}"""

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def contents(contents: Contents) -> Contents:
    return omit_charts(contents)


def canvas_points(tab: Tab, contents: Contents, zoom: float = 1) -> np.ndarray:
    """Return the samples' positions on the canvas, float (m, 2); `zoom` is around its middle."""
    (coordinates,) = contents.maps.values()
    size = np.array([tab.page.evaluate(f"document.querySelector('#plane').client{side}") for side in SIDES])
    flipped = coordinates * [1, -1]
    low, high = flipped.min(axis=0), flipped.max(axis=0)
    scale = zoom * ((size - 2 * EDGE) / (high - low)).min()
    positions: np.ndarray = size / 2 + (flipped - (low + high) / 2) * scale
    return positions


SIDES = ("Width", "Height")


def open_map(opened: Callable[..., Tab], contents: Contents, *, images: bool = False, **settings: Any) -> Tab:
    """Open the report at its map, with images only if `images`."""
    tab = opened(contents, **settings)
    tab.page.locator("#map").evaluate("section => section.scrollIntoView()")
    tab.page.locator("#plane[data-drawn]").wait_for()
    if not images:
        tab.page.locator("#pictured input").uncheck()
    return tab


def point_at(tab: Tab, position: np.ndarray) -> None:
    """Move the mouse to a position on the canvas."""
    box = tab.page.locator("#plane canvas").bounding_box()
    tab.page.mouse.move(box["x"] + position[0], box["y"] + position[1])


def card_lines(tab: Tab) -> list[str]:
    """Return the lines of the card."""
    card = tab.page.locator("#card")
    card.wait_for()
    return str(card.inner_text()).strip().splitlines()


def most_isolated(points: np.ndarray) -> int:
    """Return the row of the point that is farthest from its neighbours."""
    return most_isolated_within(points, np.inf, np.inf)


def most_isolated_within(points: np.ndarray, right: float, low: float) -> int:
    """Return the row of the most isolated point, among those left of `right` and above `low`."""
    distance = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(distance, np.inf)
    inside = ((points > 20) & (points < [right, low])).all(axis=1)
    return int(np.where(inside, distance.min(axis=1), -1).argmax())


def test_the_card_describes_the_sample_below_the_pointer(
    contents: Contents, opened: Callable[..., Tab]
) -> None:
    tab = open_map(opened, contents)
    points = canvas_points(tab, contents)
    row = most_isolated(points)
    member = contents.members.iloc[row]
    point_at(tab, points[row] + 5)
    assert card_lines(tab) == [member["id"], f"cluster {member['cluster']}", f"label {member['label']}"]
    assert tab.page.locator("#card i").count() == 1
    assert tab.page.evaluate(PIXEL, points[row].tolist())[3] > 0
    tab.page.mouse.move(5, 5)
    tab.page.locator("#card").wait_for(state="hidden")


def test_the_images_nearest_to_a_centre_are_on_the_map(
    contents: Contents, opened: Callable[..., Tab]
) -> None:
    tab = open_map(opened, contents, images=True)
    first = canvas_points(tab, contents)[0]
    tab.page.wait_for_function(
        f"(at) => {{ const [r, g, b, a] = ({PIXEL})(at); return a === 255 && r === g && g === b; }}",
        arg=first.tolist(),
    )
    point_at(tab, first + 15)  # a corner of the image, where other samples are nearer
    assert card_lines(tab)[0] == contents.members["id"].iloc[0]


def test_a_click_in_the_legend_hides_a_cluster_and_a_double_click_shows_only_it(
    contents: Contents, opened: Callable[..., Tab]
) -> None:
    tab = open_map(opened, contents)
    points = canvas_points(tab, contents)
    row = most_isolated(points)
    cluster = int(contents.members["cluster"].iloc[row])
    names = tab.page.locator("#groups button")
    sizes = contents.members["cluster"].value_counts().sort_index()
    assert names.all_inner_texts()[cluster].startswith(f"cluster {cluster} ({sizes[cluster]})")
    drawn = f"(at) => ({PIXEL})(at)[3] > 0"
    names.nth(cluster).click()
    assert names.nth(cluster).get_attribute("aria-pressed") == "false"
    tab.page.wait_for_function(f"(at) => !({drawn})(at)", arg=points[row].tolist())
    point_at(tab, points[row])
    tab.page.locator("#card").wait_for(state="hidden")
    names.nth(cluster).dblclick()
    tab.page.wait_for_function(drawn, arg=points[row].tolist())
    shown = [button.get_attribute("aria-pressed") for button in names.all()]
    assert [number for number, pressed in enumerate(shown) if pressed == "true"] == [cluster]
    tab.page.locator('[data-all="yes"]').click()
    assert names.nth(cluster - 1).get_attribute("aria-pressed") == "true"


def test_the_map_zooms_pans_and_resets(contents: Contents, opened: Callable[..., Tab]) -> None:
    tab = open_map(opened, contents)
    page, before = tab.page, canvas_points(tab, contents)
    after = canvas_points(tab, contents, zoom=2)
    row = most_isolated_within(after, 600, 400)
    name = contents.members["id"].iloc[row]
    page.locator('[data-zoom="2"]').click()
    point_at(tab, after[row])
    assert card_lines(tab)[0] == name
    page.mouse.down()
    point_at(tab, after[row] + [50, 30])
    page.mouse.up()
    point_at(tab, after[row] + [51, 31])
    assert card_lines(tab)[0] == name
    page.locator('[data-zoom="0"]').click()
    point_at(tab, before[most_isolated(before)])
    assert card_lines(tab)[0] == contents.members["id"].iloc[most_isolated(before)]
    scrolled = page.evaluate("scrollY")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.locator("#card").wait_for(state="hidden")
    page.keyboard.up("Control")
    assert page.evaluate("scrollY") == scrolled
    pointer = before[most_isolated(before)]
    after = pointer + 1.003**200 * (before - pointer)  # the pointer is the centre of the zoom
    row = most_isolated_within(after, 600, 400)
    point_at(tab, after[row])
    assert card_lines(tab)[0] == contents.members["id"].iloc[row]


def test_the_map_is_coloured_by_label(contents: Contents, opened: Callable[..., Tab]) -> None:
    tab = open_map(opened, contents)
    tab.page.locator("#colour").select_option("labels")
    names = [str(name).split(" ")[0] for name in tab.page.locator("#groups button").all_inner_texts()]
    assert names == sorted(set(contents.members["label"]))


def test_another_map_can_be_selected(contents: Contents, opened: Callable[..., Tab]) -> None:
    (coordinates,) = contents.maps.values()
    tab = open_map(opened, replace(contents, maps={"UMAP": coordinates, "t-SNE": coordinates[::-1] * [1, 2]}))
    assert tab.page.locator("#plane .across").inner_text() == "UMAP 1 →"
    tab.page.locator("#layout").select_option("1")
    assert tab.page.locator("#plane .across").inner_text() == "t-SNE 1 →"
    tab.page.locator("#layout").select_option("0")
    points = canvas_points(tab, contents)
    point_at(tab, points[most_isolated(points)])
    assert card_lines(tab)[0] == contents.members["id"].iloc[most_isolated(points)]


def test_the_keyboard_moves_between_samples_and_to_the_cluster(
    contents: Contents, opened: Callable[..., Tab]
) -> None:
    tab = open_map(opened, contents)
    tab.page.locator("#plane canvas").focus()
    tab.page.keyboard.press("ArrowRight")
    first = card_lines(tab)[0]
    across = dict(zip(contents.members["id"], canvas_points(tab, contents)[:, 0], strict=True))
    tab.page.keyboard.press("ArrowRight")
    second = card_lines(tab)
    assert across[second[0]] > across[first]
    tab.page.keyboard.press("+")
    assert card_lines(tab)[0] == second[0]
    tab.page.keyboard.press("Enter")
    focused = tab.page.locator("figure:focus")
    assert focused.evaluate("tile => tile.closest('.sheet').id") == second[1].replace(" ", "-")
    assert card_lines(tab)[1] == second[1]
    tab.page.keyboard.press("ArrowRight")
    rows = contents.members[contents.members["cluster"] == int(second[1].split()[1])]
    assert card_lines(tab)[0] == rows["id"].iloc[1]


def test_two_fingers_zoom_and_one_scrolls_the_page(contents: Contents, opened: Callable[..., Tab]) -> None:
    tab = open_map(opened, contents, viewport=PHONE, has_touch=True)
    page, after = tab.page, canvas_points(tab, contents, zoom=3)
    box = page.locator("#plane canvas").bounding_box()
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    right, low = np.array([1, 0]), np.array([0, 1])
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *points: np.ndarray) -> None:
        touched = [{"x": point[0], "y": point[1], "id": number} for number, point in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})

    scrolled = page.evaluate("scrollY")
    touch("touchStart", middle - 40 * right, middle + 40 * right)
    for down in (-40, -80, 0):
        touch("touchMove", middle - 40 * right + down * low, middle + 40 * right + down * low)
    for away in (60, 90, 120):
        touch("touchMove", middle - away * right, middle + away * right)
    touch("touchEnd")
    assert page.evaluate("scrollY") == scrolled
    row = most_isolated_within(after, 340, 400)
    page.touchscreen.tap(*(np.array([box["x"], box["y"]]) + after[row]))
    assert card_lines(tab)[0] == contents.members["id"].iloc[row]
    touch("touchStart", middle)
    for down in (20, 60, 100):
        touch("touchMove", middle - down * low)
    touch("touchEnd")
    page.wait_for_function("(before) => scrollY > before", arg=scrolled)


def test_noise_is_grey_and_comes_last(contents: Contents, opened: Callable[..., Tab]) -> None:
    coordinates = next(iter(contents.maps.values()))
    row = most_isolated(coordinates)
    cluster = contents.members["cluster"].iloc[row]
    noisy = contents.members.assign(cluster=contents.members["cluster"].replace({cluster: -1}))
    tab = open_map(opened, replace(contents, members=noisy))
    names = tab.page.locator("#groups button").all_inner_texts()
    assert names[-1] == f"noise ({(noisy['cluster'] < 0).sum()})"
    assert names[0].startswith("cluster ")
    red, green, blue, _ = tab.page.evaluate(PIXEL, canvas_points(tab, contents)[row].tolist())
    assert red == green == blue
    point_at(tab, canvas_points(tab, contents)[row])
    assert card_lines(tab)[1] == "noise"
