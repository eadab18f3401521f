"""Gaussian mixtures agree with scikit-learn's on its 1,797 scanned digits."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from tests.messages import says

from experiments.cluster.gmm import BATCH, Gmm

DIGITS = load_digits().data
X = PCA(8).fit_transform(DIGITS).astype(np.float32)
SHAPES = ("full", "tied", "diag", "spherical")


def mixture(shape: str = "full", *, k: int = 5, reg: float = 1e-3) -> Gmm:
    return Gmm(k, shape, n_init=1, reg=reg, max_iter=30, tolerance=1e-2, seed=0)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("shape", SHAPES)
def test_posteriors_are_those_of_scikit_learn(ctx, shape):
    expected = GaussianMixture(
        5, covariance_type=shape, reg_covar=1e-3, max_iter=30, tol=1e-2, random_state=0
    )
    posterior = expected.fit(X.astype(np.float64)).predict_proba(X.astype(np.float64))
    clustering = mixture(shape).fit(X, ctx)
    np.testing.assert_array_equal(clustering.assignments, posterior.argmax(axis=1))
    np.testing.assert_allclose(clustering.probabilities, posterior.max(axis=1), atol=1e-6)
    np.testing.assert_array_equal(clustering.centroids, expected.means_)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("shape", SHAPES)
def test_distance_is_in_standard_deviations(ctx, shape):
    expected = GaussianMixture(
        8, covariance_type=shape, reg_covar=1e-3, max_iter=30, tol=1e-2, random_state=0
    ).fit(X.astype(np.float64))
    covariances = {
        "full": lambda component: expected.covariances_[component],
        "tied": lambda component: expected.covariances_,
        "diag": lambda component: np.diag(expected.covariances_[component]),
        "spherical": lambda component: expected.covariances_[component] * np.eye(8),
    }
    ids, distance = mixture(shape, k=8).fit(X, ctx).assign(X[:20])  # as many components as columns
    for row, (component, far) in enumerate(zip(ids, distance, strict=True)):
        offset = X[row] - expected.means_[component]
        inverse = np.linalg.inv(covariances[shape](component))
        assert far == pytest.approx(np.sqrt(offset @ inverse @ offset), rel=1e-4)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(
    ("shape", "size"), [("full", (5, 8, 8)), ("tied", (1, 8, 8)), ("diag", (5, 8)), ("spherical", (5,))]
)
def test_the_saved_matrices_are_as_small_as_the_covariance_type_allows(ctx, shape, size):
    """For 2,048 columns and k=233, a matrix for each component takes 7.8 GB."""
    assert mixture(shape).fit(X, ctx).whitening.shape == size


def test_a_long_cluster_next_to_a_round_one_is_found(ctx):
    """k-means splits the long one; a covariance for each component does not."""
    rng = np.random.default_rng(0)
    truth = np.repeat([0, 1], 400)
    points = rng.standard_normal((800, 2)) * np.where(truth, 0.3, [[20.0], [1.0]]).T
    points[truth == 1] += [0, 5]
    clustering = mixture(k=2).fit(points.astype(np.float32), ctx)
    assert max(np.mean(clustering.assignments == truth), np.mean(clustering.assignments != truth)) > 0.98


def test_batches_change_nothing(ctx):
    clustering = mixture("diag").fit(X, ctx)
    copies = BATCH // len(X) + 2
    ids, distance = clustering.assign(np.tile(X, (copies, 1)))
    once = clustering.assign(X)
    np.testing.assert_array_equal(ids, np.tile(once[0], copies))
    np.testing.assert_allclose(distance, np.tile(once[1], copies), rtol=1e-6)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_equal_points_without_reg_suggest_settings(ctx):
    with pytest.raises(ValueError) as error:
        mixture(k=2, reg=0.0).fit(np.ones((20, 3), np.float32), ctx)
    says(error, key="cluster.reg=0.0", use="cluster.covariance_type=diag")


@pytest.mark.parametrize(
    ("name", "value", "use"),
    [
        ("covariance_type", "round", ", ".join(SHAPES)), ("reg", -1.0, "1e-6"), ("reg", float("nan"), "1e-6"),
        ("n_init", 0, "1 or more"),
    ],
)  # fmt: skip
def test_settings_out_of_range_are_refused(name, value, use):
    with pytest.raises(ValueError) as error:
        replace(mixture(), **{name: value})
    says(error, key=f"cluster.{name}={value}", use=use)


@pytest.mark.parametrize(
    ("shape", "p", "warned"), [("full", 2000, 1), ("full", 200, 0), ("tied", 3000, 1), ("diag", 9**5, 0)]
)
def test_large_covariance_matrices_are_warned_of(caplog, shape, p, warned):
    mixture(shape)._warn_width(p)
    assert len(caplog.messages) == warned
    for message in caplog.messages:
        says(
            message,
            key=f"cluster.covariance_type={shape}",
            use="cluster.covariance_type=diag, or reducer=pca",
        )
