"""Principal components of standardised embeddings, decomposed once for every number of them."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.numerics.axes import EXACT_WIDTH, RANK, principal_axes
from experiments.numerics.scale import rescaled
from experiments.store.values import SavedFields

VERSION = 3  # of the decomposition, and so of every projection
ROUNDING = 1e-6  # a smaller share of the largest variance is float32's rounding, not a direction
BATCH = 16_384  # rows that are scaled or projected at a time


@dataclass(frozen=True, eq=False)
class Standardised(SavedFields):
    """Standardised rows and their principal axes, most variance first.

    Parameters
    ----------
    mean, scale
        float32 (d,): what is subtracted, and what the rest is divided by.
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
        float32 (p, d), divided by the standard deviation along them where whitening was asked for.
    ratio
        float64 (r,): share of the variance along each axis that was found, also beyond p.
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
    """Everything of a PCA that its number of components and its whitening do not change.

    Parameters
    ----------
    rank
        Components to find by randomised projections; None finds all of them exactly.
    seed
        Of those projections; None where there are none.
    """

    VERSION: ClassVar[int] = VERSION

    standardize: bool
    rank: int | None
    seed: int | None

    def fit(self, embeddings: np.ndarray) -> Standardised:
        """Decompose (m, d) in float32, with one float32 copy and what scikit-learn needs beside it."""
        from sklearn.preprocessing import StandardScaler

        spread = np.ptp(embeddings, axis=0)
        if not np.isfinite(spread).all():
            raise ValueError("reducer=pca was given nan or inf; use a backbone whose training converged")
        if not spread.any():
            raise ValueError(
                f"reducer=pca was given {len(embeddings)} equal rows, which have no directions; "
                "use a backbone that tells them apart, or reducer=identity"
            )
        embeddings, powers = rescaled(embeddings, 0 if self.standardize else None)
        scaler = StandardScaler(with_std=self.standardize)
        for start in range(0, len(embeddings), BATCH):  # whole, it would take two more copies
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
    """Keep the directions of most variance.

    Parameters
    ----------
    n_components
        p, 1 to min(n, d).
    standardize
        Bring every embedding value to variance 1 first; a constant one stays 0.
    whiten
        Bring every component to variance 1; one without variance becomes 0.
    seed
        Used beyond 2,048 embedding values, where the decomposition is randomised.

    Source
    ------
    Halko, Martinsson, Tropp, "Finding structure with randomness", 2011 (the randomised one).
    """

    VERSION: ClassVar[int] = VERSION

    n_components: int
    standardize: bool
    whiten: bool
    seed: int

    def __post_init__(self) -> None:
        if self.n_components < 1:
            raise ValueError(
                f"reducer.n_components={self.n_components} is no number of components; use 1 or more"
            )

    def width(self, n: int, d: int) -> int:
        """Return n_components; raise ValueError if n rows of d values have fewer."""
        most = min(n, d)
        if self.n_components > most:
            raise ValueError(
                f"reducer.n_components={self.n_components} exceeds min(n, d)={most} of {n} rows of {d} "
                f"values; use reducer.n_components<={most}, or reducer=identity"
            )
        return self.n_components

    def fit(self, embeddings: np.ndarray, ctx: Context) -> PcaProjection:
        """Fit float32 (m, d), with the decomposition from the store if any sweep left it there."""
        from threadpoolctl import threadpool_limits

        p = self.width(*embeddings.shape)
        decomposition = self._decomposition(*embeddings.shape)
        with threadpool_limits(ctx.threads):
            found = ctx.fitted(decomposition, lambda: decomposition.fit(embeddings))
        axes = np.array(found.components[:p])
        if self.whiten:
            variance = found.variance[:p]
            real = variance > ROUNDING * found.variance[0]
            axes *= np.where(real, 1 / np.sqrt(np.where(real, variance, 1)), 0).astype(np.float32)[:, None]
        return PcaProjection(found.mean, found.scale, axes, found.ratio)

    def _decomposition(self, n: int, d: int) -> Decomposition:
        if d <= EXACT_WIDTH or n <= RANK:
            return Decomposition(self.standardize, None, None)
        return Decomposition(self.standardize, min(max(self.n_components, RANK), n), self.seed)
