"""Lloyd's k-means on FAISS, with breathing to leave local optima."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np

from experiments.cluster.kmeans.breathing import Converge, breathe, exchange
from experiments.cluster.kmeans.centroids import (
    CentroidClustering,
    check_auto,
    check_finite,
    check_k,
    check_settings,
    rescale_points,
)
from experiments.context import Context
from experiments.numerics.threads import adaptive_threads

SAMPLE, PER_CLUSTER = 2**16, 256  # smallest sample of n_redo=auto: rows, and rows per cluster
STARTS, STARTS_ON_SAMPLE = 10, 3  # number of starts of n_redo=auto
BREATH, SHARE_ON_SAMPLE = 16, 3  # breath=auto: 16 centroids, or k / 3 on a sample if that is more
LARGE = 10**8  # values times clusters; such a fit takes about a second


class _Cores(NamedTuple):
    """The device of FAISS, CPU or GPU; `adapt` sets its threads to the number of free cores."""

    gpu: bool
    adapt: Callable[[], int]


@dataclass(frozen=True)
class FaissKMeans:
    """k-means on all points: the best of `n_redo` starts, improved by breathing.

    With `n_redo=auto`, starts and breaths use a random sample of at most 65,536 rows, or 256 per cluster if
    that is more; then the centroids converge on all rows. A sample can miss a small, distant group. So one
    more breath moves centroids to rows with a larger error than any sampled row, if the total error of such
    rows is large enough.

    Parameters
    ----------
    k
        Number of clusters, 1 to n.
    n_redo
        Number of k-means++ starts on all rows; the start of lowest objective is used. `auto`: 10 on all rows,
        or 3 on a sample.
    breath
        Number of centroids that the first breath moves; 0 for plain Lloyd. `auto`: 16, or k / 3 on a sample
        if that is more.
    max_iter
        Largest number of Lloyd iterations per start.
    start_tolerance
        A start, and each half of a breath, ends when the objective changes by less than this share.
    tolerance
        The final iterations end when the objective changes by less than this share.
    spherical
        Keep centroids at unit length; requires points of unit length. The inertia is still the squared
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

    @rescale_points
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
        with adaptive_threads(ctx.threads, measure=large) as adapt:  # limits FAISS's OpenMP and BLAS too
            cores = _Cores(gpu, adapt)
            sample = self._sample(len(points))
            rows = points if sample is None else points[sample]
            centroids = self._start_and_breathe(rows, sample is not None, cores)
            if sample is not None:
                centroids = self._refine_on_all_rows(centroids, points, sample, cores)
            final = self._kmeans(points, self.k, cores, self.tolerance)
            final.train(points, init_centroids=centroids)
            return CentroidClustering.around(final.centroids, points)

    def _sample(self, n: int) -> np.ndarray | None:
        """Return the rows (m,) for starts and breaths, ascending; None for all."""
        size = max(SAMPLE, PER_CLUSTER * self.k)
        if self.n_redo != "auto" or n <= size:
            return None
        return np.sort(np.random.default_rng(self.seed).choice(n, size, replace=False, shuffle=False))

    def _breath(self, n: int, sampled: bool) -> int:
        """Return the number of centroids that the first breath moves, for n rows."""
        auto = max(BREATH, self.k // SHARE_ON_SAMPLE) if sampled else BREATH
        return min(auto if self.breath == "auto" else self.breath, self.k, n - self.k) if self.k > 1 else 0

    def _start_and_breathe(self, rows: np.ndarray, sampled: bool, cores: _Cores) -> np.ndarray:
        """Return centroids (k, p) after all starts and breaths."""
        import faiss

        starts = (STARTS_ON_SAMPLE if sampled else STARTS) if self.n_redo == "auto" else self.n_redo
        plus_plus = faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS
        start = self._kmeans(rows, self.k, cores, self.start_tolerance, nredo=starts, init_method=plus_plus)
        start.train(rows)
        breath = self._breath(len(rows), sampled)
        return breathe(start.centroids, self._converge(rows, cores), breath, self.start_tolerance, self.seed)

    def _refine_on_all_rows(
        self, centroids: np.ndarray, points: np.ndarray, sample: np.ndarray, cores: _Cores
    ) -> np.ndarray:
        """Let a sample's centroids (k, p) converge on all points; move some to groups not in the sample."""
        converge = self._converge(points, cores)
        centroids, squared, _ = converge(centroids)
        error = squared[:, 0].astype(np.float64)
        missed = np.flatnonzero(error > error[sample].max())
        missed_error = error[missed].sum()
        breath = min(self._breath(len(points), sampled=True), len(missed))
        if not breath or missed_error < self.start_tolerance * error.sum():
            return centroids
        rng = np.random.default_rng(self.seed)
        drawn = rng.choice(missed, breath, replace=False, p=error[missed] / missed_error)
        moved, moved_squared, _ = exchange(centroids, points[drawn], converge)
        return moved if moved_squared[:, 0].sum(dtype=np.float64) < error.sum() else centroids

    def _converge(self, points: np.ndarray, cores: _Cores) -> Converge:
        """Return a function that runs Lloyd's iterations on these points, with the tolerance of starts."""

        def converge(centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
            kmeans = self._kmeans(points, len(centroids), cores, self.start_tolerance)
            kmeans.train(points, init_centroids=centroids)
            return kmeans.centroids, *self._nearest_two(kmeans, points)

        return converge

    def _nearest_two(self, kmeans: Any, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return squared distances and indices of the two nearest centroids, (n, 2) each."""
        values, ids = kmeans.index.search(points, min(2, kmeans.k))
        if not self.spherical:
            return values, ids
        return np.einsum("np,np->n", points, points)[:, None] + 1 - 2 * values, ids  # inner products

    def _kmeans(self, points: np.ndarray, k: int, cores: _Cores, threshold: float, **options: Any) -> Any:
        """Return FAISS's k-means for these points, not yet trained; set its threads.

        The points stay on the host, even with a GPU: each iteration's search copies them to the GPU in pages,
        and FAISS draws k-means++ centroids and averages clusters on the host.
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
    lengths = np.sqrt(np.einsum("np,np->n", points, points))  # np.linalg.norm copies all points
    if np.abs(lengths - 1).max() > 1e-3:
        raise ValueError(
            f"cluster.spherical=true requires points of length 1, and these have {lengths.min():.3g} to "
            f"{lengths.max():.3g}; use cluster.spherical=false"
        )
