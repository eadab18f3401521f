"""Lloyd's k-means on FAISS."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.cluster.centroids import CentroidClustering, check_finite, check_k, check_settings
from experiments.types import Context


@dataclass(frozen=True)
class FaissKMeans:
    """k-means on every point, the best of `n_redo` starts brought to rest.

    Parameters
    ----------
    k
        Number of clusters, 1 to n.
    n_redo
        k-means++ starts, lowest objective kept.
    max_iter
        Lloyd iterations per start, at most.
    start_tolerance
        A start ends when the objective falls by less than this share of itself.
    tolerance
        The best start goes on from there until it falls by less than this.
    spherical
        Keep centroids at unit length; for points of unit length. The inertia is still the squared
        Euclidean distance, which is 2 - 2 * cosine for such points.

    Source
    ------
    Arthur, Vassilvitskii, "k-means++", 2007; Johnson, Douze, Jegou, "Billion-scale similarity search
    with GPUs", 2017.
    """

    VERSION: ClassVar[int] = 1

    k: int
    n_redo: int
    max_iter: int
    start_tolerance: float
    tolerance: float
    spherical: bool
    seed: int

    def __post_init__(self) -> None:
        check_settings(self, ("k", "n_redo", "max_iter"), ("start_tolerance", "tolerance"))

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n."""
        check_k(self.k, n)

    def fit(self, reduced: np.ndarray, ctx: Context) -> CentroidClustering:
        """Cluster float32 (n, p)."""
        import faiss
        from threadpoolctl import threadpool_limits

        self.check(len(reduced))
        check_finite(reduced)
        points = np.ascontiguousarray(reduced, np.float32)
        gpu = ctx.device == "cuda" and faiss.get_num_gpus() > 0
        plus_plus = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
        with threadpool_limits(ctx.threads):  # FAISS's OpenMP and BLAS among them
            rough = self._kmeans(points, gpu, self.start_tolerance, nredo=self.n_redo, init_method=plus_plus)
            rough.train(points)
            final = self._kmeans(points, gpu, self.tolerance)
            final.train(points, init_centroids=rough.centroids)
            return CentroidClustering.around(final.centroids, points)

    def _kmeans(self, points: np.ndarray, gpu: bool, threshold: float, **options: Any) -> Any:
        import faiss

        return faiss.Kmeans(
            points.shape[1],
            self.k,
            gpu=gpu,
            niter=self.max_iter,
            early_stop_threshold=threshold,
            spherical=self.spherical,
            seed=self.seed % 2**31,
            min_points_per_centroid=1,
            max_points_per_centroid=len(points),  # FAISS would train on a sample of 256 per centroid
            **options,
        )
