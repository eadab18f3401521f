"""Class folders at every level, and the log messages about other folders."""

import logging

import numpy as np
import pytest
from tests.messages import says

from experiments.dataset.images.class_folders import KEY, check_level, class_labels, log_classes
from experiments.dataset.images.listing import File, class_of, make_listing

NESTED = ["greek/alpha/1.png", "greek/beta/1.png", "latin/a/1.png", "latin/b/1.png", "latin/b/2.png"]
SPLIT = ["test/cat/3.png", "train/cat/1.png", "train/dog/2.png"]


def listed(paths, level):
    return make_listing(map(File, paths), level)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        (1, "a"), (2, "a/b"), (3, "a/b/c"), (4, ""), (-1, "c"), (-2, "b"), (-3, "a"), (-4, ""), (None, ""),
    ],
)  # fmt: skip
def test_a_class_is_counted_from_either_end(level, expected):
    assert class_of("a/b/c", level) == expected
    assert class_of("", level) == ""


@pytest.mark.parametrize(
    ("paths", "level", "names", "labels"),
    [
        (NESTED, 1, ("greek", "latin"), [0, 0, 1, 1, 1]),
        (NESTED, 2, ("greek/alpha", "greek/beta", "latin/a", "latin/b"), [0, 1, 2, 3, 3]),
        (NESTED, -1, ("a", "alpha", "b", "beta"), [1, 3, 0, 2, 2]),
        (NESTED, -2, ("greek", "latin"), [0, 0, 1, 1, 1]),
        (NESTED, None, (), None),
        ([f"all/{path}" for path in SPLIT], 2, ("test/cat", "train/cat", "train/dog"), [0, 1, 2]),
        (SPLIT, -1, ("cat", "dog"), [0, 0, 1]),
        (["1.png", "2.png"], -1, (), None),
        (["a/x/1.png", "b/2.png"], -1, ("b", "x"), [1, 0]),
        (["a/1.png", "b.png"], 1, (), None),
    ],
)  # fmt: skip
def test_the_level_chooses_the_classes(paths, level, names, labels):
    listing = listed(paths, level)
    check_level(listing, level, "root")
    assert listing.class_names == names
    assert len(listing.images) == len(paths)
    actual = class_labels(listing, np.arange(len(paths)), level)
    assert (None if actual is None else actual.tolist()) == labels


def test_images_next_to_the_class_folders_have_no_class_at_any_level():
    for level, count in ((1, 5), (2, 5), (-1, 5), (-2, 5), (None, 6)):
        listing = listed([*NESTED, "preview.png"], level)
        check_level(listing, level, "root")
        assert len(listing.images) == count
        assert listing.others == ([("preview.png", "next to the class folders")] if level else [])


@pytest.mark.parametrize(
    ("paths", "level", "count", "named", "use"),
    [
        ([*NESTED, "latin/9.png"], 2, "1 of 6", "latin/9.png", f"{KEY}=1 or {KEY}=-1"),
        ([*NESTED, "latin/9.png"], -2, "1 of 6", "latin/9.png", f"{KEY}=-1"),
        (NESTED, 3, "5 of 5", "greek/alpha/1.png", f"{KEY}=2 or {KEY}=-1"),
        (["1.png", "2.png"], 2, "2 of 2", "1.png", f"{KEY}=null"),
        (["greek/a/1.png", "greek/b/1.png"], 2, "2 of 2", "below greek/", f"{KEY}=1 or {KEY}=-1"),
    ],
)
def test_a_level_that_some_images_do_not_reach_names_one_and_what_to_type(paths, level, count, named, use):
    with pytest.raises(ValueError) as error:
        check_level(listed(paths, level), level, "root")
    text = says(error, key=f"{KEY}={level}", use=use)
    assert text.endswith(use)
    assert named in says(text, key=count, use="dataset.root=root")


@pytest.mark.parametrize(
    ("paths", "level", "expected"),
    [
        (NESTED, 1, [("4 folders", "greek/alpha", f"{KEY}=2")]),
        ([*NESTED, "latin/9.png"], 1, [("4 folders", "greek/alpha", f"{KEY}=-1")]),
        (NESTED, 2, []),
        (NESTED, None, []),
        (SPLIT, -1, [("2 classes", "1 ", "cat in test/cat and train/cat")]),
        (SPLIT, 1, [("test, train", "split", f"{KEY}=-1")]),
        (["train/1.png", "val/2.png"], 1, [("train, val", "split", "classes")]),
        (["n01/images/1.png", "n02/images/1.png"], 1, []),  # every file is listed
        (["1.png", "cats/2.png"], 1, [("no folder", "1 folder", "cats")]),
        (["1.png", "2.png"], 1, []),
    ],
)  # fmt: skip
def test_the_folders_used_as_classes_are_logged(caplog, paths, level, expected):
    caplog.set_level(logging.INFO)
    listing = listed(paths, level)
    log_classes(listing, class_labels(listing, np.arange(len(listing.images)), level), level)
    assert len(caplog.messages) == len(expected)
    for message, (key, fact, use) in zip(caplog.messages, expected, strict=True):
        says(message, key=key, use=fact)
        says(message, key=key, use=use)
