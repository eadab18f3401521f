"""PCA of standardised embeddings; one decomposition serves every number of components."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.messages import StageError
from experiments.numerics.axes import EXACT_WIDTH, RANK, principal_axes
from experiments.numerics.scale import rescaled
from experiments.store.values import SavedFields

VERSION = 3  # of the decomposition and of the projection
ROUNDING = 1e-6  # of the largest variance: smaller variances are rounding in float32
BATCH = 16_384  # rows scaled or projected at a time


@dataclass(frozen=True, eq=False)
class Standardised(SavedFields):
    """The fitted decomposition: scaling and principal axes, most variance first.

    Parameters
    ----------
    mean, scale
        float32 (d,): subtracted from each row, then divided by.
    components, variance, ratio
        As in `Axes`.
    """

    mean: np.ndarray
    scale: np.ndarray
    components: np.ndarray
    variance: np.ndarray
    ratio: np.ndarray


@dataclass(frozen=True, eq=False)
class PcaProjection(SavedFields):
    """A projection onto the first p principal axes.

    Parameters
    ----------
    mean, scale
        float32 (d,).
    axes
        float32 (p, d); with whitening, each is divided by the standard deviation along it.
    ratio
        float64 (r,): explained variance ratio of each computed axis, also beyond p.
    """

    mean: np.ndarray
    scale: np.ndarray
    axes: np.ndarray
    ratio: np.ndarray

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, p)."""
        reduced = np.empty((len(embeddings), len(self.axes)), np.float32)
        for start in range(0, len(embeddings), BATCH):
            rows = slice(start, start + BATCH)
            reduced[rows] = ((embeddings[rows] - self.mean) / self.scale) @ self.axes.T
        return reduced


@dataclass(frozen=True)
class Decomposition:
    """The part of PCA that does not depend on the number of components or on whitening.

    Parameters
    ----------
    rank
        Number of components to compute by randomised projections; None: all, exactly.
    seed
        Seed of the projections; None if there are none.
    """

    VERSION: ClassVar[int] = VERSION

    standardize: bool
    rank: int | None
    seed: int | None

    def fit(self, embeddings: np.ndarray) -> Standardised:
        """Decompose float32 (m, d), with a float32 copy in addition to scikit-learn's memory."""
        from sklearn.preprocessing import StandardScaler

        spread = np.ptp(embeddings, axis=0)
        if not np.isfinite(spread).all():
            raise ValueError("reducer=pca got nan or inf; use a backbone whose training converged")
        if not spread.any():
            raise ValueError(
                f"reducer=pca got {len(embeddings)} equal rows, which have no principal axes; "
                "use a backbone that distinguishes them, or reducer=identity"
            )
        embeddings, powers = rescaled(embeddings, 0 if self.standardize else None)
        scaler = StandardScaler(with_std=self.standardize)
        for start in range(0, len(embeddings), BATCH):  # a single call needs memory for two more copies
            scaler.partial_fit(embeddings[start : start + BATCH])
        mean = scaler.mean_.astype(np.float32)
        scale = scaler.scale_.astype(np.float32) if self.standardize else np.ones_like(mean)
        rows = np.subtract(embeddings, mean, dtype=np.float32)
        rows /= scale
        axes = principal_axes(rows, self.rank, self.seed)
        variance, ratio = axes.variance, axes.ratio
        mean = np.ldexp(mean, powers.ravel())
        if self.standardize:
            scale = np.ldexp(scale, powers.ravel())
        else:
            variance = np.ldexp(variance, 2 * powers)
        return Standardised(mean, scale, axes.components, variance, ratio)


@dataclass(frozen=True)
class Pca:
    """Principal component analysis of the embeddings.

    Parameters
    ----------
    n_components
        p, 1 to min(n, d).
    standardize
        Scale each column to variance 1 first; a constant column becomes 0.
    whiten
        Scale each component to variance 1; one without variance becomes 0.
    seed
        Seed of the randomised decomposition, which is used for embeddings wider than 2,048.

    Source
    ------
    Halko, Martinsson, Tropp, "Finding structure with randomness", 2011 (randomised decomposition).
    """

    VERSION: ClassVar[int] = VERSION

    n_components: int
    standardize: bool
    whiten: bool
    seed: int

    def __post_init__(self) -> None:
        if self.n_components < 1:
            raise StageError(
                "reducer",
                f"{{stage}}.n_components={self.n_components} is not a number of components; use 1 or more",
            )

    def width(self, n: int, d: int) -> int:
        """Return n_components; raise ValueError if it exceeds min(n, d)."""
        most = min(n, d)
        if self.n_components > most:
            raise StageError(
                "reducer",
                f"{{stage}}.n_components={self.n_components} exceeds min(n, d)={most} of {n} rows of {d} "
                f"values; use {{stage}}.n_components<={most}, or reducer=identity",
            )
        return self.n_components

    def fit(self, embeddings: np.ndarray, ctx: Context) -> PcaProjection:
        """Fit float32 (m, d); reuse a cached decomposition."""
        from threadpoolctl import threadpool_limits

        p = self.width(*embeddings.shape)
        decomposition = self._decomposition(*embeddings.shape)
        with threadpool_limits(ctx.threads):
            fitted = ctx.fitted(decomposition, lambda: decomposition.fit(embeddings))
        axes = np.array(fitted.components[:p])
        if self.whiten:
            variance = fitted.variance[:p]
            positive = variance > ROUNDING * fitted.variance[0]
            scale = np.where(positive, 1 / np.sqrt(np.where(positive, variance, 1)), 0)
            axes *= scale.astype(np.float32)[:, None]
        return PcaProjection(fitted.mean, fitted.scale, axes, fitted.ratio)

    def _decomposition(self, n: int, d: int) -> Decomposition:
        if d <= EXACT_WIDTH or n <= RANK:
            return Decomposition(self.standardize, None, None)
        return Decomposition(self.standardize, min(max(self.n_components, RANK), n), self.seed)
