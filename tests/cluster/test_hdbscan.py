"""HDBSCAN agrees with the reference implementation on blobs in noise."""

from dataclasses import replace

import hdbscan
import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from tests.messages import says

from experiments.cluster.hdbscan import Hdbscan

RNG = np.random.default_rng(0)
TRUTH = np.repeat(np.arange(6), 150)
CENTRES = RNG.uniform(-12, 12, (6, 5))
BLOBS = CENTRES[TRUTH] + RNG.standard_normal((900, 5)) * np.array([0.5, 0.8, 1, 1, 1.2, 1.5])[TRUTH, None]
X = np.concatenate([BLOBS, RNG.uniform(-15, 15, (150, 5))]).astype(np.float32)
NEW = np.concatenate(
    [BLOBS + RNG.standard_normal((900, 5)), RNG.uniform(-15, 15, (150, 5))]
).astype(np.float32)  # fmt: skip
SETTINGS = [(5, 5, "eom"), (20, 5, "eom"), (3, 1, "eom"), (10, 3, "leaf"), (30, 30, "eom")]


def stage(size: int = 20, samples: int = 5, method: str = "eom", *, epsilon=0.0, single=False) -> Hdbscan:
    return Hdbscan(size, samples, method, epsilon, single)


def reference(size: int, samples: int, method: str, **more) -> hdbscan.HDBSCAN:
    return hdbscan.HDBSCAN(
        min_cluster_size=size, min_samples=samples, cluster_selection_method=method, prediction_data=True,
        approx_min_span_tree=False, **more,
    ).fit(X.astype(np.float64))  # fmt: skip


def test_blobs_are_clusters_and_points_between_them_are_noise(ctx):
    clustering = stage().fit(X, ctx)
    assert clustering.assignments.max() == 5
    assert adjusted_rand_score(TRUTH, clustering.assignments[:900]) > 0.9
    assert (clustering.assignments[900:] == -1).mean() > 0.8
    assert clustering.probabilities.max() == 1


@pytest.mark.parametrize("settings", SETTINGS)
def test_clusters_are_those_of_the_reference(ctx, settings):
    """Points at the border may differ: equal distances leave a choice there."""
    expected, clustering = reference(*settings), stage(*settings).fit(X, ctx)
    assert clustering.assignments.max() == expected.labels_.max()
    assert adjusted_rand_score(expected.labels_, clustering.assignments) > 0.99
    both = (expected.labels_ >= 0) & (clustering.assignments >= 0)
    difference = np.abs(expected.probabilities_ - clustering.probabilities)[both]
    assert np.median(difference) < 1e-3


@pytest.mark.parametrize("settings", SETTINGS)
def test_new_points_are_assigned_as_approximate_predict_assigns_them(ctx, settings):
    expected, _ = hdbscan.approximate_predict(reference(*settings), NEW.astype(np.float64))
    ids, distance = stage(*settings).fit(X, ctx).assign(NEW)
    assert adjusted_rand_score(expected, ids) > 0.99
    assert ((expected < 0) == (ids < 0)).mean() > 0.99
    assert np.isfinite(distance).all()
    assert np.median(distance[900:]) > 2 * np.median(distance[:900])  # points between the blobs are far


def test_distance_is_mutual_reachability_to_the_nearest_other_point(ctx):
    clustering = stage(5, 4).fit(X, ctx)
    _, distance = clustering.assign(X[:50])
    pairs = np.linalg.norm(X[:50, None].astype(np.float64) - X, axis=2)
    others = np.sort(pairs, axis=1)[:, 1:]
    assert (distance >= others[:, 3] - 1e-5).all()  # the row's own core distance
    assert (distance < others[:, 8]).all()


def test_leaf_gives_more_clusters_and_an_epsilon_fewer(ctx):
    counts = [
        clusterer.fit(X, ctx).assignments.max() + 1
        for clusterer in (stage(5, 3), stage(5, 3, "leaf"), stage(5, 3, "leaf", epsilon=3.0))
    ]
    assert counts[1] > counts[0]
    assert counts[2] < counts[1]


def test_epsilon_agrees_with_the_reference(ctx):
    expected = reference(5, 3, "leaf", cluster_selection_epsilon=1.5)
    clustering = stage(5, 3, "leaf", epsilon=1.5).fit(X, ctx)
    assert adjusted_rand_score(expected.labels_, clustering.assignments) > 0.98


