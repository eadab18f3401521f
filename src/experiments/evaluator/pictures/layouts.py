"""Layouts: positions of points in two or three dimensions, cached by the content of the points."""

import logging
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from experiments.context import Context
from experiments.numerics.scale import rescaled
from experiments.numerics.umap_layout import lay_out
from experiments.store.keys import cache_key

log = logging.getLogger(__name__)

FEWEST = 4  # fewest points for a neighbourhood graph


class LayoutMethod(Protocol):
    """A method that computes positions in `AXES` dimensions, 2 or 3."""

    AXES: ClassVar[int]

    def lay_out(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Return positions (n, AXES) of float32 (n, p) points, p at least `AXES`."""


@dataclass(frozen=True)
class Pca:
    """The first two principal components: a projection, in which distant points may coincide."""

    AXES: ClassVar[int] = 2
    VERSION: ClassVar[int] = 2

    seed: int

    def lay_out(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Return positions (n, AXES) of float32 (n, p) points."""
        from sklearn.decomposition import PCA

        points, power = rescaled(points)
        return np.asarray(np.ldexp(PCA(self.AXES, random_state=self.seed).fit_transform(points), power))


@dataclass(frozen=True)
class Pca3d(Pca):
    """The first three principal components."""

    AXES: ClassVar[int] = 3


@dataclass(frozen=True)
class Umap:
    """UMAP to two dimensions; the first two of a reducer's 15 UMAP dimensions are a poor map.

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

    def lay_out(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Return positions (n, 2) of float32 (n, p) points; 9,144 x 50 took 10 s on a core."""
        points, _ = rescaled(points)
        n = len(points)
        if n - 1 < self.n_neighbors:
            log.info("the UMAP map uses all %d other points as neighbours", n - 1)
        return lay_out(
            points,
            n_components=self.AXES,
            n_neighbors=min(self.n_neighbors, n - 1),
            metric=self.metric,
            min_dist=self.min_dist,
            seed=self.seed,
            init="pca" if n < 10 * FEWEST else "spectral",  # too few points for spectral initialisation
            threads=threads,
        ).positions


@dataclass(frozen=True)
class Tsne:
    """t-SNE, initialised with the principal components.

    openTSNE is used, as scikit-learn's t-SNE takes 2.6 times as long (benchmarks/maps.py).

    Parameters
    ----------
    perplexity
        Approximate number of neighbours; None: 30, or a third of the other points if that is less.

    Source
    ------
    van der Maaten, Hinton, "Visualizing data using t-SNE", 2008; Linderman et al., "Fast interpolation-based
    t-SNE", 2019; Policar, Strazar, Zupan, "openTSNE", 2024.
    """

    AXES: ClassVar[int] = 2
    VERSION: ClassVar[int] = 2

    perplexity: float | None
    seed: int

    def lay_out(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Return positions (n, AXES) of float32 (n, p) points."""
        perplexity = self.perplexity or min(30.0, (len(points) - 1) / 3)
        return _tsne(rescaled(points)[0], perplexity=perplexity, random_state=self.seed, n_jobs=threads)


@dataclass(frozen=True)
class QuickTsne:
    """t-SNE of the 50 first principal components, in a third of the iterations and on one thread.

    1,797 x 50 took 2 s on a core, 5,000 x 50 took 12 s. Accuracy of six nearest neighbours in the map of
    the digits: 98.9 %; after t-SNE's 750 iterations 99.0 %; on two principal components 72.8 %.
    """

    AXES: ClassVar[int] = 2
    VERSION: ClassVar[int] = 1
    WIDE: ClassVar[int] = 50

    seed: int

    def lay_out(self, points: np.ndarray, threads: int) -> np.ndarray:
        """Return positions (n, AXES) of float32 (n, p) points."""
        from sklearn.decomposition import PCA

        points, _ = rescaled(points)
        n, width = points.shape
        if width > self.WIDE < n:
            points = PCA(self.WIDE, random_state=self.seed).fit_transform(points)
        return _tsne(
            points,
            perplexity=min(30.0, (n - 1) / 3),
            early_exaggeration_iter=100,
            n_iter=250,
            neighbors="exact",
            negative_gradient_method="bh",
            random_state=self.seed,
            n_jobs=1,
        )


def _tsne(points: np.ndarray, **settings: Any) -> np.ndarray:
    """Return positions (n, 2) by openTSNE, which starts at the principal components."""
    from openTSNE import TSNE

    logging.getLogger("openTSNE").setLevel(logging.WARNING)  # openTSNE logs its defaults
    return np.asarray(TSNE(initialization="pca", **settings).fit(np.asarray(points, np.float64)))


def cached_positions(method: LayoutMethod, reduced: np.ndarray, ctx: Context) -> np.ndarray:
    """Return positions float32 (n, AXES), computed once for equal points and methods."""

    def compute() -> np.ndarray:
        points = np.asarray(reduced, np.float32)
        if points.shape[1] < method.AXES:  # fewer columns than axes
            points = np.pad(points, ((0, 0), (0, method.AXES - points.shape[1])))
        if not np.ptp(points, axis=0).any():  # all points equal: the methods fail
            return np.zeros((len(points), method.AXES), np.float32)
        return np.asarray(method.lay_out(points, ctx.threads), np.float32)

    return ctx.store.array(cache_key("plane", plane=method, points=np.asarray(reduced)), compute)


METHODS = ("pca", "umap", "tsne")
SPATIAL = "pca3d"
METRICS = ("euclidean", "manhattan", "chebyshev", "canberra", "braycurtis", "cosine", "correlation")
TITLES = {"pca": "PCA", "umap": "UMAP", "tsne": "t-SNE", "pca3d": "PCA"}


@dataclass(frozen=True)
class LayoutSettings:
    """The settings of all layout methods."""

    n_neighbors: int
    min_dist: float
    metric: str
    perplexity: float | None
    seed: int

    def method(self, name: str) -> LayoutMethod:
        """Return a layout method by its name."""
        if name == SPATIAL:
            return Pca3d(self.seed)
        if name == "umap":
            return Umap(self.n_neighbors, self.min_dist, self.metric, self.seed)
        return Tsne(self.perplexity, self.seed) if name == "tsne" else Pca(self.seed)

    def check(self, prefix: str) -> None:
        """Raise ValueError if a setting is out of range; `prefix` is the evaluator, as in settings."""
        if self.n_neighbors < 2:
            raise ValueError(f"{prefix}.n_neighbors={self.n_neighbors} is too few; use 2 or more")
        if not 0 <= self.min_dist <= 1:
            raise ValueError(
                f"{prefix}.min_dist={self.min_dist} is not between 0 and 1; use 0 to 1, such as .1"
            )
        if self.metric not in METRICS:
            raise ValueError(f"{prefix}.metric={self.metric} is not an option; use {', '.join(METRICS)}")
        if self.perplexity is not None and not 1 <= self.perplexity < np.inf:
            raise ValueError(f"{prefix}.perplexity={self.perplexity} is too small; use 1 or more, or null")

    def check_count(self, prefix: str, methods: tuple[str, ...], n: int) -> None:
        """Raise ValueError if n points are too few."""
        if n < FEWEST:
            raise ValueError(f"{prefix} needs {FEWEST} samples for a map and got {n}; use {FEWEST} or more")
        if "tsne" in methods and self.perplexity is not None and self.perplexity >= n:
            raise ValueError(
                f"{prefix}.perplexity={self.perplexity:g} exceeds the {n - 1} neighbours of each of {n} "
                f"samples; use {prefix}.perplexity=null, which is min(30, (n - 1) / 3), here "
                f"{min(30, (n - 1) / 3):.4g}"
            )
