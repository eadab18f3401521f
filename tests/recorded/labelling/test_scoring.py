"""Metrics and crosstabs of named labels."""

import numpy as np
import pytest

from experiments.recorded.labelling.scoring import SCORES, crosstab, scores

CLUSTERS = np.array([0, 0, 0, 1, 1, -1])
LABELS = np.array(["x", "x", "y", "y", "", "x"], object)


def test_rows_without_a_label_are_not_scored() -> None:
    metrics = scores(LABELS, CLUSTERS)
    assert metrics["labelled"] == 5
    assert metrics["purity"] == pytest.approx(4 / 5)
    assert metrics["acc"] == pytest.approx(3 / 5)


def test_clusters_equal_to_the_labels_agree_perfectly() -> None:
    metrics = scores(np.array(["b", "b", "a"], object), np.array([0, 0, 1]))
    assert metrics == {"labelled": 3} | dict.fromkeys(SCORES, pytest.approx(1))


def test_without_labels_nothing_is_scored() -> None:
    assert scores(np.array(["", ""], object), np.array([0, 1])) == {"labelled": 0}
    assert crosstab(np.array(["", ""], object), np.array([0, 1])).to_numpy().tolist() == [["total", 0]]


def test_a_crosstab_counts_with_totals() -> None:
    table = crosstab(LABELS, CLUSTERS)
    assert list(table) == ["cluster", "x", "y", "total"]
    assert table.to_numpy().tolist() == [
        ["noise", 1, 0, 1], ["0", 2, 1, 3], ["1", 0, 1, 1], ["total", 3, 2, 5],
    ]  # fmt: skip
