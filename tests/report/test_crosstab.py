"""The cross table of classes and clusters, as a heat map and as a table."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from tests.messages import numbers, says

from experiments.report.crosstab import count_table, draw_crosstab

LABELS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
CLUSTERS = np.array([5, 5, 1, 1, 1, -1, -1, -1, 5])


def result(labels: np.ndarray | None = LABELS) -> Any:
    known = np.empty(0, np.int64) if labels is None else np.flatnonzero(labels >= 0)
    samples = SimpleNamespace(labels=labels, labelled=known, class_names=("ant", "bee", "cat"), name="toy")
    return SimpleNamespace(samples=samples, clustering=SimpleNamespace(assignments=CLUSTERS))


def test_the_heat_map_has_class_shares_of_each_cluster() -> None:
    drawing = draw_crosstab(result())
    assert drawing is not None
    heatmap, note = drawing
    assert note == ""
    assert heatmap.rows == ["ant", "bee", "cat"]
    assert heatmap.columns == ["5", "1", "noise"]
    assert ("cluster" in heatmap.x_label, "cluster" in heatmap.y_label) == (True, False)
    np.testing.assert_allclose(heatmap.values, [[2 / 3, 1 / 3, 0], [0, 2 / 3, 0], [1 / 3, 0, 1]])


def test_the_largest_classes_and_clusters_are_drawn_and_the_note_counts_them() -> None:
    drawing = draw_crosstab(result(), max_drawn=2)
    assert drawing is not None
    heatmap, note = drawing
    assert heatmap.rows == ["ant", "cat"]
    assert heatmap.columns == ["1", "noise"]
    np.testing.assert_allclose(heatmap.values, [[1 / 3, 0], [0, 1]])  # of the whole cluster
    assert numbers(says(note, key="44.4%", use="classes_in_clusters.csv")) == ["2", "3", "2", "3", "44.4%"]


def test_unlabelled_samples_are_not_counted() -> None:
    partly = result(np.where(np.arange(9) == 8, -1, LABELS))
    drawing, table = draw_crosstab(partly), count_table(partly)
    assert drawing is not None
    assert table is not None
    np.testing.assert_allclose(drawing[0].values, [[1, 1 / 3, 0], [0, 2 / 3, 0], [0, 0, 1]])
    assert table["samples"].sum() == 8


def test_the_table_has_each_class_of_each_cluster() -> None:
    table = count_table(result())
    assert table is not None
    assert list(table.itertuples(index=False, name=None)) == [
        (-1, "cat", 3), (1, "bee", 2), (1, "ant", 1), (5, "ant", 2), (5, "cat", 1),
    ]  # fmt: skip


def test_without_labels_there_is_no_cross_table() -> None:
    assert draw_crosstab(result(None)) is None
    assert count_table(result(None)) is None
