"""The labelling page: its content, and the tables that it imports and exports."""

import io
import re
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from tests.browser import PHONE
from tests.messages import says
from tests.recorded.labelling.pages import (
    Opener,
    animals,
    applied,
    captions,
    counts,
    exported,
    images,
    label,
    rows,
    tile,
    upload,
)

from experiments.figures.html.tiles import MAX_IMAGES, tile_side
from experiments.recorded.labelling import template
from experiments.recorded.labelling.checking import edits
from experiments.recorded.labelling.page import check_file, display_order, render, select_rows
from experiments.recorded.labelling.template import doubtful

pytestmark = pytest.mark.slow

PLAIN = [
    'comma, "quoted"',
    "two\nlines",
    "-3",
    "+2e5",
    "it's",
    "'quoted'",
    "=1+1",
    "'=x",
    "@me",
    "-",
    "+a",
    "\nx",
]


def test_a_page_of_ten_thousand_images_has_room_for_them() -> None:
    assert tile_side(MAX_IMAGES) == 48
    assert MAX_IMAGES * tile_side(MAX_IMAGES) ** 2 <= 24_000_000
    assert tile_side(3) == 96


def test_a_page_of_ten_thousand_images_stays_below_fifteen_megabytes() -> None:
    count, pixels = MAX_IMAGES, tile_side(MAX_IMAGES)
    rough = np.random.default_rng(0).integers(16, 240, (count, pixels // 8, pixels // 8, 3), np.uint8)
    fine = np.random.default_rng(1).integers(0, 16, (pixels, pixels, 1), np.uint8)  # sensors have noise too
    pictures = rough.repeat(8, axis=1).repeat(8, axis=2) + fine
    table = rows(*[(f"a_folder_of_images/image_{row:05}.jpg", row % 233, "x", "x") for row in range(count)])
    assert 5e6 < len(render(table, pictures, run="0123abcd", name="many")) < 15e6


def test_doubtful_rows_disagree_and_are_not_corrected() -> None:
    table = animals()
    assert table["file"][doubtful(table)].to_list() == ["c4.png", "d0.png"]
    table.loc[table["file"] == "c4.png", "applied_label"] = "dog"
    assert table["file"][doubtful(table)].to_list() == ["d0.png"]


def test_clusters_are_ordered_with_doubtful_rows_first_and_noise_last() -> None:
    table = animals()
    shown = table.iloc[display_order(table)]
    assert shown["cluster"].to_list() == [0] * 6 + [1] * 5 + [-1] * 2
    assert shown["file"].to_list()[:3] == ["c4.png", "c0.png", "c1.png"]
    assert shown["file"].to_list()[6] == "d0.png"


def test_doubtful_rows_are_selected_first() -> None:
    table = animals()
    assert select_rows(table, 13) is table
    six = select_rows(table, 6)
    assert set(six["file"]) == {"c4.png", "d0.png", "c0.png", "d1.png", "n0.png", "c1.png"}
    assert six["file"].to_list() == [file for file in table["file"] if file in set(six["file"])]
    assert set(select_rows(table, 2)["file"]) == {"c4.png", "d0.png"}
    text = render(six, images(6), run="0123abcd", name="animals", left_out=7)
    assert "7 more" in text


def test_a_page_has_no_external_links_and_escapes_texts() -> None:
    table = rows(("a</script><img src=x>.png", 0, "<b>", "<b>"), ("b.png", 0, "<b>", "<b>"))
    text = render(table, images(2), run="0123abcd", name="<animals>")
    assert not re.search(r"(https?:)?//[a-z]", re.sub(r"base64,[^)]*", "", text))
    assert "<img" not in text
    assert "<b>.png" not in text
    assert text.count("</script>") == 2


@pytest.mark.parametrize("name", ["label_overrides_template.csv", "page"])
def test_a_page_is_never_written_over_a_table(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError) as error:
        check_file(tmp_path / name)
    says(error, key=f"FILE={tmp_path / name}", use="labels.html")
    check_file(tmp_path / "labels.html")
    with pytest.raises(ValueError) as error:
        check_file(tmp_path / "gone" / "labels.html")
    says(error, key=f"FILE={tmp_path}/gone/labels.html", use="create it first")


@pytest.mark.browser
@pytest.mark.parametrize("names", [PLAIN, [*PLAIN, "naïve Ünï 猫"]], ids=["ascii", "unicode"])
def test_an_unedited_export_is_the_template(opened: Opener, tmp_path: Path, names: list[str]) -> None:
    table = rows(
        *[(f"{number}.png", number % 2, name, names[number % 2]) for number, name in enumerate(names)]
    )
    tab = opened(table)
    exported(tab)
    template.write(table, tmp_path / "template.csv")
    assert tab.exports[-1] == (tmp_path / "template.csv").read_bytes()


@pytest.mark.browser
def test_an_export_can_be_applied(opened: Opener, tmp_path: Path) -> None:
    table = animals()
    tab = opened(table)
    for file, name in {"c4.png": "=1+1", "d0.png": "'=x", "n0.png": 'a "b", c'}.items():
        label(tab, file, name)
    exported(tab)
    (tmp_path / "edited.csv").write_bytes(tab.exports[-1])
    read = edits(tmp_path / "edited.csv", table["image_id"].to_list(), {"cat", "dog"}, accept_new=False)
    assert read.labels == {"f/c4.png": "=1+1", "f/d0.png": "'=x", "f/n0.png": 'a "b", c'}
    assert read.missing == 0


@pytest.mark.browser
def test_an_exported_formula_is_escaped(opened: Opener) -> None:
    tab = opened(animals())
    label(tab, "c0.png", "=cmd|' /C calc'!A0")
    label(tab, "c1.png", "-3.5")
    text = exported(tab)
    assert applied(tab) == {"c0.png": "'=cmd|' /C calc'!A0", "c1.png": "-3.5"}
    tab.page.locator("#undo").click()
    tab.page.locator("#undo").click()
    upload(tab, text.encode())
    assert captions(tab, 0)[1:3] == ["cat → =cmd|' /C calc'!A0", "cat → -3.5"]


@pytest.mark.browser
@pytest.mark.parametrize(("separator", "encoding"), [(",", "utf-8-sig"), (";", "cp1252"), ("\t", "utf-8")])
def test_a_table_saved_by_a_spreadsheet_is_imported(opened: Opener, separator: str, encoding: str) -> None:
    table = animals()
    table.loc[table["file"] == "c0.png", "applied_label"] = 'Löwe "x", y; z'
    tab = opened(animals())
    message = upload(tab, table.to_csv(index=False, sep=separator, lineterminator="\r\n").encode(encoding))
    says(message, key="edited.csv: 13 rows", use="1 label")
    assert applied(tab) == {"c0.png": 'Löwe "x", y; z'}


@pytest.mark.browser
def test_a_table_that_names_its_separator_is_imported(opened: Opener) -> None:
    tab = opened(animals())
    content = b"sep=;\r\nimage_id;applied_label\r\nf/c0.png;a,b,c\r\nf/zz.png;x\r\n"
    message = upload(tab, content)
    says(message, key="edited.csv: 2 rows", use="1 label")
    says(message, key="1 row", use="line 4: f/zz.png")
    assert applied(tab) == {"c0.png": "a,b,c"}


@pytest.mark.browser
def test_an_id_is_imported_without_surrounding_spaces(opened: Opener) -> None:
    table = animals()
    table["image_id"] = [f" {name} " for name in table["image_id"]]
    tab = opened(table)
    says(upload(tab, b"image_id,applied_label\nf/c0.png,lynx\n"), key="edited.csv: 1 row", use="1 label")
    assert applied(tab) == {"c0.png": "lynx"}


@pytest.mark.browser
def test_exact_ids_and_labels_are_preferred_on_import(opened: Opener) -> None:
    table = animals()
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    renamed = {"f/c0.png": " f/c1.png", "f/c2.png": f"{decomposed}.png"}
    table["image_id"] = table["image_id"].replace(renamed)
    table["current_label"] = table["current_label"].replace({"cat": decomposed})
    tab = opened(table)
    text = f"image_id,applied_label\n f/c1.png, lynx \n{composed}.png,{composed}\n"
    says(upload(tab, text.encode()), key="edited.csv: 2 rows", use="2 labels")
    assert applied(tab) == {"c0.png": "lynx", "c2.png": decomposed}


@pytest.mark.browser
def test_a_table_that_does_not_match_is_reported(opened: Opener) -> None:
    tab = opened(animals())
    message = upload(tab, b"image_id,applied_label\nf/c0.png,lynx\nf/zz.png,lynx\n")
    says(message, key="edited.csv: 2 rows", use="1 label")
    says(message, key="1 row", use="line 3: f/zz.png")
    for content, key, why in (
        (b"a,b\n1,2\n", "image_id", "applied_label"),
        (b"", "image_id", "applied_label"),
        (b'image_id,applied_label\nf/c1.png,"lynx\n', "line 2", "quotation mark"),
        (b"image_id,file,applied_label\nf/c1.png,lynx\n", "line 2 has 2 cells", "3"),
    ):
        says(upload(tab, content), key=key, use=why)
    assert applied(tab) == {"c0.png": "lynx"}


@pytest.mark.browser
def test_an_earlier_correction_can_be_changed_and_restored(opened: Opener) -> None:
    table = animals()
    table.loc[table["file"] == "c4.png", "applied_label"] = "lynx"
    tab = opened(table)
    assert captions(tab, 0)[1:] != []
    assert "dog → lynx" in captions(tab, 0)
    assert counts(tab) == [0, 1]
    label(tab, "c4.png", "cat")
    assert applied(tab) == {"c4.png": "cat"}
    tab.page.locator("#changes summary").click()
    tab.page.locator("#list button").click()
    assert applied(tab) == {"c4.png": "lynx"}


@pytest.mark.browser
def test_images_without_labels_can_be_labelled(opened: Opener) -> None:
    tab = opened(rows(("a.png", 0, "", ""), ("b.png", 0, "", "")))
    assert captions(tab, 0) == ["no label", "no label"]
    assert counts(tab) == [0, 0, 2]
    label(tab, "a.png", "cat")
    assert captions(tab, 0) == ["no label → cat", "no label"]


@pytest.mark.browser
def test_rows_without_images_show_names(opened: Opener) -> None:
    tab = opened(animals(), images(0))
    assert tab.page.locator("#c0 .tile b").all_text_contents()[:2] == ["f/c4.png", "f/c0.png"]
    assert tab.page.locator(".tile i").count() == 0
    label(tab, "c0.png", "dog")
    assert applied(tab) == {"c0.png": "dog"}


@pytest.mark.browser
def test_each_image_shows_its_own_pixels(opened: Opener) -> None:
    """300 images need two sprites; each image is of one grey, and so must its tile be."""
    table = rows(*[(f"{number:03}.png", number % 7, "x", "x") for number in range(300)])
    grey = np.array([int(file[:3]) * 5 % 250 for file in table["file"]], np.uint8)
    tab = opened(table, np.broadcast_to(grey[:, None, None, None], (300, 20, 20, 3)))
    from PIL import Image

    for number in (0, 31, 255, 299):
        spot = tile(tab, f"{number:03}.png")
        spot.scroll_into_view_if_needed()
        pixels = np.asarray(Image.open(io.BytesIO(spot.locator("i").screenshot())).convert("L"), int)
        assert abs(pixels[2:-2, 2:-2] - number * 5 % 250).max() <= 6, number  # a border is drawn around it


@pytest.mark.browser
def test_a_phone_selects_without_shift(opened: Opener) -> None:
    tab = opened(animals(), viewport=PHONE, has_touch=True)
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.page.locator("#several").tap()
    tile(tab, "c0.png").tap()
    tile(tab, "d1.png").tap()
    tab.page.locator("#label").tap()
    tab.page.locator("#typed").fill("lynx")
    tab.page.locator("#offered li").first.tap()
    assert applied(tab) == {"c0.png": "lynx", "d1.png": "lynx"}