def test_a_single_cluster_is_found_if_allowed(ctx):
    blob = X[:150]
    assert (stage(100).fit(blob, ctx).assignments == -1).all()
    clustering = stage(100, single=True).fit(blob, ctx)
    assert set(clustering.assignments) == {-1, 0} or set(clustering.assignments) == {0}
    assert clustering.probabilities.max() == 1


def test_all_noise_is_no_error(ctx):
    clustering = stage(100, 30).fit(X[900:], ctx)
    assert (clustering.assignments == -1).all()
    np.testing.assert_array_equal(clustering.probabilities, 0)
    ids, distance = clustering.assign(NEW[:10])
    assert (ids == -1).all()
    assert np.isfinite(distance).all()


def test_copies_of_a_point_are_a_cluster(ctx):
    points = np.concatenate([np.repeat(X[:4], 10, axis=0), X[900:]])
    clustering = stage(5, 3).fit(points, ctx)
    for copy in range(4):
        assert len(set(clustering.assignments[10 * copy : 10 * copy + 10])) == 1
    assert clustering.assignments[0] >= 0
    assert np.isfinite(clustering.probabilities).all()
    np.testing.assert_array_equal(clustering.assign(points)[0], clustering.assignments)


def test_copies_of_a_point_do_not_change_other_probabilities(ctx):
    copies = np.repeat(X[:1], 40, axis=0)  # more than min_cluster_size, so they are the densest part
    plain = stage(30, 5).fit(X, ctx.with_input("plain"))
    clustering = stage(30, 5).fit(np.concatenate([X, copies]), ctx.with_input("copies"))
    cluster = clustering.assignments[0]
    assert cluster >= 0
    np.testing.assert_array_equal(clustering.probabilities[len(X) :], 1)
    others = np.flatnonzero(clustering.assignments[1 : len(X)] == cluster) + 1
    assert (clustering.probabilities[others] > 0).all()
    assert clustering.probabilities[others].max() == 1
    known = others[plain.assignments[others] >= 0]
    assert np.corrcoef(clustering.probabilities[known], plain.probabilities[known])[0, 1] > 0.8
    np.testing.assert_array_equal(clustering.probabilities[clustering.assignments < 0], 0)


def test_a_rounded_point_is_the_fitted_point(ctx):
    """The last digits of an embedding depend on the other rows of its batch."""
    clustering = stage().fit(X, ctx)
    np.testing.assert_array_equal(clustering.assign(X * np.float32(1 + 1e-6))[0], clustering.assignments)


def test_threads_change_no_result(ctx):
    single, four = (stage().fit(X, replace(ctx.with_input(str(n)), threads=n)) for n in (1, 4))
    np.testing.assert_array_equal(single.assignments, four.assignments)
    np.testing.assert_array_equal(single.probabilities, four.probabilities)


def test_the_order_of_rows_changes_border_points_only(ctx):
    order = RNG.permutation(len(X))
    clustering, mixed = stage().fit(X, ctx.with_input("a")), stage().fit(X[order], ctx.with_input("b"))
    assert adjusted_rand_score(clustering.assignments[order], mixed.assignments) > 0.99


def test_a_sweep_computes_one_tree(ctx):
    for size in (5, 10, 20):
        for method in ("eom", "leaf"):
            stage(size, 5, method).fit(X, ctx)
    assert len(ctx.store.computed) == 1
    stage(5, 6).fit(X, ctx)
    assert len(ctx.store.computed) == 2


def test_too_few_points_are_refused_with_advice():
    with pytest.raises(ValueError) as error:
        stage(2, 1).check(5)
    assert "6 samples or more" in says(error, key="cluster=hdbscan", use="use more")
    with pytest.raises(ValueError) as error:
        stage().check(10)
    says(error, key="cluster.min_cluster_size=20", use="cluster.min_cluster_size<=9")
    with pytest.raises(ValueError) as error:
        stage(5, 50).check(50)
    says(error, key="cluster.min_samples=50", use="cluster.min_samples<=49")
    stage(5, 5).check(6)


@pytest.mark.parametrize(
    ("name", "value", "use"),
    [
        ("min_cluster_size", 1, "2 or more"), ("min_samples", 0, "1 or more"),
        ("cluster_selection_method", "best", "eom or leaf"),
        ("cluster_selection_epsilon", -1.0, "0 or more"),
        ("cluster_selection_epsilon", float("nan"), "0 or more"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(name, value, use):
    with pytest.raises(ValueError) as error:
        replace(stage(), **{name: value})
    says(error, key=f"cluster.{name}={value}", use=use)
