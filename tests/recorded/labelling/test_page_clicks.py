"""The labelling page used in a real browser with mouse and keyboard."""

import pandas as pd
import pytest
from tests.recorded.labelling.pages import (
    Opener,
    animals,
    applied,
    captions,
    counts,
    label,
    numbers,
    rows,
    tile,
)


@pytest.mark.browser
def test_a_label_is_chosen_shown_counted_listed_and_taken_back(opened: Opener) -> None:
    tab = opened(animals())
    assert captions(tab, 0) == ["dog ?", *["cat"] * 5]
    assert counts(tab) == [0, 2]
    tile(tab, "c4.png").click()
    assert tab.page.locator("#offered li").all_inner_texts() == [
        "catthe cluster's majority",
        "dogas it is: confirm",
    ]
    tab.page.locator("#offered li", has_text="majority").click()
    assert captions(tab, 0) == ["dog → cat", *["cat"] * 5]
    assert counts(tab) == [1, 1]
    tab.page.locator("#changes summary").click()
    assert tab.page.locator("#list li").all_inner_texts() == ["take back f/c4.png: dog → cat"]
    assert applied(tab) == {"c4.png": "cat"}
    tile(tab, "c4.png").click()
    tab.page.locator("#take-back").click()
    assert captions(tab, 0) == ["dog ?", *["cat"] * 5]
    assert counts(tab) == [0, 2]
    assert applied(tab) == {}


@pytest.mark.browser
def test_a_new_label_is_offered_later_and_undo_removes_it(opened: Opener) -> None:
    tab = opened(animals())
    label(tab, "c1.png", "lynx")
    tile(tab, "c2.png").click()
    tab.page.locator("#typed").fill("LY")
    assert tab.page.locator("#offered li").all_inner_texts() == ["lynx", "LYa new label"]
    tab.page.locator("#typed").press("Escape")
    tab.page.keyboard.press("Control+z")
    assert counts(tab) == [0, 2]
    assert tab.page.locator("#undo").is_disabled()


@pytest.mark.browser
def test_a_confirmed_label_is_no_longer_doubtful(opened: Opener) -> None:
    tab = opened(animals())
    label(tab, "d0.png", "cat")
    assert captions(tab, 1)[0] == "cat ✓"
    assert counts(tab) == [1, 1]
    assert applied(tab) == {"d0.png": "cat"}


@pytest.mark.browser
def test_several_are_selected_with_shift_and_labelled_at_once(opened: Opener) -> None:
    tab = opened(animals())
    tile(tab, "c0.png").click(modifiers=["Control"])
    tile(tab, "c2.png").click(modifiers=["Shift"])
    tile(tab, "d4.png").click(modifiers=["Control"])
    assert tab.page.locator("#selection strong").inner_text() == "4 selected"
    tab.page.locator("#label").click()
    tab.page.locator("#typed").fill("lynx")
    tab.page.locator("#typed").press("Enter")
    assert applied(tab) == dict.fromkeys(["c0.png", "c1.png", "c2.png", "d4.png"], "lynx")
    assert tab.page.locator("#selection").is_hidden()


@pytest.mark.browser
def test_everything_works_with_the_keyboard(opened: Opener) -> None:
    tab = opened(animals())
    keys = tab.page.keyboard
    tab.page.locator("#search").focus()
    for key in ("Tab", "Tab", "ArrowRight", "Shift+ArrowRight", "Enter", "l", "y", "n", "x", "Enter"):
        keys.press(key)  # the button of the cluster comes first
    assert applied(tab) == {"c0.png": "lynx", "c1.png": "lynx"}
    tile(tab, "c1.png").focus()
    for key in ("Delete", "End", "ArrowRight", "d", "Enter"):
        keys.press(key)
    assert applied(tab) == {"c0.png": "lynx", "d0.png": "dog"}
    tile(tab, "d0.png").focus()
    keys.press("Control+a")
    assert tab.page.locator("#selection strong").inner_text() == "5 selected"
    for key in ("Enter", "Escape", "Escape"):  # the dialog first, then the selection
        keys.press(key)
    assert tab.page.locator("#selection").is_hidden()
    tab.page.locator(".tile[title^='f/d4.png']:focus").wait_for()  # as the dialog closes
    assert counts(tab) == [2, 1]


@pytest.mark.browser
def test_a_clusters_majority_is_accepted_for_all_undecided_images(opened: Opener) -> None:
    tab = opened(animals())
    label(tab, "c1.png", "lynx")
    button = tab.page.locator("#c0 .accept:visible")
    assert button.all_inner_texts() == ["accept “cat” for the one labelled otherwise"]
    button.click()
    assert applied(tab) == {"c1.png": "lynx", "c4.png": "cat"}
    assert tab.page.locator("#c0 .accept:visible").count() == 0
    assert tab.page.locator("#c-1 .accept:visible").count() == 0


