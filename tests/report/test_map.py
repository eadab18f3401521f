"""The map of a report: markers, images, names, and the ways to move about on it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.browser import PHONE, Tab

from experiments.report import Contents

EDGE = 24  # pixels that the whole map leaves free on each side
PIXEL = """([across, down]) => {
  const canvas = document.querySelector("#plane canvas"), ratio = devicePixelRatio;
  return [...canvas.getContext("2d").getImageData(across * ratio, down * ratio, 1, 1).data];
}"""

pytestmark = pytest.mark.browser


def points(tab: Tab, told: Contents, zoom: float = 1) -> np.ndarray:
    """Return where the samples are on the canvas, float (m, 2), zoomed at its middle."""
    (places,) = told.maps.values()
    size = np.array([tab.page.evaluate(f"document.querySelector('#plane').client{side}") for side in SIDES])
    flipped = places * [1, -1]
    low, high = flipped.min(axis=0), flipped.max(axis=0)
    scale = zoom * ((size - 2 * EDGE) / (high - low)).min()
    found: np.ndarray = size / 2 + (flipped - (low + high) / 2) * scale
    return found


SIDES = ("Width", "Height")


def ready(opened: Callable[..., Tab], told: Contents, *, images: bool = False, **settings: Any) -> Tab:
    """Open the report at its map, without images unless asked for."""
    tab = opened(told, **settings)
    tab.page.locator("#map").evaluate("section => section.scrollIntoView()")
    tab.page.locator("#plane[data-drawn]").wait_for()
    if not images:
        tab.page.locator("#pictured input").uncheck()
    return tab


def point(tab: Tab, place: np.ndarray) -> None:
    """Move the mouse to a place of the canvas."""
    box = tab.page.locator("#plane canvas").bounding_box()
    tab.page.mouse.move(box["x"] + place[0], box["y"] + place[1])


def said(tab: Tab) -> list[str]:
    """Read the card."""
    card = tab.page.locator("#card")
    card.wait_for()
    return str(card.inner_text()).strip().splitlines()


def alone(places: np.ndarray) -> int:
    """Return the place that is furthest from its neighbours."""
    return apart(places, np.inf, np.inf)


def apart(places: np.ndarray, right: float, low: float) -> int:
    """Return the place that is furthest from its neighbours, of those between the corner and these ends."""
    away = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(away, np.inf)
    inside = ((places > 20) & (places < [right, low])).all(axis=1)
    return int(np.where(inside, away.min(axis=1), -1).argmax())


def test_what_is_at_the_pointer_is_told(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = ready(opened, told)
    places = points(tab, told)
    far = alone(places)
    about = told.members.iloc[far]
    point(tab, places[far] + 5)
    assert said(tab) == [about["id"], f"cluster {about['cluster']}", f"label {about['label']}"]
    assert tab.page.locator("#card i").count() == 1
    assert tab.page.evaluate(PIXEL, places[far].tolist())[3] > 0
    tab.page.mouse.move(5, 5)
    tab.page.locator("#card").wait_for(state="hidden")


def test_the_images_nearest_to_a_centre_are_on_the_map(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = ready(opened, told, images=True)
    first = points(tab, told)[0]
    tab.page.wait_for_function(
        f"(at) => {{ const [r, g, b, a] = ({PIXEL})(at); return a === 255 && r === g && g === b; }}",
        arg=first.tolist(),
    )
    point(tab, first + 15)  # a corner of the image, where other samples are nearer
    assert said(tab)[0] == told.members["id"].iloc[0]


def test_a_click_on_a_name_hides_it_and_two_show_it_alone(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = ready(opened, told)
    places = points(tab, told)
    far = alone(places)
    own = int(told.members["cluster"].iloc[far])
    names = tab.page.locator("#groups button")
    sizes = told.members["cluster"].value_counts().sort_index()
    assert names.all_inner_texts()[own].startswith(f"cluster {own} ({sizes[own]})")
    there = f"(at) => ({PIXEL})(at)[3] > 0"
    names.nth(own).click()
    assert names.nth(own).get_attribute("aria-pressed") == "false"
    tab.page.wait_for_function(f"(at) => !({there})(at)", arg=places[far].tolist())
    point(tab, places[far])
    tab.page.locator("#card").wait_for(state="hidden")
    names.nth(own).dblclick()
    tab.page.wait_for_function(there, arg=places[far].tolist())
    shown = [button.get_attribute("aria-pressed") for button in names.all()]
    assert [number for number, pressed in enumerate(shown) if pressed == "true"] == [own]
    tab.page.locator('[data-all="yes"]').click()
    assert names.nth(own - 1).get_attribute("aria-pressed") == "true"


def test_it_zooms_moves_and_comes_back(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = ready(opened, told)
    page, before = tab.page, points(tab, told)
    after = points(tab, told, zoom=2)
    one = apart(after, 600, 400)
    name = told.members["id"].iloc[one]
    page.locator('[data-zoom="2"]').click()
    point(tab, after[one])
    assert said(tab)[0] == name
    page.mouse.down()
    point(tab, after[one] + [50, 30])
    page.mouse.up()
    point(tab, after[one] + [51, 31])
    assert said(tab)[0] == name
    page.locator('[data-zoom="0"]').click()
    point(tab, before[alone(before)])
    assert said(tab)[0] == told.members["id"].iloc[alone(before)]
    scrolled = page.evaluate("scrollY")
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.locator("#card").wait_for(state="hidden")
    page.keyboard.up("Control")
    assert page.evaluate("scrollY") == scrolled
    at = before[alone(before)]
    after = at + 1.003**200 * (before - at)  # what is at the pointer stays there
    one = apart(after, 600, 400)
    point(tab, after[one])
    assert said(tab)[0] == told.members["id"].iloc[one]


def test_it_is_coloured_by_label_too(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = ready(opened, told)
    tab.page.locator("#colour").select_option("labels")
    names = [str(name).split(" ")[0] for name in tab.page.locator("#groups button").all_inner_texts()]
    assert names == sorted(set(told.members["label"]))


def test_several_maps_are_chosen_from(told: Contents, opened: Callable[..., Tab]) -> None:
    (places,) = told.maps.values()
    tab = ready(opened, replace(told, maps={"UMAP": places, "t-SNE": places[::-1] * [1, 2]}))
    assert tab.page.locator("#plane .across").inner_text() == "UMAP 1 →"
    tab.page.locator("#layout").select_option("1")
    assert tab.page.locator("#plane .across").inner_text() == "t-SNE 1 →"
    tab.page.locator("#layout").select_option("0")
    at = points(tab, told)
    point(tab, at[alone(at)])
    assert said(tab)[0] == told.members["id"].iloc[alone(at)]


def test_the_keyboard_goes_from_sample_to_sample_and_to_the_cluster(
    told: Contents, opened: Callable[..., Tab]
) -> None:
    tab = ready(opened, told)
    tab.page.locator("#plane canvas").focus()
    tab.page.keyboard.press("ArrowRight")
    first = said(tab)[0]
    across = dict(zip(told.members["id"], points(tab, told)[:, 0], strict=True))
    tab.page.keyboard.press("ArrowRight")
    second = said(tab)
    assert across[second[0]] > across[first]
    tab.page.keyboard.press("+")
    assert said(tab)[0] == second[0]
    tab.page.keyboard.press("Enter")
    focused = tab.page.locator("figure:focus")
    assert focused.evaluate("tile => tile.closest('.sheet').id") == second[1].replace(" ", "-")
    assert said(tab)[1] == second[1]
    tab.page.keyboard.press("ArrowRight")
    rows = told.members[told.members["cluster"] == int(second[1].split()[1])]
    assert said(tab)[0] == rows["id"].iloc[1]


def test_two_fingers_zoom_and_one_moves_the_page(told: Contents, opened: Callable[..., Tab]) -> None:
    tab = ready(opened, told, viewport=PHONE, has_touch=True)
    page, after = tab.page, points(tab, told, zoom=3)
    box = page.locator("#plane canvas").bounding_box()
    middle = np.array([box["x"] + box["width"] / 2, box["y"] + box["height"] / 2])
    right, low = np.array([1, 0]), np.array([0, 1])
    fingers = page.context.new_cdp_session(page)

    def touch(kind: str, *places: np.ndarray) -> None:
        touched = [{"x": place[0], "y": place[1], "id": number} for number, place in enumerate(places)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touched})

    scrolled = page.evaluate("scrollY")
    touch("touchStart", middle - 40 * right, middle + 40 * right)
    for down in (-40, -80, 0):
        touch("touchMove", middle - 40 * right + down * low, middle + 40 * right + down * low)
    for away in (60, 90, 120):
        touch("touchMove", middle - away * right, middle + away * right)
    touch("touchEnd")
    assert page.evaluate("scrollY") == scrolled
    one = apart(after, 340, 400)
    page.touchscreen.tap(*(np.array([box["x"], box["y"]]) + after[one]))
    assert said(tab)[0] == told.members["id"].iloc[one]
    touch("touchStart", middle)
    for down in (20, 60, 100):
        touch("touchMove", middle - down * low)
    touch("touchEnd")
    page.wait_for_function("(before) => scrollY > before", arg=scrolled)


def test_noise_is_grey_and_comes_last(told: Contents, opened: Callable[..., Tab]) -> None:
    places = next(iter(told.maps.values()))
    far = alone(places)
    own = told.members["cluster"].iloc[far]
    noisy = told.members.assign(cluster=told.members["cluster"].replace({own: -1}))
    tab = ready(opened, replace(told, members=noisy))
    names = tab.page.locator("#groups button").all_inner_texts()
    assert names[-1] == f"noise ({(noisy['cluster'] < 0).sum()})"
    assert names[0].startswith("cluster ")
    red, green, blue, _ = tab.page.evaluate(PIXEL, points(tab, told)[far].tolist())
    assert red == green == blue
    point(tab, points(tab, told)[far])
    assert said(tab)[1] == "noise"
