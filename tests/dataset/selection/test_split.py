"""The split: shares, classes, identical files, and the effect of one more file."""

import logging
from itertools import pairwise

import numpy as np
import pytest
from tests.messages import says

from experiments.dataset.selection.split import TEST, TRAINING, VALIDATION, split

SHARES = {"train": 0.8, "validation": 0.2, "test": 0.0}
THREE = {"train": 0.6, "validation": 0.2, "test": 0.2}


def hashes(numbers: np.ndarray | range | list[int]) -> np.ndarray:
    """Return a hash per number, equal for equal numbers."""
    rng = np.random.default_rng(0)
    table = rng.integers(0, 2**64, int(max(numbers)) + 1, np.uint64)
    return np.array([f"{table[number]:016x}" for number in numbers])


@pytest.mark.parametrize("shares", [THREE, {"train": 0.4, "validation": 0.27, "test": 0.33}])
def test_each_class_has_the_shares_to_one_image(shares):
    labels = np.repeat(np.arange(30), (10, 55, 101) * 10)
    parts = split(hashes(range(len(labels))), labels, shares, 123)
    for label, size in enumerate(np.bincount(labels)):
        counts = np.bincount(parts[labels == label], minlength=3)
        assert np.abs(counts - size * np.array(list(shares.values()))).max() < 1


@pytest.mark.parametrize("size", [5, 6, 7, 8, 9, 12, 13])
def test_many_classes_of_one_size_have_the_shares_together(size):
    labels = np.repeat(np.arange(300), size)
    for shares in (SHARES, {"train": 0.5, "validation": 0.2, "test": 0.3}):
        parts = split(hashes(range(len(labels))), labels, shares, 123)
        actual = np.bincount(parts, minlength=3) / len(labels)
        np.testing.assert_allclose(actual, list(shares.values()), atol=4 * 0.5 / size / 300**0.5)  # 4 sigma


def test_classes_that_only_the_guarantee_serves_have_one_image_each():
    labels = np.repeat(np.arange(100), 2)
    parts = split(hashes(range(200)), labels, SHARES, 123)
    assert list(np.bincount(labels[parts == VALIDATION])) == [1] * 100


def test_the_seed_decides_which_classes_are_rounded_up():
    labels = np.repeat(np.arange(100), 12)
    counts = [
        np.bincount(labels[split(hashes(range(1200)), labels, SHARES, seed) == VALIDATION]) for seed in (1, 2)
    ]
    assert 20 < (counts[0] != counts[1]).sum() < 70  # 48 are expected


def test_the_order_of_the_rows_does_not_matter():
    labels = np.arange(300) % 3
    shuffled = np.random.default_rng(1).permutation(300)
    parts = split(hashes(range(300)), labels, THREE, 123)
    np.testing.assert_array_equal(split(hashes(shuffled), labels[shuffled], THREE, 123), parts[shuffled])


@pytest.mark.parametrize("seed", range(5))
def test_one_more_file_moves_at_most_one_image_over_each_border(seed):
    for first in (3, 900):
        parts = [split(hashes(range(1000))[:n], None, THREE, seed) for n in range(first, first + 100)]
        for border in (VALIDATION, TEST):
            moved = [
                int(((before == border) != (after[:-1] == border)).sum()) for before, after in pairwise(parts)
            ]
            assert max(moved) == 1  # the test would be blind if nothing ever moved


def test_one_more_file_changes_nothing_in_other_classes():
    labels = np.repeat(np.arange(2), 50)
    before = split(hashes(range(100)), labels, SHARES, 123)
    after = split(hashes(range(101)), np.append(labels, 1), SHARES, 123)
    np.testing.assert_array_equal(before[:50], after[:50])


def test_one_more_class_changes_nothing_in_the_others():
    labels = np.repeat(np.arange(20), 12)
    names = [f"class{label}" for label in range(20)]
    before = split(hashes(range(240)), labels, THREE, 123, names)
    after = split(hashes(range(252)), np.append(labels + 1, [0] * 12), THREE, 123, ["first", *names])
    np.testing.assert_array_equal(before, after[:240])


def test_another_seed_is_another_split():
    first, again, other = (split(hashes(range(500)), None, SHARES, seed) for seed in (123, 123, 124))
    np.testing.assert_array_equal(first, again)
    assert 100 < (first != other).sum() < 220  # two independent fifths differ in 160 of 500


def test_identical_files_fall_on_one_side():
    numbers = np.random.default_rng(2).integers(0, 40, 200)
    parts = split(hashes(numbers), None, THREE, 123)
    assert all(len(set(parts[numbers == number])) == 1 for number in set(numbers))
    assert len(set(parts)) == 3


def test_an_image_that_two_classes_hold_is_for_training():
    labels = np.repeat(np.arange(2), 20)
    numbers = [*range(20), *range(15), *range(20, 25)]  # 15 of 20 are shared
    parts = split(hashes(numbers), labels, SHARES, 123)
    assert set(parts[np.array(numbers) < 15]) == {TRAINING}
    assert [(parts[labels == label] == VALIDATION).sum() for label in (0, 1)] == [4, 4]


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_a_small_class_still_trains_and_validates(size):
    parts = split(hashes(range(size)), None, SHARES, 123)
    assert {TRAINING, VALIDATION} == set(parts)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_three_images_are_enough_for_three_parts(size):
    assert set(split(hashes(range(size)), None, THREE, 123)) == {TRAINING, VALIDATION, TEST}


def test_a_class_of_one_image_has_it_for_training_with_a_warning(caplog):
    with caplog.at_level(logging.WARNING):
        parts = split(hashes(range(11)), np.array([0] * 10 + [1]), SHARES, 123)
    assert parts[10] == TRAINING
    says(caplog.text, key="1 of 2 classes", use=": 1")


def test_every_class_without_validation_or_test_images_is_named(caplog):
    numbers = [*range(10), 20, 21, 20, 21, 30, 31]  # b and c have the same two images, d has two others
    labels = np.repeat(np.arange(4), (10, 2, 2, 2))
    with caplog.at_level(logging.WARNING):
        parts = split(hashes(numbers), labels, THREE, 123, "abcd")
    assert set(labels[parts == VALIDATION]) == {0, 3}
    assert set(labels[parts == TEST]) == {0}
    validation, test = caplog.messages
    assert says(validation, key="2 of 4 classes", use="validation").endswith(": b, c")
    assert says(test, key="3 of 4 classes", use="test").endswith(": b, c, d")


def test_no_warning_is_about_a_part_that_nobody_wants(caplog):
    with caplog.at_level(logging.WARNING):
        split(hashes(range(4)), np.array([0, 0, 1, 1]), SHARES, 123)
        split(hashes([0]), None, {"train": 1.0, "validation": 0.0, "test": 0.0}, 123)
    assert caplog.text == ""


def test_two_copies_of_one_image_are_one_image():
    parts = split(hashes([0, 0, 1, 2]), np.array([0, 0, 1, 1]), SHARES, 123)
    assert list(parts[:2]) == [TRAINING, TRAINING]


def test_no_class_of_two_images_is_an_error_with_a_suggestion():
    with pytest.raises(ValueError) as error:
        split(hashes(range(5)), np.arange(5), SHARES, 123)
    says(error, key="none of 5", use="dataset.split.train=1 dataset.split.validation=0")


def test_training_alone_needs_no_second_image():
    assert list(split(hashes([0]), None, {"train": 1.0, "validation": 0.0, "test": 0.0}, 123)) == [TRAINING]
