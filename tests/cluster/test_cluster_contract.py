"""What every clusterer promises, on scikit-learn's 1,797 scanned digits."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from experiments.cluster.faiss_kmeans import FaissKMeans
from experiments.cluster.sklearn_kmeans import SklearnKMeans
from experiments.types import digest

X = load_digits().data.astype(np.float32)
CLUSTERERS = [
    FaissKMeans(10, 3, 8, 300, start_tolerance=1e-3, tolerance=1e-6, spherical=False, seed=0),
    SklearnKMeans(10, n_init=3, max_iter=300, tolerance=1e-4, seed=0),
]
everyone = pytest.mark.parametrize("clusterer", CLUSTERERS, ids=lambda clusterer: type(clusterer).__name__)


@everyone
def test_puts_every_point_into_one_of_k_clusters(clusterer, ctx):
    clustering = clusterer.fit(X, ctx)
    assert clustering.assignments.dtype == np.int64
    assert clustering.assignments.shape == (len(X),)
    assert set(clustering.assignments) == set(range(10))
    assert clustering.centroids.shape == (10, 64)
    assert clustering.centroids.dtype == np.float32
    assert clustering.probabilities is None


@everyone
def test_equal_stages_on_equal_input_give_equal_results(clusterer, ctx):
    first, second = clusterer.fit(X, ctx), replace(clusterer).fit(X.copy(), ctx)
    np.testing.assert_array_equal(first.assignments, second.assignments)
    np.testing.assert_array_equal(first.centroids, second.centroids)
    assert first.inertia == second.inertia


@everyone
def test_another_seed_starts_elsewhere(clusterer, ctx):
    once = replace(clusterer, k=50)
    assert once.fit(X, ctx).inertia != replace(once, seed=1).fit(X, ctx).inertia
    assert digest(clusterer) != digest(replace(clusterer, seed=1))


@everyone
def test_survives_being_kept(clusterer, ctx, tmp_path):
    clustering = clusterer.fit(X, ctx)
    clustering.save(tmp_path)
    again = type(clustering).load(tmp_path)
    np.testing.assert_array_equal(again.assignments, clustering.assignments)
    np.testing.assert_array_equal(again.centroids, clustering.centroids)
    assert (again.inertia, again.probabilities) == (clustering.inertia, None)
    np.testing.assert_array_equal(again.assign(X[:5])[0], clustering.assignments[:5])


@everyone
def test_assigning_the_fitted_points_returns_their_assignments_and_inertia(clusterer, ctx):
    clustering = clusterer.fit(X, ctx)
    ids, distance = clustering.assign(X)
    np.testing.assert_array_equal(ids, clustering.assignments)
    assert distance.dtype == np.float32
    assert np.square(distance, dtype=np.float64).sum() == pytest.approx(clustering.inertia, rel=1e-6)


@everyone
def test_more_clusters_lower_the_inertia(clusterer, ctx):
    inertias = [replace(clusterer, k=k).fit(X, ctx).inertia for k in (1, 10, 50, 233)]
    assert inertias == sorted(inertias, reverse=True)


@everyone
def test_one_cluster_sits_at_the_mean(clusterer, ctx):
    clustering = replace(clusterer, k=1).fit(X, ctx)
    np.testing.assert_allclose(clustering.centroids[0], X.mean(axis=0), atol=1e-4)
    assert clustering.inertia == pytest.approx(((X - X.mean(axis=0)) ** 2).sum(), rel=1e-5)


@everyone
def test_as_many_clusters_as_points_leave_no_inertia(clusterer, ctx):
    assert replace(clusterer, k=30).fit(X[:30], ctx).inertia == pytest.approx(0, abs=1e-6)


@everyone
def test_separate_groups_are_found_far_from_the_origin_and_in_any_order(clusterer, ctx):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, 600)
    points = (np.eye(10)[truth] * 50 + rng.standard_normal((600, 10)) + 1000).astype(np.float32)
    assert adjusted_rand_score(truth, clusterer.fit(points, ctx).assignments) == 1
    assert adjusted_rand_score(truth[::-1], clusterer.fit(points[::-1], ctx).assignments) == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@everyone
def test_repeated_points_leave_clusters_empty_and_say_so(clusterer, ctx, caplog):
    points = np.repeat(X[:4], 25, axis=0)
    clustering = clusterer.fit(points, ctx)
    assert len(set(clustering.assignments)) == 4
    assert clustering.inertia < 1e-5 * (points.var(axis=0).sum() * len(points))
    assert "6 of cluster.k=10 clusters are empty" in caplog.text


@everyone
def test_k_beyond_the_samples_says_what_to_type(clusterer, ctx):
    message = r"cluster\.k=2000 exceeds the 1797 samples; use cluster\.k<=1797 or more samples"
    with pytest.raises(ValueError, match=message):
        replace(clusterer, k=2000).check(1797)
    with pytest.raises(ValueError, match=message):
        replace(clusterer, k=2000).fit(X, ctx)


@everyone
@pytest.mark.parametrize(
    ("name", "value"), [("k", 0), ("max_iter", 0), ("tolerance", float("nan")), ("tolerance", -1.0)]
)
def test_settings_out_of_range_are_refused(clusterer, name, value):
    with pytest.raises(ValueError, match=rf"cluster\.{name}={value} .*; use "):
        replace(clusterer, **{name: value})


@everyone
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_numbers_are_refused(clusterer, value, ctx):
    points = X.copy()
    points[[2, 7], 3] = value
    with pytest.raises(ValueError, match="2 of 1797 rows to cluster hold nan or inf"):
        clusterer.fit(points, ctx)


def test_kept_clusterings_import_no_framework():
    code = (
        "import sys, experiments.cluster.faiss_kmeans, experiments.cluster.sklearn_kmeans; "
        "print([name for name in ('sklearn', 'scipy', 'faiss', 'threadpoolctl') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
