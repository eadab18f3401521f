"""Which classes the clusters hold, drawn and as a table."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from tests.messages import numbers, says

from experiments.report.crosstab import counted, crosstab

LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
CLUSTERS = np.array([5, 5, 1, 1, 1, -1, -1, -1, 5])


def result(labels: np.ndarray | None = LABELS) -> Any:
    known = np.empty(0, np.int64) if labels is None else np.flatnonzero(labels >= 0)
    samples = SimpleNamespace(labels=labels, labelled=known, class_names=("ant", "bee", "cat"), name="toy")
    return SimpleNamespace(samples=samples, clustering=SimpleNamespace(assignments=CLUSTERS))


def test_each_cluster_is_shared_out_to_its_classes() -> None:
    found = crosstab(result())
    assert found is not None
    picture, note = found
    assert note == ""
    assert picture.rows == ["ant", "bee", "cat"]
    assert picture.columns == ["5", "1", "noise"]
    assert ("cluster" in picture.x_label, "cluster" in picture.y_label) == (True, False)
    np.testing.assert_allclose(picture.values, [[2 / 3, 1 / 3, 0], [0, 2 / 3, 0], [1 / 3, 0, 1]])


def test_of_too_many_the_largest_are_drawn_and_the_rest_is_named() -> None:
    found = crosstab(result(), dense=2)
    assert found is not None
    picture, note = found
    assert picture.rows == ["ant", "cat"]
    assert picture.columns == ["1", "noise"]
    np.testing.assert_allclose(picture.values, [[1 / 3, 0], [0, 1]])  # of the whole cluster
    assert numbers(says(note, key="44.4%", use="classes_in_clusters.csv")) == ["2", "3", "2", "3", "44.4%"]


def test_samples_without_a_label_are_in_neither() -> None:
    partly = result(np.where(np.arange(9) == 8, -1, LABELS))
    found, table = crosstab(partly), counted(partly)
    assert found is not None
    assert table is not None
    np.testing.assert_allclose(found[0].values, [[1, 1 / 3, 0], [0, 2 / 3, 0], [0, 0, 1]])
    assert table["samples"].sum() == 8


def test_the_table_has_every_class_of_every_cluster() -> None:
    table = counted(result())
    assert table is not None
    assert list(table.itertuples(index=False, name=None)) == [
        (-1, "cat", 3), (1, "bee", 2), (1, "ant", 1), (5, "ant", 2), (5, "cat", 1),
    ]  # fmt: skip


def test_without_labels_there_is_neither() -> None:
    assert crosstab(result(None)) is None
    assert counted(result(None)) is None
