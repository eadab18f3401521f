"""Groups of rows: noise comes last, means are exact, table headings are distinct."""

import numpy as np
import pytest
from tests.messages import numbers

from experiments.evaluator.measures.groups import group_rows, title_of_largest, unique_headings


def test_noise_is_the_last_group():
    groups = group_rows(np.array([2, -1, 0, 2, -1, 2]))
    assert groups.ids.tolist() == [0, 2, -1]
    assert groups.names == ["0", "2", "noise"]
    assert groups.sizes.tolist() == [1, 3, 2]
    assert groups.row_groups.tolist() == [1, 2, 0, 1, 2, 1]


@pytest.mark.parametrize("assignments", [[0, 0], [-1, -1], [5, 1]])
def test_one_group_or_two_work(assignments):
    groups = group_rows(np.array(assignments))
    assert groups.ids[groups.row_groups].tolist() == assignments
    assert groups.sizes.sum() == 2


def test_means_agree_with_numpy_for_every_chunk_size():
    rng = np.random.default_rng(0)
    values, clusters = rng.normal(1e4, 1, (50, 3)).astype(np.float32), rng.integers(-1, 3, 40)
    rows = rng.permutation(50)[:40]
    whole = group_rows(clusters).means(values, rows)
    for chunk in (7, 2):  # also smaller than the number of groups
        np.testing.assert_allclose(group_rows(clusters).means(values, rows, chunk), whole, rtol=1e-14)
    for number, mean in zip(group_rows(clusters).ids, whole, strict=True):
        np.testing.assert_allclose(mean, values[rows[clusters == number]].astype(np.float64).mean(axis=0))


def test_the_largest_groups_and_noise_stay_in_order():
    groups = group_rows(np.repeat([0, 1, 2, 3, -1], [2, 5, 2, 4, 1]))
    assert groups.ids[groups.largest(2)].tolist() == [1, 3, -1]
    assert groups.ids[groups.largest(3)].tolist() == [0, 1, 3, -1]
    shortened = title_of_largest("Sizes", groups.largest(2), groups)
    assert shortened.startswith("Sizes")
    assert numbers(shortened) == ["2", "4"]
    assert title_of_largest("Sizes", groups.largest(4), groups) == "Sizes"


def test_headings_are_unique():
    assert unique_headings(["total", "a", "total_"], ("cluster", "total")) == ["total_", "a", "total__"]
