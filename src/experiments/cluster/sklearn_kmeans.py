"""Lloyd's k-means by scikit-learn, the reference for the other k-means clusterers."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.cluster.kmeans.centroids import (
    CentroidClustering,
    check_finite,
    check_k,
    check_settings,
    rescale_points,
)
from experiments.context import Context


@dataclass(frozen=True)
class SklearnKMeans:
    """k-means on all points: the best of `n_init` starts.

    Parameters
    ----------
    k
        Number of clusters, 1 to n.
    n_init
        Number of greedy k-means++ starts; the start of lowest inertia is used.
    max_iter
        Largest number of Lloyd iterations per start.
    tolerance
        A start ends when its centroids move by less than this share of the mean variance.
    """

    VERSION: ClassVar[int] = 2

    k: int
    n_init: int
    max_iter: int
    tolerance: float
    seed: int

    def __post_init__(self) -> None:
        check_settings(self, ("k", "n_init", "max_iter"), ("tolerance",))

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n."""
        check_k(self.k, n)

    @rescale_points
    def fit(self, reduced: np.ndarray, ctx: Context) -> CentroidClustering:
        """Cluster float32 (n, p)."""
        from sklearn.cluster import KMeans
        from threadpoolctl import threadpool_limits

        self.check(len(reduced))
        check_finite(reduced)
        kmeans = KMeans(
            self.k, n_init=self.n_init, max_iter=self.max_iter, tol=self.tolerance, random_state=self.seed
        )
        with threadpool_limits(ctx.threads):
            kmeans.fit(np.asarray(reduced, np.float32))
            return CentroidClustering.around(kmeans.cluster_centers_, reduced)
