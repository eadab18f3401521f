"""Lloyd's k-means on FAISS, led out of local optima by breathing."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from experiments.cluster.kmeans.breathing import Settle, breathe, exchange
from experiments.cluster.kmeans.centroids import (
    CentroidClustering,
    at_size_one,
    check_auto,
    check_finite,
    check_k,
    check_settings,
)
from experiments.context import Context
from experiments.numerics.threads import following

SAMPLE, PER_CLUSTER = 2**16, 256  # rows that n_redo=auto starts on, at least: in all, and per cluster
STARTS, STARTS_ON_SAMPLE = 10, 3  # of n_redo=auto
BREATH, SHARE_ON_SAMPLE = 16, 3  # of breath=auto: centroids; on a sample k / 3, if that is more
LARGE = 10**8  # values times clusters: about a second of work


class _Cores(NamedTuple):
    """Where FAISS computes: on a GPU or not, and `adapt` sets its threads to the cores that are free."""

    gpu: bool
    adapt: Callable[[], int]


@dataclass(frozen=True)
class FaissKMeans:
    """k-means on every point: the best of `n_redo` starts, made better by breaths, brought to rest.

    With `n_redo=auto`, starts and breaths use at most 65,536 rows, or 256 per cluster if that is more, drawn
    at random; their centroids come to rest on all rows. If rows with a larger error than any of the sample
    add up, one more breath offers them centroids: the sample may have missed a small group far away.

    Parameters
    ----------
    k
        Number of clusters, 1 to n.
    n_redo
        k-means++ starts on all rows, lowest objective kept; or `auto`: 10, but 3 on a sample of many rows.
    breath
        Centroids that a first breath moves; 0 for plain Lloyd; or `auto`: 16, but on a sample k / 3 if more.
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
    n_redo: Any
    breath: Any
    max_iter: int
    start_tolerance: float
    tolerance: float
    spherical: bool
    seed: int

    def __post_init__(self) -> None:
        check_settings(self, ("k", "max_iter"), ("start_tolerance", "tolerance"))
        check_auto(self, "n_redo", 1)
        check_auto(self, "breath", 0)

    def check(self, n: int) -> None:
        """Raise ValueError if k exceeds n."""
        check_k(self.k, n)

    @at_size_one
    def fit(self, reduced: np.ndarray, ctx: Context) -> CentroidClustering:
        """Cluster float32 (n, p)."""
        import faiss

        self.check(len(reduced))
        check_finite(reduced)
        points = np.ascontiguousarray(reduced, np.float32)
        if self.spherical:
            _check_length(points)
        gpu = ctx.device == "cuda" and faiss.get_num_gpus() > 0

        large = points.size * self.k > LARGE
        with following(ctx.threads, measure=large) as adapt:  # FAISS's OpenMP and BLAS among them
            cores = _Cores(gpu, adapt)
            sample = self._sample(len(points))
            centroids = self._started(points if sample is None else points[sample], sample is not None, cores)
            if sample is not None:
                centroids = self._on_all_rows(centroids, points, sample, cores)
            final = self._kmeans(points, self.k, cores, self.tolerance)
            final.train(points, init_centroids=centroids)
            return CentroidClustering.around(final.centroids, points)

    def _sample(self, n: int) -> np.ndarray | None:
        """Return the rows (m,) of which starts and breaths are made, rising; None for all."""
        size = max(SAMPLE, PER_CLUSTER * self.k)
        if self.n_redo != "auto" or n <= size:
            return None
        return np.sort(np.random.default_rng(self.seed).choice(n, size, replace=False, shuffle=False))

    def _breath(self, n: int, sampled: bool) -> int:
        """Return how many of k centroids of n rows a first breath moves."""
        auto = max(BREATH, self.k // SHARE_ON_SAMPLE) if sampled else BREATH
        return min(auto if self.breath == "auto" else self.breath, self.k, n - self.k) if self.k > 1 else 0

    def _started(self, rows: np.ndarray, sampled: bool, cores: _Cores) -> np.ndarray:
        """Return centroids (k, p) after all starts and breaths."""
        import faiss

        starts = (STARTS_ON_SAMPLE if sampled else STARTS) if self.n_redo == "auto" else self.n_redo
        plus_plus = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
        start = self._kmeans(rows, self.k, cores, self.start_tolerance, nredo=starts, init_method=plus_plus)
        start.train(rows)
        breath = self._breath(len(rows), sampled)
        return breathe(start.centroids, self._settle(rows, cores), breath, self.start_tolerance, self.seed)

    def _on_all_rows(
        self, centroids: np.ndarray, points: np.ndarray, sample: np.ndarray, cores: _Cores
    ) -> np.ndarray:
        """Settle a sample's centroids (k, p) on all points; move some to what it missed, if that helps."""
        settle = self._settle(points, cores)
        centroids, squared, _ = settle(centroids)
        error = squared[:, 0].astype(np.float64)
        missed = np.flatnonzero(error > error[sample].max())
        lost = error[missed].sum()
        breath = min(self._breath(len(points), sampled=True), len(missed))
        if not breath or lost < self.start_tolerance * error.sum():
            return centroids
        rng = np.random.default_rng(self.seed)
        drawn = rng.choice(missed, breath, replace=False, p=error[missed] / lost)
        moved, moved_squared, _ = exchange(centroids, points[drawn], settle)
        return moved if moved_squared[:, 0].sum(dtype=np.float64) < error.sum() else centroids

    def _settle(self, points: np.ndarray, cores: _Cores) -> Settle:
        """Return what brings centroids to rest on these points, by the tolerance of starts."""

        def settle(centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            kmeans = self._kmeans(points, len(centroids), cores, self.start_tolerance)
            kmeans.train(points, init_centroids=centroids)
            return kmeans.centroids, *self._nearest_two(kmeans, points)

        return settle

    def _nearest_two(self, kmeans: Any, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return squared distance and number of the two nearest centroids, (n, 2) each."""
        found, ids = kmeans.index.search(points, min(2, kmeans.k))
        if not self.spherical:
            return found, ids
        return np.einsum("np,np->n", points, points)[:, None] + 1 - 2 * found, ids

    def _kmeans(self, points: np.ndarray, k: int, cores: _Cores, threshold: float, **options: Any) -> Any:
        """Return FAISS's k-means of these points, to be trained at once.

        On a GPU the points stay on the host all the same: every iteration's search copies them to the GPU
        in pages, and FAISS draws k-means++ centroids and averages clusters on the host.
        """
        import faiss

        cores.adapt()
        return faiss.Kmeans(
            points.shape[1],
            k,
            gpu=cores.gpu,
            niter=self.max_iter,
            early_stop_threshold=threshold,
            spherical=self.spherical,
            seed=self.seed % 2**31,
            min_points_per_centroid=1,
            max_points_per_centroid=len(points),  # FAISS would train on a sample of 256 per centroid
            **options,
        )


def _check_length(points: np.ndarray) -> None:
    lengths = np.sqrt(np.einsum("np,np->n", points, points))  # np.linalg.norm would copy all points
    if np.abs(lengths - 1).max() > 1e-3:
        raise ValueError(
            f"cluster.spherical=true is for points of length 1, and these have {lengths.min():.3g} to "
            f"{lengths.max():.3g}; use cluster.spherical=false"
        )
