"""Agglomerative clustering agrees with scikit-learn's on its 1,797 scanned digits."""

import logging
from collections import namedtuple

import numpy as np
import psutil
import pytest
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score
from tests.messages import says

from experiments.cluster.agglomerative import LINKAGES, Agglomerative, cut

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)


@pytest.mark.parametrize("linkage", LINKAGES)
@pytest.mark.parametrize("k", [2, 10, 100])
def test_clusters_are_those_of_scikit_learn(ctx, linkage, k):
    expected = AgglomerativeClustering(k, linkage=linkage).fit(X).labels_
    clustering = Agglomerative(k, linkage).fit(X, ctx)
    assert adjusted_rand_score(expected, clustering.assignments) > (1 - 1e-9 if linkage == "ward" else 0.99)
    assert set(clustering.assignments) == set(range(k))


def test_ward_finds_the_digits(ctx):
    assert adjusted_rand_score(LABELS, Agglomerative(10, "ward").fit(X, ctx).assignments) > 0.75


def test_centroids_and_inertia_are_those_of_the_cluster_means(ctx):
    clustering = Agglomerative(10, "ward").fit(X, ctx)
    means = np.array([X[clustering.assignments == cluster].mean(axis=0) for cluster in range(10)])
    np.testing.assert_allclose(clustering.centroids, means, atol=1e-3)
    expected = ((X - means[clustering.assignments]) ** 2).sum()
    assert clustering.inertia == pytest.approx(expected, rel=1e-5)


def test_new_points_go_to_the_nearest_mean(ctx):
    clustering = Agglomerative(10, "ward").fit(X[:1000], ctx)
    ids, distance = clustering.assign(X[1000:])
    pairs = np.linalg.norm(X[1000:, None] - clustering.centroids, axis=2)
    np.testing.assert_array_equal(ids, pairs.argmin(axis=1))
    np.testing.assert_allclose(distance, pairs.min(axis=1), rtol=1e-4)


def test_the_share_of_rows_nearer_to_another_mean_is_logged(ctx, caplog):
    with caplog.at_level(logging.DEBUG):
        clustering = Agglomerative(10, "ward").fit(X, ctx)
    share = np.mean(clustering.assign(X)[0] != clustering.assignments)
    says(caplog.text, key=f"{100 * share:.1f} %")
    assert 0 < share < 0.1


def test_a_sweep_over_k_computes_one_tree_and_nested_clusters(ctx):
    coarse, fine = (Agglomerative(k, "ward").fit(X, ctx).assignments for k in (10, 30))
    assert len(ctx.store.computed) == 1
    assert len({*zip(coarse.tolist(), fine.tolist(), strict=True)}) == 30
    Agglomerative(10, "complete").fit(X, ctx)
    assert len(ctx.store.computed) == 2


def test_a_tree_is_cut_into_any_number_of_clusters(ctx):
    merges = np.array([[0, 1, 1, 2], [3, 4, 1, 2], [2, 5, 2, 3], [6, 7, 9, 5]], float)
    assert [cut(merges, k).tolist() for k in (1, 2, 3, 5)] == [
        [0, 0, 0, 0, 0], [0, 0, 0, 1, 1], [0, 0, 1, 2, 2], [0, 1, 2, 3, 4]
    ]  # fmt: skip
    assert cut(np.empty((0, 4)), 1).tolist() == [0]
    assert Agglomerative(1, "ward").fit(X[:1], ctx).assignments.tolist() == [0]


def test_too_little_memory_suggests_a_limit(monkeypatch, ctx, caplog):
    memory = namedtuple("memory", "total available")
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory(2**30, 2**20))
    with pytest.raises(ValueError) as error:
        Agglomerative(10, "ward").check(25_557)
    text = says(error, key="cluster=agglomerative", use="dataset.limit=11585")
    assert all(fact in text for fact in ("25557", "4.9 GiB", "1.0"))
    Agglomerative(10, "ward").check(1797)
    Agglomerative(10, "ward").fit(X, ctx)
    says(caplog.text, key="1797 samples", use="close other")


def test_another_linkage_is_refused():
    with pytest.raises(ValueError) as error:
        Agglomerative(10, "single")
    says(error, key="cluster.linkage=single", use=", ".join(LINKAGES))


def test_k_is_found_by_the_silhouette(ctx, caplog):
    points = np.repeat(100 * np.eye(7, 64, dtype=np.float32), 20, axis=0) + X[:140]
    with caplog.at_level(logging.INFO):
        clustering = Agglomerative("auto", "ward").fit(points, ctx)
    assert adjusted_rand_score(np.repeat(np.arange(7), 20), clustering.assignments) == 1
    assert clustering.centroids.shape == (7, 64)
    says(caplog.text, key="cluster.k=auto is k=7")
    np.testing.assert_array_equal(clustering.assign(points)[0], clustering.assignments)
    assert len(Agglomerative("auto", "ward").fit(points[:1], ctx.with_input("one")).centroids) == 1


@pytest.mark.parametrize("k", [0, 2.5, "many"])
def test_another_k_is_refused(k):
    with pytest.raises(ValueError) as error:
        Agglomerative(k, "ward")
    says(error, key=f"cluster.k={k}", use="cluster.k=auto")
