"""The contract of clusterers: every option of conf/cluster, on scikit-learn's 1,797 scanned digits."""

import subprocess
import sys
from dataclasses import fields, replace
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from tests.messages import says
from tests.options import every, option

from experiments.cluster.agglomerative import Agglomerative
from experiments.context import Context
from experiments.store.cache import Store
from experiments.store.values import digest

pytestmark = pytest.mark.slow

X = load_digits().data.astype(np.float32)
CLUSTERERS = [*every("cluster"), option("cluster", "agglomerative", k=10, linkage="average")]
OF_K = [stage for stage in CLUSTERERS if hasattr(stage, "k")]
OF_DENSITY = [stage for stage in CLUSTERERS if stage not in OF_K]
KMEANS = [option("cluster", "faiss_kmeans"), option("cluster", "sklearn_kmeans")]
FIELDS = ("assignments", "probabilities", "centroids", "inertia")


def class_name(clusterer: object) -> str:
    return type(clusterer).__name__


kmeans = pytest.mark.parametrize("clusterer", KMEANS, ids=class_name)
of_k = pytest.mark.parametrize("clusterer", OF_K, ids=class_name)
every_clusterer = pytest.mark.parametrize("clusterer", CLUSTERERS, ids=class_name)


def small(clusterer):
    """Set k=2, if the clusterer has k."""
    return replace(clusterer, k=2) if clusterer in OF_K else clusterer


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Return a function: clusterer -> its clustering of X, computed once."""

    @cache
    def fit(clusterer):
        return clusterer.fit(X, Context.plain(Store(tmp_path_factory.mktemp("cache"))))

    return fit


@every_clusterer
def test_every_point_is_in_a_cluster_or_noise(clusterer, fitted):
    clustering = fitted(clusterer)
    assert clustering.assignments.dtype == np.int64
    assert clustering.assignments.shape == (len(X),)
    ids = set(clustering.assignments)
    assert ids - {-1} == set(range(10 if clusterer in OF_K else len(ids - {-1})))
    assert clusterer in OF_DENSITY or -1 not in ids
    if clustering.probabilities is not None:
        assert clustering.probabilities.shape == (len(X),)
        assert clustering.probabilities.dtype == np.float32
        assert 0 <= clustering.probabilities.min() <= clustering.probabilities.max() <= 1
        np.testing.assert_array_equal(clustering.probabilities[clustering.assignments < 0], 0)


@every_clusterer
def test_equal_stages_on_equal_input_give_equal_results(clusterer, fitted, ctx):
    points = X.copy()
    points.flags.writeable = False
    first, second = fitted(clusterer), replace(clusterer).fit(points, ctx)
    np.testing.assert_array_equal(points, X)  # the input is unchanged
    for name in (f.name for f in fields(first)):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)


@every_clusterer
def test_is_the_same_after_saving_and_loading(clusterer, fitted, tmp_path):
    clustering = fitted(clusterer)
    clustering.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".npy", ".json"}  # no executable content
    again = type(clustering).load(tmp_path)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(again, name), getattr(clustering, name), err_msg=name)
    fresh = X[:50] + np.float32(0.01)
    for loaded, original in zip(again.assign(fresh), clustering.assign(fresh), strict=True):
        np.testing.assert_array_equal(loaded, original)


@every_clusterer
def test_the_assignment_of_a_point_does_not_depend_on_other_points(clusterer, ctx):
    clustering = clusterer.fit(X[::2], ctx)
    ids, distance = clustering.assign(X[1::2])
    assert (ids.dtype, ids.shape) == (np.int64, (len(X) // 2,))
    assert (distance.dtype, distance.shape) == (np.float32, (len(X) // 2,))
    assert set(ids) <= {-1, *clustering.assignments}
    alone = [clustering.assign(X[row : row + 1]) for row in range(1, 41, 2)]
    np.testing.assert_array_equal(np.concatenate([single for single, _ in alone]), ids[:20])
    np.testing.assert_allclose(np.concatenate([far for _, far in alone]), distance[:20], rtol=1e-5)


@every_clusterer
def test_assigning_the_fitted_points_returns_their_assignments(clusterer, fitted):
    """Agglomerative clusters have no regions: some of their points are nearer to another mean."""
    clustering = fitted(clusterer)
    same = (clustering.assign(X)[0] == clustering.assignments).mean()
    assert same > 0.9 if isinstance(clusterer, Agglomerative) else same == 1


@every_clusterer
def test_no_points_give_no_assignments(clusterer, fitted):
    ids, distance = fitted(clusterer).assign(X[:0])
    assert ids.shape == distance.shape == (0,)


@every_clusterer
def test_does_not_change_its_input(clusterer, fitted):
    points = X.copy()
    points.flags.writeable = False
    fitted(clusterer).assign(points[:5])
    np.testing.assert_array_equal(points, X)


@every_clusterer
def test_every_setting_is_in_the_key(clusterer):
    changed = {"covariance_type": "full", "linkage": "complete", "cluster_selection_method": "leaf"}
    for f in fields(clusterer):
        old = getattr(clusterer, f.name)
        new = (
            changed.get(f.name, f"another value of {f.name}: add one to `changed`")
            if isinstance(old, str)
            else not old
            if isinstance(old, bool)
            else old * 1.5 + 0.01
        )
        new = int(new) + 1 if type(old) is int else new
        assert digest(replace(clusterer, **{f.name: new})) != digest(clusterer), f.name


@kmeans
def test_assigns_every_point_to_one_of_k_clusters(clusterer, fitted):
    clustering = fitted(clusterer)
    assert clustering.assignments.dtype == np.int64
    assert clustering.assignments.shape == (len(X),)
    assert set(clustering.assignments) == set(range(10))
    assert clustering.centroids.shape == (10, 64)
    assert clustering.centroids.dtype == np.float32
    assert clustering.probabilities is None


@kmeans
def test_the_seed_changes_the_result(clusterer, ctx):
    stage = replace(clusterer, k=50)
    assert stage.fit(X[::3], ctx).inertia != replace(stage, seed=1).fit(X[::3], ctx).inertia
    assert digest(clusterer) != digest(replace(clusterer, seed=1))


@kmeans
def test_assigning_the_fitted_points_returns_their_assignments_and_inertia(clusterer, fitted):
    clustering = fitted(clusterer)
    ids, distance = clustering.assign(X)
    np.testing.assert_array_equal(ids, clustering.assignments)
    assert distance.dtype == np.float32
    assert np.square(distance, dtype=np.float64).sum() == pytest.approx(clustering.inertia, rel=1e-6)


@kmeans
def test_more_clusters_lower_the_inertia(clusterer, ctx):
    inertias = [replace(clusterer, k=k).fit(X, ctx).inertia for k in (1, 10, 50, 233)]
    assert inertias == sorted(inertias, reverse=True)


@kmeans
def test_one_cluster_has_its_centroid_at_the_mean(clusterer, ctx):
    clustering = replace(clusterer, k=1).fit(X, ctx)
    np.testing.assert_allclose(clustering.centroids[0], X.mean(axis=0), atol=1e-4)
    assert clustering.inertia == pytest.approx(((X - X.mean(axis=0)) ** 2).sum(), rel=1e-5)


@kmeans
def test_as_many_clusters_as_points_have_inertia_zero(clusterer, ctx):
    assert replace(clusterer, k=30).fit(X[:30], ctx).inertia == pytest.approx(0, abs=1e-6)


@kmeans
def test_separate_groups_are_found_far_from_the_origin_and_in_any_order(clusterer, ctx):
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 10, 600)
    points = (np.eye(10)[truth] * 50 + rng.standard_normal((600, 10)) + 1000).astype(np.float32)
    assert adjusted_rand_score(truth, clusterer.fit(points, ctx).assignments) == 1
    assert adjusted_rand_score(truth[::-1], clusterer.fit(points[::-1], ctx).assignments) == 1


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@kmeans
def test_repeated_points_give_a_warning_of_empty_clusters(clusterer, ctx, caplog):
    points = np.repeat(X[:4], 25, axis=0)
    clustering = clusterer.fit(points, ctx)
    assert len(set(clustering.assignments)) == 4
    assert clustering.inertia < 1e-5 * (points.var(axis=0).sum() * len(points))
    says(caplog.text, key="6 of cluster.k=10", use="cluster.k<=4")


@of_k
def test_k_beyond_the_samples_suggests_a_smaller_k(clusterer, ctx):
    for refuse in (lambda stage: stage.check(1797), lambda stage: stage.fit(X, ctx)):
        with pytest.raises(ValueError) as error:
            refuse(replace(clusterer, k=2000))
        says(error, key="cluster.k=2000", use="cluster.k<=1797")


@kmeans
@pytest.mark.parametrize(
    ("name", "value", "use"),
    [
        ("k", 0, "1 or more"),
        ("max_iter", 0, "1 or more"),
        ("tolerance", float("nan"), "0 to 1"),
        ("tolerance", -1.0, "0 to 1"),
    ],
)
def test_settings_out_of_range_are_refused(clusterer, name, value, use):
    with pytest.raises(ValueError) as error:
        replace(clusterer, **{name: value})
    says(error, key=f"cluster.{name}={value}", use=use)


@every_clusterer
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_values_that_are_not_numbers_are_refused(clusterer, value, ctx):
    points = X.copy()
    points[[2, 7], 3] = value
    with pytest.raises(ValueError) as error:
        clusterer.fit(points, ctx)
    says(error, key="2 of 1797 rows", use="nan or inf")


def test_saved_clusterings_import_no_framework():
    code = (
        f"import sys, {', '.join({type(clusterer).__module__ for clusterer in CLUSTERERS})}; "
        "heavy = ('sklearn', 'scipy', 'faiss', 'threadpoolctl', 'numba', 'fast_hdbscan', 'psutil'); "
        "print([name for name in heavy if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, encoding="utf-8").strip() == "[]"


@every_clusterer
def test_six_points_are_clustered(clusterer, ctx):
    clustering = small(clusterer).fit(X[:6], ctx)
    assert clustering.assignments.shape == (6,)
    assert clustering.assign(X[:9])[0].shape == (9,)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@every_clusterer
def test_points_that_are_all_equal_are_clustered(clusterer, ctx):
    clustering = small(clusterer).fit(np.repeat(X[:1], 60, axis=0), ctx)
    assert clustering.assignments.shape == (60,)
    assert clustering.assign(X[:1])[1] < 0.01 * np.linalg.norm(X[0])
