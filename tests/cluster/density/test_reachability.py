"""The minimum spanning tree of mutual reachability: its lengths, and independence of threads."""

import numpy as np
import pytest
from scipy.sparse.csgraph import minimum_spanning_tree
from sklearn.datasets import load_digits

from experiments.cluster.density.reachability import Reachability, canonical

X = load_digits().data[:300].astype(np.float32)


@pytest.mark.parametrize("min_samples", [1, 2, 5])
@pytest.mark.parametrize("width", [3, 64])
def test_it_is_a_minimum_spanning_tree_at_any_width(ctx, min_samples, width):
    """The public class of fast_hdbscan is approximate beyond 30 columns."""
    points = X[:, :width] if width == 64 else np.random.default_rng(0).standard_normal((300, 3))
    tree = Reachability(min_samples).cached(points.astype(np.float32), ctx.with_input(str(width)))
    pairs = np.linalg.norm(points[:, None].astype(np.float64) - points, axis=2)
    core = np.sort(pairs, axis=1)[:, min_samples]
    reach = np.maximum(np.maximum(pairs, core), core[:, None])
    np.testing.assert_allclose(tree.core_distance, core, rtol=1e-5)
    np.testing.assert_allclose(
        tree.edges[:, 2], np.sort(minimum_spanning_tree(reach).data), rtol=1e-5
    )  # fmt: skip
    assert len(tree.edges) == 299


def test_trees_of_equal_lengths_become_equal():
    square = np.array([[0, 1, 1.0], [1, 2, 1.0], [2, 3, 1.0], [3, 4, 2.0]])
    other = np.array([[2, 0, 1.0], [3, 0, 1.0], [4, 1, 2.0], [1, 3, 1.0]])
    expected = [[0, 1, 1], [0, 2, 1], [0, 3, 1], [0, 4, 2]]
    np.testing.assert_array_equal(canonical(square), expected)
    np.testing.assert_array_equal(canonical(other), expected)


def test_points_on_a_grid_give_the_same_tree_every_time(ctx):
    """All neighbours have the same distance, so the search may choose any of them."""
    grid = np.stack(np.meshgrid(*[np.arange(12.0)] * 2), axis=-1).reshape(-1, 2).astype(np.float32)
    trees = [Reachability(3).cached(grid, ctx.with_input(str(time))).edges for time in range(5)]
    for tree in trees[1:]:
        np.testing.assert_array_equal(tree, trees[0])
