"""Images of rows, matched by path, name or stem."""

import logging

import numpy as np
import pytest
from tests.messages import says

from experiments.dataset.images.content import BLANK, NO_IMAGE
from experiments.dataset.vectors.illustrations import match_images
from experiments.samples import Resize


@pytest.fixture
def find(two_classes, ctx):
    return lambda *ids: match_images(np.array(ids), str(two_classes), ctx)


@pytest.mark.parametrize(
    "ids",
    [
        ("cats/0.png", "dogs/1.png"),
        ("0.png", "1.png"),
        ("0", "pets\\dogs\\1"),
        ("/home/pets/cats/0.jpg", "1"),
    ],
)
def test_a_path_a_name_or_a_stem_is_enough(find, ids):
    assert list(find(*ids).paths) == ["cats/0.png", "dogs/1.png"]


def test_each_row_takes_the_closest(find):
    assert list(find("cats/0.png", "1.png", "2").paths) == ["cats/0.png", "dogs/1.png", "cats/2.png"]


def test_rows_without_an_image_are_blank_and_listed(find, ctx, caplog):
    with caplog.at_level(logging.INFO):
        images = find("cats/0.png", "gone", "cats/2.png")
    says(caplog.text, key="1 of 3 rows", use="gone")
    says(caplog.text, key="8 of 10 images", use="pets")
    assert list(images.paths) == ["cats/0.png", "", "cats/2.png"]
    assert images.hashes[1] == NO_IMAGE
    pixels = images.pixels(Resize(4), ctx)
    assert (pixels[1] == BLANK).all()
    assert pixels[[0, 2]].std() > 10
    assert images.dimensions().tolist() == [[12, 10], [0, 0], [12, 10]]


def test_no_image_at_all_is_an_error(two_classes, find):
    with pytest.raises(ValueError) as error:
        find("a", "b")
    assert "2 rows" in says(error, key=f"dataset.images={two_classes}", use="dataset.images=null")


def test_two_images_for_a_row_are_both_named(two_classes, draw, find):
    draw(two_classes / "dogs" / "0.png", 70)
    assert list(find("cats/0.png").paths) == ["cats/0.png"]
    with pytest.raises(ValueError) as error:
        find("0")
    says(error, key="'0'", use="cats/0.png and dogs/0.png; make the ids paths")


def test_two_rows_for_an_image_are_both_named(find):
    with pytest.raises(ValueError) as error:
        find("0.jpg", "0")
    says(error, key="cats/0.png", use="'0.jpg' and '0'; make the ids paths")


def test_other_folders_are_other_images(find, caplog):
    assert list(find("0", "cows/0.png", "dogs/0").paths) == ["cats/0.png", "", ""]
    says(caplog.text, key="2 of 3 rows", use="cows/0.png, dogs/0")


def test_an_image_that_a_path_names_is_nobody_elses(find):
    assert list(find("cats/0.png", "0.png", "0").paths) == ["cats/0.png", "", ""]


def test_a_folder_that_is_none_is_named_by_its_own_setting(tmp_path, ctx):
    with pytest.raises(ValueError) as error:
        match_images(np.array(["a"]), str(tmp_path / "nowhere"), ctx)
    says(error, key=f"dataset.images={tmp_path}/nowhere", use="a folder of images")
