"""Places in the plane for points of many dimensions, kept by the content of what is placed."""

import logging
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from experiments.context import Context
from experiments.numerics.scale import rescaled
from experiments.numerics.umap_layout import lay_out
from experiments.store.keys import cache_key

log = logging.getLogger(__name__)

FEWEST = 4  # points that a neighbourhood can be told of


class Plane(Protocol):
    """A way to place points in the plane, or in space: `AXES` says which."""

    AXES: ClassVar[int]

    def lay(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Place float32 (n, p), p of `AXES` or more: (n, AXES)."""


@dataclass(frozen=True)
class Pca:
    """The first two principal components: a shadow, in which what lies behind one another coincides."""

    AXES: ClassVar[int] = 2
    VERSION: ClassVar[int] = 2

    seed: int

    def lay(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Place float32 (n, p)."""
        from sklearn.decomposition import PCA

        points, power = rescaled(points)
        return np.asarray(np.ldexp(PCA(self.AXES, random_state=self.seed).fit_transform(points), power))


@dataclass(frozen=True)
class Pca3d(Pca):
    """The first three principal components."""

    AXES: ClassVar[int] = 3


@dataclass(frozen=True)
class Umap:
    """UMAP with two components of its own: the first two of fifteen are no map.

    Source
    ------
    McInnes, Healy, Melville, "UMAP: Uniform Manifold Approximation and Projection", 2018.
    """

    AXES: ClassVar[int] = 2
    VERSION: ClassVar[int] = 3

    n_neighbors: int
    min_dist: float
    metric: str
    seed: int

    def lay(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Place float32 (n, p); 9,144 x 50 took 10 s of a core."""
        points, _ = rescaled(points)
        n = len(points)
        if n - 1 < self.n_neighbors:
            log.info("the UMAP map takes all %d other points for neighbours", n - 1)
        return lay_out(
            points,
            n_components=self.AXES,
            n_neighbors=min(self.n_neighbors, n - 1),
            metric=self.metric,
            min_dist=self.min_dist,
            seed=self.seed,
            init="pca" if n < 10 * FEWEST else "spectral",  # too few for so many eigenvectors
            threads=threads,
        ).positions


@dataclass(frozen=True)
class Tsne:
    """t-SNE, started from the principal components.

    By openTSNE, as scikit-learn's takes 2.6 times as long; benchmarks/maps.py has both.

    Parameters
    ----------
    perplexity
        How many neighbours count, about; None: 30, or a third of the others if that is less.

    Source
    ------
    van der Maaten, Hinton, "Visualizing data using t-SNE", 2008; Linderman et al., "Fast interpolation-based
    t-SNE", 2019; Policar, Strazar, Zupan, "openTSNE", 2024.
    """

    AXES: ClassVar[int] = 2
    VERSION: ClassVar[int] = 2

    perplexity: float | None
    seed: int

    def lay(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Place float32 (n, p)."""
        from openTSNE import TSNE

        logging.getLogger("openTSNE").setLevel(logging.WARNING)  # it tells of its own defaults
        perplexity = self.perplexity or min(30.0, (len(points) - 1) / 3)
        tsne = TSNE(perplexity=perplexity, initialization="pca", random_state=self.seed, n_jobs=threads)
        return np.asarray(tsne.fit(np.asarray(rescaled(points)[0], np.float64)))


@dataclass(frozen=True)
class QuickTsne:
    """t-SNE of the 50 first principal components, in a third of the iterations and on one thread.

    1,797 x 50 took 2 s of a core, 5,000 x 50 took 12. Six nearest neighbours on it tell 98.9 % of the digits,
    99.0 % after t-SNE's 750 iterations, 72.8 % on two principal components.
    """

    AXES: ClassVar[int] = 2
    VERSION: ClassVar[int] = 1
    WIDE: ClassVar[int] = 50

    seed: int

    def lay(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Place float32 (n, p)."""
        from openTSNE import TSNE
        from sklearn.decomposition import PCA

        points, _ = rescaled(points)
        n, width = points.shape
        if width > self.WIDE < n:
            points = PCA(self.WIDE, random_state=self.seed).fit_transform(points)
        tsne = TSNE(
            perplexity=min(30.0, (n - 1) / 3),
            early_exaggeration_iter=100,
            n_iter=250,
            neighbors="exact",
            negative_gradient_method="bh",
            initialization="pca",
            random_state=self.seed,
            n_jobs=1,
        )
        return np.asarray(tsne.fit(np.asarray(points, np.float64)))


def place(plane: Plane, reduced: np.ndarray, ctx: Context) -> np.ndarray:
    """Return float32 (n, AXES): placed once for each content, whatever the clusters are."""

    def make() -> np.ndarray:
        points = np.asarray(reduced, np.float32)
        if points.shape[1] < plane.AXES:  # a line, or what is flat in space
            points = np.pad(points, ((0, 0), (0, plane.AXES - points.shape[1])))
        if not np.ptp(points, axis=0).any():  # one point: no method has anything to go by
            return np.zeros((len(points), plane.AXES), np.float32)
        return np.asarray(plane.lay(points, ctx.threads), np.float32)

    return ctx.store.array(cache_key("plane", plane=plane, points=np.asarray(reduced)), make)


METHODS = ("pca", "umap", "tsne")
SPATIAL = "pca3d"
METRICS = ("euclidean", "manhattan", "chebyshev", "canberra", "braycurtis", "cosine", "correlation")
TITLES = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE", "pca3d": "PCA"}


@dataclass(frozen=True)
class Planes:
    """The settings of every way, of which an evaluator may use some."""

    n_neighbors: int
    min_dist: float
    metric: str
    perplexity: float | None
    seed: int

    def of(self, method: str) -> Plane:
        """Return the way of this name."""
        if method == SPATIAL:
            return Pca3d(self.seed)
        if method == "umap":
            return Umap(self.n_neighbors, self.min_dist, self.metric, self.seed)
        return Tsne(self.perplexity, self.seed) if method == "tsne" else Pca(self.seed)

    def check(self, place: str) -> None:
        """Raise ValueError for a setting that cannot be."""
        if self.n_neighbors < 2:
            raise ValueError(f"{place}.n_neighbors={self.n_neighbors} is no neighbourhood; use 2 or more")
        if not 0 <= self.min_dist <= 1:
            raise ValueError(f"{place}.min_dist={self.min_dist} is not between 0 and 1; use .1 or so")
        if self.metric not in METRICS:
            raise ValueError(f"{place}.metric={self.metric} is not an option; use {', '.join(METRICS)}")
        if self.perplexity is not None and not 1 <= self.perplexity < np.inf:
            raise ValueError(
                f"{place}.perplexity={self.perplexity} is too few neighbours; use 1 or more, or null"
            )

    def check_count(self, place: str, methods: tuple[str, ...], n: int) -> None:
        """Raise ValueError if n points are too few."""
        if n < FEWEST:
            raise ValueError(f"{place} was given {n} samples, of which there is no map; use {FEWEST} or more")
        if "tsne" in methods and self.perplexity is not None and self.perplexity >= n:
            raise ValueError(
                f"{place}.perplexity={self.perplexity:g} exceeds the {n - 1} neighbours of each of {n} "
                f"samples; use {place}.perplexity=null, which takes min(30, (n - 1) / 3), here "
                f"{min(30, (n - 1) / 3):.4g}"
            )
