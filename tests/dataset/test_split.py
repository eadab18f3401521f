"""The split: shares, classes, identical files, and what one more file moves."""

import logging
from itertools import pairwise

import numpy as np
import pytest

from experiments.dataset.split import TEST, TRAINING, VALIDATION, split

SHARES = {"train": 0.8, "validation": 0.2, "test": 0.0}
THREE = {"train": 0.6, "validation": 0.2, "test": 0.2}


def hashes(numbers: np.ndarray | range | list[int]) -> np.ndarray:
    """Return a hash per number, equal for equal numbers."""
    rng = np.random.default_rng(0)
    table = rng.integers(0, 2**64, int(max(numbers)) + 1, np.uint64)
    return np.array([f"{table[number]:016x}" for number in numbers])


def test_each_class_has_the_shares_to_one_image():
    labels = np.repeat(np.arange(4), (10, 55, 101, 1000))
    parts = split(hashes(range(len(labels))), labels, THREE, 123)
    for label, size in enumerate(np.bincount(labels)):
        counts = np.bincount(parts[labels == label], minlength=3)
        np.testing.assert_allclose(counts, size * np.array([0.6, 0.2, 0.2]), atol=1)


def test_the_order_of_the_rows_does_not_matter():
    labels = np.arange(300) % 3
    shuffled = np.random.default_rng(1).permutation(300)
    parts = split(hashes(range(300)), labels, THREE, 123)
    np.testing.assert_array_equal(split(hashes(shuffled), labels[shuffled], THREE, 123), parts[shuffled])


def test_one_more_file_moves_at_most_one_image_over_each_border():
    parts = [split(hashes(range(1000))[:n], None, THREE, 123) for n in range(900, 1000)]
    moved = [int((before != after[:-1]).sum()) for before, after in pairwise(parts)]
    assert max(moved) <= 2
    assert sum(moved) > 0  # the test would be blind if nothing ever moved


def test_one_more_file_changes_nothing_in_other_classes():
    labels = np.repeat(np.arange(2), 50)
    before = split(hashes(range(100)), labels, SHARES, 123)
    after = split(hashes(range(101)), np.append(labels, 1), SHARES, 123)
    np.testing.assert_array_equal(before[:50], after[:50])


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
    assert "1 class" in caplog.text


def test_two_copies_of_one_image_are_one_image():
    parts = split(hashes([0, 0, 1, 2]), np.array([0, 0, 1, 1]), SHARES, 123)
    assert list(parts[:2]) == [TRAINING, TRAINING]


def test_no_class_of_two_stops_and_says_what_to_type():
    with pytest.raises(ValueError, match=r"none of 5 has them; .*split=\{train: 1"):
        split(hashes(range(5)), np.arange(5), SHARES, 123)


def test_training_alone_needs_no_second_image():
    assert list(split(hashes([0]), None, {"train": 1.0, "validation": 0.0, "test": 0.0}, 123)) == [TRAINING]
