"""The most frequent class of a cluster, and how it is named."""

import numpy as np
import pytest
from tests.messages import numbers

from experiments.evaluator.measures.majority import majority, of_counts


@pytest.mark.parametrize(
    ("labels", "classes", "share", "labelled"),
    [
        (["cat", "cat", "dog"], ("cat",), 2 / 3, 3),
        (["dog", "cat", "", "dog", "cat"], ("cat", "dog"), 1 / 2, 4),
        (["b", "a", "c", ""], ("a", "b", "c"), 1 / 3, 3),
    ],
)
def test_equally_frequent_classes_are_all_named_in_order(labels, classes, share, labelled):
    result = majority(np.array(labels))
    assert result == (classes, share, labelled)
    assert result.first == classes[0]
    assert result.tied == (len(classes) > 1)
    names, counts = np.unique([label for label in labels[::-1] if label], return_counts=True)
    assert of_counts(names[::-1].tolist(), counts[::-1]) == result, "for any order"


def test_without_labels_there_is_no_class():
    result = majority(np.array(["", ""]))
    assert result == ((), 0, 0)
    assert (result.first, result.name, result.phrase(2)) == ("", "", "")


@pytest.mark.parametrize(
    ("labels", "phrase"),
    [
        (["cat"] * 3 + ["dog"], "mostly cat (75%)"),
        (["cat", "cat", "dog", "eel"], "mostly cat (50%)"),
        (["cat", "cat", "dog", "eel", "fox"], "largest class cat (40%)"),
        (["cat", "dog"], "tied: cat, dog (50% each)"),
        (["cat", "", "dog", "cat"], "mostly cat (67% of 3 labelled)"),
    ],
)
def test_a_share_of_one_half_is_mostly(labels, phrase):
    assert majority(np.array(labels)).phrase(len(labels)) == phrase


def test_of_many_tied_classes_the_first_are_named():
    result = majority(np.array(list("fedcba")))
    assert numbers(result.phrase(6)) == ["17%"]
    assert "a, b, c …" in result.phrase(6)