def partly_labelled() -> pd.DataFrame:
    """Return a cluster of 3 cats, 2 dogs and 4 unlabelled images, and a cluster without labels."""
    labels = ["cat", "dog", "", "cat", "", "dog", "", "cat", ""]
    named = [(f"a{number}.png", 0, label, "cat") for number, label in enumerate(labels)]
    return rows(*named, ("b0.png", 1, "", ""))


@pytest.mark.browser
def test_unlabelled_images_are_counted_shown_and_accepted_separately(opened: Opener) -> None:
    tab = opened(partly_labelled())
    assert counts(tab) == [0, 2, 5]
    assert captions(tab, 0) == ["dog ?"] * 2 + ["no label"] * 4 + ["cat"] * 3
    head = tab.page.locator("#c0 .head span")
    assert " cat " in head.inner_text()
    assert numbers(head.inner_text()) == [9, 60, 5, 4, 2]
    assert numbers(tab.page.locator("#c1 .head span").inner_text()) == [1, 1]
    tab.page.locator("#filter").select_option("unlabelled")
    assert tab.page.locator(".tile:visible").count() == 5
    buttons = tab.page.locator("#c0 .accept:visible")
    assert buttons.all_inner_texts() == [
        "accept “cat” for the 4 without a label", "accept “cat” for the 2 labelled otherwise"
    ]  # fmt: skip
    buttons.first.click()
    assert applied(tab) == dict.fromkeys(["a2.png", "a4.png", "a6.png", "a8.png"], "cat")
    assert counts(tab) == [4, 2, 1]
    assert numbers(head.inner_text()) == [9, 78, 9, 2, 4]
    assert buttons.all_inner_texts() == ["accept “cat” for the 2 labelled otherwise"]


@pytest.mark.browser
def test_removing_a_label_is_a_decision(opened: Opener) -> None:
    tab = opened(partly_labelled())
    tile(tab, "a1.png").click()
    tab.page.locator("#none").click()
    assert "dog → no label" in captions(tab, 0)
    assert counts(tab) == [1, 1, 5]
    assert applied(tab) == {"a1.png": "'-"}
    assert tab.page.locator("#said").inner_text().startswith("labels_0123abcd.csv")
    tile(tab, "a5.png").click()
    tab.page.locator("#typed").fill("-")
    assert tab.page.locator("#offered li").all_inner_texts() == ["-no label"]
    tab.page.locator("#typed").press("Escape")
    texts = tab.page.locator("#c0 .accept:visible").all_inner_texts()
    assert texts[1] == "accept “cat” for the one labelled otherwise"


@pytest.mark.browser
def test_changes_survive_closing_and_appear_in_a_second_tab(opened: Opener) -> None:
    tab = opened(animals())
    label(tab, "c4.png", "cat")
    tab.page.reload()
    tab.page.locator(".tile", has_text="dog → cat").wait_for()  # drawn once the page has restored it
    assert captions(tab, 0)[0] == "dog → cat"
    other = tab.open()
    other.locator(".tile", has_text="dog → cat").click()
    other.locator("#take-back").click()
    tab.page.locator("#counts", has_text="0 changes").wait_for()
    assert captions(tab, 0)[0] == "dog ?"


@pytest.mark.browser
def test_a_browser_without_storage_has_a_warning(opened: Opener) -> None:
    tab = opened(animals(), alone=True)
    assert tab.page.locator("#warning").is_hidden()
    tab.context.add_init_script(
        "Object.defineProperty(window, 'localStorage',"
        "{ get() { throw new DOMException('', 'SecurityError') } })"
    )
    tab.page.reload()
    assert "export the CSV before you close" in tab.page.locator("#warning").inner_text()
    label(tab, "c4.png", "cat")
    assert applied(tab) == {"c4.png": "cat"}


@pytest.mark.browser
def test_filters_show_doubtful_changed_or_found_images(opened: Opener) -> None:
    tab = opened(animals())
    shown = tab.page.locator(".tile:visible")
    tab.page.locator("#filter").select_option("doubtful")
    assert shown.count() == 2
    label(tab, "c4.png", "cat")
    assert shown.count() == 2  # what was just changed does not vanish under the pointer
    tab.page.locator("#filter").select_option("changed")
    assert shown.count() == 1
    assert tab.page.locator("section:visible").count() == 1
    tab.page.locator("#filter").select_option("all")
    tab.page.locator("#search").fill("D3.P")
    assert shown.all_inner_texts() == ["dog"]
