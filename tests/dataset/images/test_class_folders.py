"""Which folders are classes, at every level, and what is said of the others."""

import logging

import numpy as np
import pytest

from experiments.dataset.images.class_folders import KEY, check_level, labels_of, log_classes
from experiments.dataset.images.listing import File, arrange, class_of

NESTED = ["greek/alpha/1.png", "greek/beta/1.png", "latin/a/1.png", "latin/b/1.png", "latin/b/2.png"]
SPLIT = ["test/cat/3.png", "train/cat/1.png", "train/dog/2.png"]


def listed(paths, level):
    return arrange(map(File, paths), level)


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
    found = labels_of(listing, np.arange(len(paths)), level)
    assert (None if found is None else found.tolist()) == labels


def test_images_next_to_the_class_folders_have_no_class_at_any_level():
    for level, count in ((1, 5), (2, 5), (-1, 5), (-2, 5), (None, 6)):
        listing = listed([*NESTED, "preview.png"], level)
        check_level(listing, level, "root")
        assert len(listing.images) == count
        assert listing.others == ([("preview.png", "beside the class folders")] if level else [])


@pytest.mark.parametrize(
    ("paths", "level", "expected"),
    [
        ([*NESTED, "latin/9.png"], 2, r"1 of 6 in dataset.root=root .* latin/9.png; use .*=1 or"),
        ([*NESTED, "latin/9.png"], -2, rf"such as latin/9.png; use {KEY}=-1$"),
        (NESTED, 3, rf"{KEY}=3 asks for images in 3 folders.* 5 of 5 .*; use {KEY}=2 or {KEY}=-1$"),
        (["1.png", "2.png"], 2, rf"2 of 2 .*; use {KEY}=null$"),
        (["greek/a/1.png", "greek/b/1.png"], 2, rf"below greek/ \(all are in that.*; use {KEY}=1 or"),
    ],
)  # fmt: skip
def test_a_level_that_some_images_do_not_reach_names_one_and_what_to_type(paths, level, expected):
    with pytest.raises(ValueError, match=expected):
        check_level(listed(paths, level), level, "root")


@pytest.mark.parametrize(
    ("paths", "level", "expected"),
    [
        (NESTED, 1, [f"such as greek; 4 folders inside them, such as greek/alpha, ignored; {KEY}=2 "]),
        ([*NESTED, "latin/9.png"], 1, [f"4 folders inside them, such as greek/alpha, ignored; {KEY}=-1"]),
        (NESTED, 2, []),
        (NESTED, None, []),
        (SPLIT, -1, ["2 classes, of which 1 are in several folders, such as cat in test/cat and train/cat"]),
        (SPLIT, 1, [f"folders test, train look like a split, and are taken for classes; {KEY}=-1 takes"]),
        (["train/1.png", "val/2.png"], 1, ["folders train, val look like a split, and are taken for cl"]),
        (["n01/images/1.png", "n02/images/1.png"], 1, []),  # nothing is lost
        (["1.png", "cats/2.png"], 1, ["no folder is a class: next to 1 folder, such as cats, lie images"]),
        (["1.png", "2.png"], 1, []),
    ],
)  # fmt: skip
def test_what_is_taken_for_classes_is_said_in_a_line(caplog, paths, level, expected):
    caplog.set_level(logging.INFO)
    listing = listed(paths, level)
    log_classes(listing, labels_of(listing, np.arange(len(listing.images)), level), level)
    assert len(caplog.messages) == len(expected)
    for message, part in zip(caplog.messages, expected, strict=True):
        assert part in message
