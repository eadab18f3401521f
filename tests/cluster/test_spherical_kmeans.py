"""Spherical k-means: the lengths of rows do not matter."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from tests.messages import says

from experiments.cluster.faiss_kmeans import FaissKMeans
from experiments.cluster.spherical_kmeans import SphericalKMeans, directions

X = load_digits().data.astype(np.float32)
STAGE = SphericalKMeans(10, 3, 8, 300, start_tolerance=1e-3, tolerance=1e-6, seed=0)


def test_lengths_do_not_matter(ctx):
    lengths = np.random.default_rng(0).choice([0.25, 1, 4], len(X)).astype(np.float32)  # exact products
    plain, scaled = STAGE.fit(X, ctx), STAGE.fit(X * lengths[:, None], ctx)
    np.testing.assert_array_equal(plain.assignments, scaled.assignments)
    np.testing.assert_array_equal(plain.assign(X[:50] * 8)[0], plain.assignments[:50])


def test_it_is_faiss_kmeans_of_unit_rows(ctx):
    unit, _ = directions(X)
    expected = FaissKMeans(10, 3, 8, 300, 1e-3, 1e-6, spherical=True, seed=0).fit(unit, ctx)
    clustering = STAGE.fit(X, ctx)
    np.testing.assert_array_equal(clustering.assignments, expected.assignments)
    assert clustering.inertia == expected.inertia


def test_rows_are_assigned_to_the_centroid_of_largest_cosine(ctx):
    clustering = STAGE.fit(X, ctx)
    np.testing.assert_allclose(np.linalg.norm(clustering.centroids, axis=1), 1, atol=1e-5)
    cosine = directions(X)[0] @ clustering.centroids.T
    ids, distance = clustering.assign(X)
    np.testing.assert_array_equal(ids, cosine.argmax(axis=1))
    np.testing.assert_allclose(distance, np.sqrt(2 - 2 * cosine.max(axis=1)), atol=1e-3)


def test_rows_of_zeros_are_noise(ctx, caplog):
    rows = X.copy()
    rows[[3, 70]] = 0
    clustering = STAGE.fit(rows, ctx)
    assert np.flatnonzero(clustering.assignments < 0).tolist() == [3, 70]
    says(caplog.text, key="2 of 1797 rows", use="noise")
    ids, distance = clustering.assign(rows)
    np.testing.assert_array_equal(ids, clustering.assignments)
    np.testing.assert_allclose(distance[[3, 70]], 1, atol=1e-5)
    with pytest.raises(ValueError) as error:
        STAGE.fit(np.concatenate([rows[:4], np.zeros_like(X), rows[4:5]]), ctx)
    says(error, key="cluster.k=10", use="cluster.k<=4")


def test_directions_of_extreme_rows_are_numbers():
    rows = np.array([[3e38, 3e38], [1e-45, 0], [0, 0]], np.float32)
    unit, nonzero = directions(rows)
    np.testing.assert_allclose(unit, [[0.5**0.5] * 2, [1, 0], [0, 0]], atol=1e-6)
    assert nonzero.tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("name", "value", "use"),
    [
        ("k", 0, "1 or more"),
        ("breath", -1, "cluster.breath=auto, or 0 or more"),
        ("tolerance", 2.0, "0 to 1"),
    ],
)
def test_settings_out_of_range_are_refused(name, value, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **{name: value})
    says(error, key=f"cluster.{name}={value}", use=use)
