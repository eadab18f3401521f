"""Groups of rows: noise comes last, means are exact, headings of tables are distinct."""

import numpy as np
import pytest
from tests.messages import numbers

from experiments.evaluator.measures.groups import cut, groups, headed


def test_noise_is_the_last_group():
    found = groups(np.array([2, -1, 0, 2, -1, 2]))
    assert found.ids.tolist() == [0, 2, -1]
    assert found.names == ["0", "2", "noise"]
    assert found.sizes.tolist() == [1, 3, 2]
    assert found.of.tolist() == [1, 2, 0, 1, 2, 1]


@pytest.mark.parametrize("assignments", [[0, 0], [-1, -1], [5, 1]])
def test_one_kind_of_rows_works(assignments):
    found = groups(np.array(assignments))
    assert found.ids[found.of].tolist() == assignments
    assert found.sizes.sum() == 2


def test_means_are_those_of_numpy_however_many_rows_are_looked_at_together():
    rng = np.random.default_rng(0)
    values, of = rng.normal(1e4, 1, (50, 3)).astype(np.float32), rng.integers(-1, 3, 40)
    rows = rng.permutation(50)[:40]
    whole = groups(of).means(values, rows)
    for chunk in (7, 2):  # fewer than the groups
        np.testing.assert_allclose(groups(of).means(values, rows, chunk), whole, rtol=1e-14)
    for number, mean in zip(groups(of).ids, whole, strict=True):
        np.testing.assert_allclose(mean, values[rows[of == number]].astype(np.float64).mean(axis=0))


def test_the_largest_are_kept_in_their_order_and_noise_with_them():
    found = groups(np.repeat([0, 1, 2, 3, -1], [2, 5, 2, 4, 1]))
    assert found.ids[found.largest(2)].tolist() == [1, 3, -1]
    assert found.ids[found.largest(3)].tolist() == [0, 1, 3, -1]
    shortened = cut("Sizes", found.largest(2), found)
    assert shortened.startswith("Sizes")
    assert numbers(shortened) == ["2", "4"]
    assert cut("Sizes", found.largest(4), found) == "Sizes"


def test_no_heading_stands_twice():
    assert headed(["total", "a", "total_"], ("cluster", "total")) == ["total_", "a", "total__"]
