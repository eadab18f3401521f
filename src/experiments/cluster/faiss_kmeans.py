"""Lloyd's k-means on FAISS, led out of local optima by breathing."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.cluster.breathing import breathe
from experiments.cluster.centroids import (
    CentroidClustering,
    at_size_one,
    check_finite,
    check_k,
    check_settings,
)
from experiments.types import Context


@dataclass(frozen=True)
class FaissKMeans:
    """k-means on every point: the best of `n_redo` starts, made better by breaths, brought to rest.

    Parameters
    ----------
    k
        Number of clusters, 1 to n.
    n_redo
        k-means++ starts, lowest objective kept.
    breath
        Centroids that a first breath moves; 0 for plain Lloyd.
    max_iter
        Lloyd iterations per start, at most.
    start_tolerance
        A start, and each half of a breath, ends when the objective changes by less than this share.
    tolerance
        The last iterations end when it changes by less than this share.
    spherical
        Keep centroids at unit length; for points of unit length. The inertia is still the squared
        Euclidean distance, which is 2 - 2 * cosine for such points.

    Source
    ------
    Arthur, Vassilvitskii, "k-means++", 2007; Fritzke, "Breathing K-Means", 2020; Johnson, Douze, Jegou,
    "Billion-scale similarity search with GPUs", 2017.
    """

    VERSION: ClassVar[int] = 2

    k: int
    n_redo: int
    breath: int
    max_iter: int
    start_tolerance: float
    tolerance: float
    spherical: bool
    seed: int

    def __post_init__(self) -> None:
        check_settings(self, ("k", "n_redo", "max_iter"), ("start_tolerance", "tolerance"))
        if self.breath < 0:
            raise ValueError(f"cluster.breath={self.breath} is negative; use 0 or more")

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n."""
        check_k(self.k, n)

    @at_size_one
    def fit(self, reduced: np.ndarray, ctx: Context) -> CentroidClustering:
        """Cluster float32 (n, p)."""
        import faiss
        from threadpoolctl import threadpool_limits

        self.check(len(reduced))
        check_finite(reduced)
        points = np.ascontiguousarray(reduced, np.float32)
        if self.spherical:
            _check_length(points)
        gpu = ctx.device == "cuda" and faiss.get_num_gpus() > 0
        plus_plus = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
        breath = min(self.breath, self.k, len(points) - self.k) if self.k > 1 else 0

        def settle(centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            kmeans = self._kmeans(points, len(centroids), gpu, self.start_tolerance)
            kmeans.train(points, init_centroids=centroids)
            return kmeans.centroids, *self._nearest_two(kmeans, points)

        with threadpool_limits(ctx.threads):  # FAISS's OpenMP and BLAS among them
            start = self._kmeans(
                points, self.k, gpu, self.start_tolerance, nredo=self.n_redo, init_method=plus_plus
            )
            start.train(points)
            centroids = breathe(start.centroids, settle, breath, self.start_tolerance, self.seed)
            final = self._kmeans(points, self.k, gpu, self.tolerance)
            final.train(points, init_centroids=centroids)
            return CentroidClustering.around(final.centroids, points)

    def _nearest_two(self, kmeans: Any, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return squared distance and number of the two nearest centroids, (n, 2) each."""
        found, ids = kmeans.index.search(points, min(2, kmeans.k))
        if not self.spherical:
            return found, ids
        return np.einsum("np,np->n", points, points)[:, None] + 1 - 2 * found, ids

    def _kmeans(self, points: np.ndarray, k: int, gpu: bool, threshold: float, **options: Any) -> Any:
        import faiss

        return faiss.Kmeans(
            points.shape[1],
            k,
            gpu=gpu,
            niter=self.max_iter,
            early_stop_threshold=threshold,
            spherical=self.spherical,
            seed=self.seed % 2**31,
            min_points_per_centroid=1,
            max_points_per_centroid=len(points),  # FAISS would train on a sample of 256 per centroid
            **options,
        )


def _check_length(points: np.ndarray) -> None:
    lengths = np.linalg.norm(points, axis=1)
    if np.abs(lengths - 1).max() > 1e-3:
        raise ValueError(
            f"cluster.spherical=true is for points of length 1, and these have {lengths.min():.3g} to "
            f"{lengths.max():.3g}; use cluster.spherical=false"
        )
