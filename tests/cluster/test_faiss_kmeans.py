"""FAISS k-means compared with scikit-learn's, on its 1,797 scanned digits."""

from dataclasses import replace

import faiss
import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import normalized_mutual_info_score
from tests.messages import says

from experiments.cluster.faiss_kmeans import FaissKMeans

pytestmark = pytest.mark.slow

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)


def kmeans(k: int, *, n_redo: int | str = 5, breath: int | str = 16, spherical: bool = False) -> FaissKMeans:
    return FaissKMeans(k, n_redo, breath, 300, 3e-4, 1e-6, spherical, seed=0)


@pytest.mark.parametrize("k", [10, 50])
def test_inertia_is_within_half_a_percent_of_scikit_learn(k, ctx):
    reference = KMeans(k, n_init=10, random_state=0).fit(X).inertia_
    assert kmeans(k).fit(X, ctx).inertia < 1.005 * reference


def test_ten_clusters_recover_the_digits(ctx):
    assert normalized_mutual_info_score(LABELS, kmeans(10).fit(X, ctx).assignments) > 0.70


def test_all_points_are_used_not_256_per_centroid(ctx):
    """A far group of 1 in 400 points moves the mean; a sample of 256 would hardly contain it."""
    points = np.zeros((4000, 2), np.float32)
    points[::400] = 400
    clustering = kmeans(1).fit(points, ctx)
    np.testing.assert_allclose(clustering.centroids, 1, rtol=1e-5)


def test_starts_and_breaths_lower_the_inertia(ctx):
    plain = kmeans(50, n_redo=1, breath=0).fit(X, ctx).inertia
    assert kmeans(50, n_redo=20, breath=0).fit(X, ctx).inertia < plain
    assert kmeans(50, n_redo=1, breath=16).fit(X, ctx).inertia < 0.998 * plain


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [
        ("breath", -1, 0),
        ("breath", "some", 0),
        ("n_redo", 0, 1),
        ("n_redo", "many", 1),
        ("n_redo", True, 1),
        ("n_redo", 2.5, 1),
    ],
)
def test_starts_and_breaths_are_auto_or_numbers(name, value, least):
    with pytest.raises(ValueError) as error:
        replace(kmeans(10), **{name: value})
    says(error, key=f"cluster.{name}={value}", use=f"cluster.{name}=auto, or {least} or more")


def test_auto_is_ten_starts_and_a_breath_of_16_for_few_rows(ctx):
    auto, explicit = (kmeans(20, n_redo=a, breath=b).fit(X, ctx) for a, b in (("auto", "auto"), (10, 16)))
    np.testing.assert_array_equal(auto.centroids, explicit.centroids)


def many_rows(n: int) -> np.ndarray:
    """Return rows around 12 centres, float32 (n, 3)."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 3, (12, 3))
    rows: np.ndarray = centres[rng.integers(0, 12, n)] + rng.standard_normal((n, 3))
    return rows.astype(np.float32)


def test_a_sample_of_many_rows_gives_an_inertia_as_low_as_all_rows(ctx):
    points = many_rows(80_000)
    points.flags.writeable = False
    stage = kmeans(12, n_redo="auto", breath="auto")
    once, again = (stage.fit(points, ctx) for _ in range(2))
    np.testing.assert_array_equal(once.assignments, again.assignments)
    assert once.inertia < 1.001 * kmeans(12, n_redo=3).fit(points, ctx).inertia
    means = [points[once.assignments == cluster].mean(axis=0) for cluster in range(12)]
    np.testing.assert_allclose(once.centroids, means, atol=0.02)  # the means of all rows, not of the sample


def test_a_far_group_that_the_sample_missed_gets_a_centroid(ctx):
    points = many_rows(70_000)
    stage = kmeans(12, n_redo="auto")
    missed = np.setdiff1d(np.arange(len(points)), stage._sample(len(points)))[:30]
    points[missed] = [30, 30, 30]
    clustering = stage.fit(points, ctx)
    alone = clustering.assignments == clustering.assignments[missed[0]]
    np.testing.assert_array_equal(np.flatnonzero(alone), missed)
    without_breath = replace(stage, breath=0).fit(points, ctx).assignments
    assert (without_breath == without_breath[missed[0]]).sum() > 1000


def test_directions_of_many_rows_are_clustered_from_a_sample(ctx):
    points = many_rows(70_000)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    sampled, whole = (
        kmeans(12, n_redo=n_redo, spherical=True).fit(points, ctx).inertia for n_redo in ("auto", 3)
    )
    assert sampled == pytest.approx(whole, rel=5e-3)


def test_a_large_tolerance_ends_the_iterations_early(ctx):
    inertia = replace(kmeans(50, breath=0), start_tolerance=0.5, tolerance=0.5).fit(X, ctx).inertia
    assert inertia > 1.01 * kmeans(50, breath=0).fit(X, ctx).inertia


def test_centroids_are_means_of_their_points(ctx):
    clustering = kmeans(10).fit(X, ctx)
    means = [X[clustering.assignments == cluster].mean(axis=0) for cluster in range(10)]
    np.testing.assert_allclose(clustering.centroids, means, atol=0.1)


def test_spherical_centroids_have_unit_length_and_cosine_inertia(ctx):
    directions = X / np.linalg.norm(X, axis=1, keepdims=True)
    clustering = kmeans(10, spherical=True).fit(directions, ctx)
    np.testing.assert_allclose(np.linalg.norm(clustering.centroids, axis=1), 1, atol=1e-5)
    cosine = directions @ clustering.centroids.T
    np.testing.assert_array_equal(clustering.assignments, cosine.argmax(axis=1))
    assert clustering.inertia == pytest.approx((2 - 2 * cosine.max(axis=1)).sum(), rel=1e-4)


def test_spherical_is_refused_for_points_of_other_lengths(ctx):
    with pytest.raises(ValueError) as error:
        kmeans(10, spherical=True).fit(X, ctx)
    says(error, key="cluster.spherical=true", use="cluster.spherical=false")


def test_threads_change_no_result_and_their_limit_is_restored(ctx):
    before = faiss.omp_get_max_threads()
    single, two = (kmeans(10).fit(X, replace(ctx, threads=threads)) for threads in (1, 2))
    assert faiss.omp_get_max_threads() == before
    np.testing.assert_array_equal(single.assignments, two.assignments)
    assert single.inertia == two.inertia


def test_threads_are_respected(ctx, monkeypatch):
    limits = []
    train = faiss.Kmeans.train
    monkeypatch.setattr(
        faiss.Kmeans,
        "train",
        lambda *args, **more: [limits.append(faiss.omp_get_max_threads()), train(*args, **more)],
    )
    kmeans(10).fit(X, replace(ctx, threads=1))
    assert set(limits) == {1}


@pytest.mark.gpu
@pytest.mark.skipif(faiss.get_num_gpus() == 0, reason="needs a CUDA device that FAISS can use")
def test_the_gpu_gives_an_inertia_as_low_as_the_cpu(ctx):
    cpu, gpu = (kmeans(50).fit(X, replace(ctx, device=device)) for device in ("cpu", "cuda"))
    assert gpu.inertia == pytest.approx(cpu.inertia, rel=5e-3)
    np.testing.assert_array_equal(gpu.assign(X)[0], gpu.assignments)
