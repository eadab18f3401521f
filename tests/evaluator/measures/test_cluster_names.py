"""Names of clusters from values of classes whose best assignment is known."""

import numpy as np
import pytest

from experiments.evaluator.measures.cluster_names import Head, assign, score_classes
from experiments.evaluator.measures.vocabulary import Term, network_terms, terms

CLASSES = np.eye(6, dtype=np.float32)
POINTS = 5 * CLASSES[np.repeat([4, 1, 2], 20)]  # 20 rows each of the classes 4, 1 and 2
GROUPS = list(np.arange(60).reshape(3, 20))


@pytest.mark.parametrize(("softmax", "width"), [(True, 6), (True, 1), (False, 4)])
def test_a_score_is_the_mean_of_a_group_less_that_of_all(softmax: bool, width: int) -> None:
    head = Head(CLASSES, np.zeros(6, np.float32), softmax)
    scores = score_classes(head, POINTS, GROUPS, shuffles=20, seed=0, width=width)
    values = np.exp(POINTS) / np.exp(POINTS).sum(axis=1, keepdims=True) if softmax else POINTS
    expected = values.reshape(3, 20, 6).mean(axis=1) - values.mean(axis=0)
    assert scores.classes[:, 0].tolist() == [4, 1, 2]
    np.testing.assert_allclose(scores.scores, -np.sort(-expected, axis=1), atol=1e-5)
    assert scores.row_classes.tolist() == [4] * 20 + [1] * 20 + [2] * 20
    assert (scores.levels < 0.5 * scores.scores[:, 0]).all(), "random groups score less"


def test_mixed_groups_score_no_more_than_random_ones() -> None:
    head = Head(CLASSES, np.zeros(6, np.float32), True)
    scores = score_classes(head, POINTS, [np.arange(start, 60, 3) for start in range(3)], 20, 0)
    assert (scores.scores[:, 0] < scores.levels).all()


def test_names_are_assigned_one_to_one_with_the_highest_sum() -> None:
    classes = np.array([[7, 3], [7, 5], [7, 3]])
    scores = np.array([[0.9, 0.8], [0.9, 0.1], [0.5, 0.2]])
    assert assign(classes, scores).tolist() == [1, 0, -1]


def test_names_are_equal_without_case_punctuation_and_plural() -> None:
    pairs = ("Sea_Horses", "sea horse"), ("Cherries", "cherry"), ("BUSES", "bus"), ("T-shirts", "t shirt")
    for many, single in pairs:
        assert Term(many).matches(single) == Term(single).matches(many) == "exact"
    assert not Term("pines").matches("pin")
    fox = Term("red fox", ("Vulpes vulpes",))
    assert [fox.matches(label) for label in ("Red_Foxes", "vulpes vulpes", "fox")] == ["exact", "synonym", ""]


def test_vocabularies_have_the_first_lemma_as_name() -> None:
    assert network_terms(1000)[1] == Term("goldfish", ("Carassius auratus",))
    assert len(network_terms(11821)) == 11821
    known = {term.name: term for term in terms("wordnet")}
    assert "goldfish" in known
    assert len(known) > 20_000
    assert len(terms("imagenet")) == 998, "crane and maillot are two classes each"
