"""Gaussian mixtures: each cluster has a spread of its own, and each point a probability in it."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.cluster.kmeans.centroids import check_finite, check_k, check_settings, warn_empty
from experiments.context import Context
from experiments.store.values import SavedFields

log = logging.getLogger(__name__)

SHAPES = ("full", "tied", "diag", "spherical")
BATCH = 16_384  # points whose probabilities are computed at a time


@dataclass(frozen=True, eq=False)
class GmmClustering(SavedFields):
    """Points grouped by the component that most likely made them.

    Parameters
    ----------
    assignments
        int64 (n,), each the component of highest posterior.
    probabilities
        float32 (n,): that posterior.
    centroids
        float64 (k, p): the means.
    weights
        float64 (k,): share of each component.
    whitening
        float64: what a point less the mean is multiplied by to have variance 1 in the component. Upper
        triangular (k, p, p) if `full` and (1, p, p) if `tied`, along the axes (k, p) if `diag`, one number
        each (k,) if `spherical`.
    """

    assignments: np.ndarray
    probabilities: np.ndarray
    centroids: np.ndarray
    inertia: None
    weights: np.ndarray
    whitening: np.ndarray

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put each of float32 (m, p) into the component of highest posterior, the first of equals.

        Returns
        -------
        Ids int64 (m,) and distance float32 (m,): Mahalanobis, in standard deviations of that component.
        """
        ids, _, distance = _posterior(self.centroids, self.whitening, self.weights, reduced)
        return ids, distance


@dataclass(frozen=True)
class Gmm:
    """scikit-learn's Gaussian mixture, best of `n_init` starts from k-means.

    Parameters
    ----------
    k
        Number of components, 1 to n, of 2 points or more.
    covariance_type
        `full`: a spread of its own for each; `tied`: one for all; `diag`: along the axes; `spherical`: round.
    n_init
        Starts, highest likelihood kept.
    reg
        Added to each variance, so that equal points have one; in the square of the points' unit.
    max_iter
        Steps of expectation and maximisation per start, at most.
    tolerance
        A start ends when the mean log-likelihood gains less than this.

    Source
    ------
    Dempster, Laird, Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977.
    """

    VERSION: ClassVar[int] = 2

    k: int
    covariance_type: str
    n_init: int
    reg: float
    max_iter: int
    tolerance: float
    seed: int

    def __post_init__(self) -> None:
        check_settings(self, ("k", "n_init", "max_iter"), ("tolerance",))
        if self.covariance_type not in SHAPES:
            raise ValueError(
                f"cluster.covariance_type={self.covariance_type} is not an option; use {', '.join(SHAPES)}"
            )
        if not 0 <= self.reg < np.inf:
            raise ValueError(f"cluster.reg={self.reg} is no variance; use 0 or more, such as 1e-6")

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n, or one point has no spread."""
        check_k(self.k, n)
        if n < 2:
            raise ValueError(
                f"cluster=gmm needs 2 samples or more, and there is {n}; use cluster=faiss_kmeans"
            )

    def fit(self, reduced: np.ndarray, ctx: Context) -> GmmClustering:
        """Cluster float32 (n, p) in float64."""
        from sklearn.mixture import GaussianMixture
        from threadpoolctl import threadpool_limits

        self.check(len(reduced))
        check_finite(reduced)
        points = np.asarray(reduced, np.float64)
        self._warn_reg(points)
        mixture = GaussianMixture(
            self.k,
            covariance_type=self.covariance_type,
            tol=self.tolerance,
            reg_covar=self.reg,
            max_iter=self.max_iter,
            n_init=self.n_init,
            random_state=self.seed,
        )
        with threadpool_limits(ctx.threads):
            try:
                mixture.fit(points)
            except ValueError as error:
                if "ill-defined" not in str(error):
                    raise
                raise ValueError(
                    f"cluster.reg={self.reg} leaves a component without spread in some direction; use a "
                    "larger cluster.reg, a smaller cluster.k, or cluster.covariance_type=diag"
                ) from error
            factors = mixture.precisions_cholesky_
            whitening = factors[None] if self.covariance_type == "tied" else factors
            ids, posterior, _ = _posterior(mixture.means_, whitening, mixture.weights_, reduced)
        warn_empty(self.k, ids, reduced)
        return GmmClustering(ids, posterior, mixture.means_, None, mixture.weights_, whitening)

    def _warn_reg(self, points: np.ndarray) -> None:
        """Log if `reg` hides how the points are spread."""
        variance = float(points.var(axis=0).mean())
        if 0 < variance < self.reg:
            log.warning(
                "cluster.reg=%g is added to each variance, and that of the points is %.3g: it hides their "
                "spread; use cluster.reg=%.1g, or reducer=standardize",
                self.reg, variance, variance / 1e6,
            )  # fmt: skip


def _posterior(
    means: np.ndarray, whitening: np.ndarray, weights: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the likeliest component of each point, its posterior, and the distance to its mean."""
    found = list(_batches(means, whitening, weights, np.asarray(points)))
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32)
    ids, posterior, distance = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return ids.astype(np.int64), posterior.astype(np.float32), distance.astype(np.float32)


def _batches(
    means: np.ndarray, whitening: np.ndarray, weights: np.ndarray, points: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    full = whitening.ndim == 3
    factors = np.broadcast_to(whitening, (len(means), *whitening.shape[1:]))
    own = np.diagonal(factors, axis1=1, axis2=2) if full else factors.reshape(len(means), -1)
    with np.errstate(divide="ignore"):  # a component of no weight is never chosen
        scale = np.log(weights) + np.log(np.broadcast_to(own, means.shape)).sum(axis=1)
    for start in range(0, len(points), BATCH):
        batch = points[start : start + BATCH].astype(np.float64)
        squared = np.empty((len(batch), len(means)))
        for component, (mean, factor) in enumerate(zip(means, factors, strict=True)):
            offset = batch - mean
            squared[:, component] = ((offset @ factor if full else offset * factor) ** 2).sum(axis=1)
        likelihood = scale - squared / 2
        ids = likelihood.argmax(axis=1)
        each = np.arange(len(batch))
        above = np.exp(likelihood - likelihood[each, ids][:, None])
        yield ids, 1 / above.sum(axis=1), np.sqrt(squared[each, ids])
