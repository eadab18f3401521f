"""Gaussian mixtures: each cluster has a covariance, and each point a probability."""

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
BATCH = 16_384  # number of points at a time
COSTLY = 10**10  # operations of an iteration from which a fit takes minutes


@dataclass(frozen=True, eq=False)
class GmmClustering(SavedFields):
    """The clustering by the most probable component, and the fitted mixture.

    Parameters
    ----------
    assignments
        int64 (n,): the component of highest posterior probability.
    probabilities
        float32 (n,): that posterior probability.
    centroids
        float64 (k, p): the means of the components.
    weights
        float64 (k,): share of each component.
    whitening
        float64: Cholesky factors of the inverse covariances; (x - mean) times the factor has variance 1 in
        the component. Upper triangular (k, p, p) for `full`, (1, p, p) for `tied`; (k, p) for `diag`, (k,)
        for `spherical`.
    """

    assignments: np.ndarray
    probabilities: np.ndarray
    centroids: np.ndarray
    inertia: None
    weights: np.ndarray
    whitening: np.ndarray

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Assign float32 (m, p) to the component of highest posterior; ties go to the first component.

        Returns
        -------
        Ids int64 (m,) and Mahalanobis distance float32 (m,), in standard deviations of that component.
        """
        ids, _, distance = _posterior(self.centroids, self.whitening, self.weights, reduced)
        return ids, distance


@dataclass(frozen=True)
class Gmm:
    """scikit-learn's Gaussian mixture: the best of `n_init` starts from k-means.

    Parameters
    ----------
    k
        Number of components, 1 to n; n is 2 or more.
    covariance_type
        `full`: a matrix for each component; `tied`: one for all; `diag`: diagonal; `spherical`: one variance.
    n_init
        Number of starts; the start of highest likelihood is used.
    reg
        Constant added to each variance, so that none is 0; in the squared unit of the points.
    max_iter
        Largest number of EM iterations per start.
    tolerance
        A start ends when the mean log-likelihood increases by less than this.

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
            raise ValueError(f"cluster.reg={self.reg} is not a variance; use 0 or more, such as 1e-6")

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n, or n is 1."""
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
        self._warn_width(points.shape[1])
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
                    f"cluster.reg={self.reg} leaves a component without variance in some direction; use a "
                    "larger cluster.reg, a smaller cluster.k, or cluster.covariance_type=diag"
                ) from error
            factors = mixture.precisions_cholesky_
            whitening = factors[None] if self.covariance_type == "tied" else factors
            ids, posterior, _ = _posterior(mixture.means_, whitening, mixture.weights_, reduced)
        warn_empty(self.k, ids, reduced)
        return GmmClustering(ids, posterior, mixture.means_, None, mixture.weights_, whitening)

    def _warn_width(self, p: int) -> None:
        """Log if the covariance matrices of p values are so large that a fit takes minutes or more."""
        matrices = {"full": self.k, "tied": 1}.get(self.covariance_type, 0)
        if matrices * p**3 > COSTLY:
            log.warning(
                "cluster.covariance_type=%s decomposes %d x %d values in each iteration and can take hours; "
                "use cluster.covariance_type=diag, or reducer=pca",
                self.covariance_type, p, p,
            )  # fmt: skip

    def _warn_reg(self, points: np.ndarray) -> None:
        """Log if `reg` is larger than the variance of the points."""
        variance = float(points.var(axis=0).mean())
        if 0 < variance < self.reg:
            log.warning(
                "cluster.reg=%g is added to each variance and exceeds the variance of the points, %.3g; use "
                "cluster.reg=%.1g, or reducer=standardize",
                self.reg, variance, variance / 1e6,
            )  # fmt: skip


def _posterior(
    means: np.ndarray, whitening: np.ndarray, weights: np.ndarray, points: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the most probable component of each point, its posterior, and the distance to its mean."""
    results = list(_batches(means, whitening, weights, np.asarray(points)))
    if not results:
        return np.empty(0, np.int64), np.empty(0, np.float32), np.empty(0, np.float32)
    ids, posterior, distance = (np.concatenate(parts) for parts in zip(*results, strict=True))
    return ids.astype(np.int64), posterior.astype(np.float32), distance.astype(np.float32)


def _batches(
    means: np.ndarray, whitening: np.ndarray, weights: np.ndarray, points: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    full = whitening.ndim == 3
    factors = np.broadcast_to(whitening, (len(means), *whitening.shape[1:]))
    diagonals = np.diagonal(factors, axis1=1, axis2=2) if full else factors.reshape(len(means), -1)
    with np.errstate(divide="ignore"):  # a component of weight 0 is never the most probable
        scale = np.log(weights) + np.log(np.broadcast_to(diagonals, means.shape)).sum(axis=1)
    for start in range(0, len(points), BATCH):
        batch = points[start : start + BATCH].astype(np.float64)
        squared = np.empty((len(batch), len(means)))
        for component, (mean, factor) in enumerate(zip(means, factors, strict=True)):
            offset = batch - mean
            squared[:, component] = ((offset @ factor if full else offset * factor) ** 2).sum(axis=1)
        likelihood = scale - squared / 2
        ids = likelihood.argmax(axis=1)
        rows = np.arange(len(batch))
        relative = np.exp(likelihood - likelihood[rows, ids][:, None])
        yield ids, 1 / relative.sum(axis=1), np.sqrt(squared[rows, ids])
