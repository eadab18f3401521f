"""DBSCAN agrees with scikit-learn's."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score
from tests.messages import says

from experiments.cluster.dbscan import Dbscan

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 5, 900)
BLOBS = RNG.uniform(-10, 10, (5, 4))[TRUTH] + RNG.standard_normal((900, 4))
X = np.concatenate([BLOBS, RNG.uniform(-14, 14, (150, 4))]).astype(np.float32)


@pytest.mark.parametrize(
    ("eps", "min_samples"), [(1.2, 5), (0.8, 2), (0.8, 3), (2.0, 1), (1.5, 20), (100.0, 5), (1e-3, 5)]
)
def test_core_points_and_noise_are_those_of_scikit_learn(ctx, eps, min_samples):
    expected = DBSCAN(eps=eps, min_samples=min_samples).fit(X)
    clustering = Dbscan(eps, min_samples).fit(X, ctx)
    core = expected.core_sample_indices_
    np.testing.assert_array_equal(clustering.cores, X[core])
    np.testing.assert_array_equal(clustering.assignments[core], clustering.core_ids)
    if len(core):
        assert adjusted_rand_score(expected.labels_[core], clustering.core_ids) == 1
    np.testing.assert_array_equal(clustering.assignments < 0, expected.labels_ < 0)
    assert adjusted_rand_score(expected.labels_, clustering.assignments) > 0.99  # border points may differ


def test_points_exactly_eps_apart_are_neighbours(ctx):
    line = np.array([[0], [1], [2], [10], [11], [12], [30]], np.float32) / 10
    clustering = Dbscan(0.1, 2).fit(line, ctx)
    assert clustering.assignments.tolist() == [0, 0, 0, 1, 1, 1, -1]


def test_a_border_point_goes_to_its_nearest_core_point_in_any_order(ctx):
    line = np.array([0, 1, 2, 3.9, 5.5, 6.5, 7.5], np.float32)[:, None]  # 3.9 is nearer to the right
    order = np.array([6, 3, 0, 4, 2, 5, 1])
    for key, rows in (("a", np.arange(7)), ("b", order)):
        clustering = Dbscan(2.0, 4).fit(line[rows], ctx.with_input(key))
        ids = dict(zip(line[rows, 0].tolist(), clustering.assignments.tolist(), strict=True))
        assert ids[line[3, 0]] == ids[6.5]


def test_new_points_join_within_eps_of_a_core_point(ctx):
    clustering = Dbscan(1.2, 5).fit(X, ctx)
    new = RNG.uniform(-14, 14, (400, 4)).astype(np.float32)
    ids, distance = clustering.assign(new)
    pairs = np.linalg.norm(new[:, None].astype(np.float64) - clustering.cores, axis=2)
    np.testing.assert_allclose(distance, pairs.min(axis=1), rtol=1e-5)
    np.testing.assert_array_equal(
        ids, np.where(pairs.min(axis=1) <= 1.2, clustering.core_ids[pairs.argmin(axis=1)], -1)
    )


def test_distance_of_a_core_point_is_that_to_the_next_core_point(ctx):
    clustering = Dbscan(1.2, 5).fit(X, ctx)
    ids, distance = clustering.assign(clustering.cores)
    np.testing.assert_array_equal(ids, clustering.core_ids)
    pairs = np.linalg.norm(clustering.cores[:, None].astype(np.float64) - clustering.cores, axis=2)
    np.fill_diagonal(pairs, np.inf)
    np.testing.assert_allclose(distance, np.minimum(pairs.min(axis=1), 1.2), rtol=1e-5)
    assert distance.min() > 0
    moved = clustering.cores[:9] * np.float32(1 + 1e-6)  # equal up to rounding
    np.testing.assert_allclose(clustering.assign(moved)[1], distance[:9], rtol=1e-3)


def test_distance_of_an_isolated_core_point_is_eps(ctx):
    line = np.array([[0], [1], [-1], [50], [60], [70], [80]], np.float32)
    clustering = Dbscan(1.5, 3).fit(line, ctx)
    assert clustering.cores.tolist() == [[0]]
    ids, distance = clustering.assign(line[:4])
    assert ids.tolist() == [0, 0, 0, -1]
    assert distance.tolist() == [1.5, 1, 1, 50]
    assert len(clustering.assign(line[:0])[0]) == 0


def test_a_very_large_eps_gives_one_cluster(ctx):
    clustering = Dbscan(1e6, 5).fit(X, ctx)
    assert set(clustering.assignments) == {0}
    assert clustering.assign(X + 1000)[0].tolist() == [0] * len(X)


def test_without_core_points_all_points_are_noise(ctx):
    clustering = Dbscan(1e-6, 5).fit(X, ctx)
    assert set(clustering.assignments) == {-1}
    ids, distance = clustering.assign(X[:3])
    assert ids.tolist() == [-1] * 3
    assert np.isinf(distance).all()


def test_a_sweep_over_eps_computes_one_tree(ctx):
    counts = [Dbscan(eps, 5).fit(X, ctx).assignments.max() for eps in (0.8, 1.2, 50.0)]
    assert counts[-1] == 0
    assert len(ctx.store.computed) == 1


def test_threads_change_nothing(ctx):
    single, four = (Dbscan(1.2, 5).fit(X, replace(ctx.with_input(str(n)), threads=n)) for n in (1, 4))
    np.testing.assert_array_equal(single.assignments, four.assignments)


def test_too_few_points_and_bad_settings_are_refused_with_advice():
    with pytest.raises(ValueError) as error:
        Dbscan(1.0, 2).check(3)
    assert "6 samples or more" in says(error, key="cluster=dbscan", use="use more")
    with pytest.raises(ValueError) as error:
        Dbscan(1.0, 7).check(7)
    says(error, key="cluster.min_samples=7", use="cluster.min_samples<=6")
    for eps in (0.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError) as error:
            Dbscan(eps, 5)
        says(error, key=f"cluster.eps={eps}", use="more than 0")
    with pytest.raises(ValueError) as error:
        Dbscan(1.0, 0)
    says(error, key="cluster.min_samples=0", use="1 or more")
