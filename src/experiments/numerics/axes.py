"""Principal axes, and embeddings standardised by the mean and variance of some rows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from experiments.numerics.scale import rescaled
from experiments.store.values import digest

EXACT_WIDTH = 2048  # largest width of an exact decomposition, which takes minutes for wider ones
RANK = 256  # components computed for wider embeddings, at least


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of rows, most variance first.

    Parameters
    ----------
    components
        float32 (r, d), orthonormal; the largest entry of each is positive.
    variance, ratio
        float64 (r,): variance along each axis, and its share of the total variance.
    """

    components: np.ndarray
    variance: np.ndarray
    ratio: np.ndarray


def principal_axes(rows: np.ndarray, rank: int | None, seed: int | None) -> Axes:
    """Compute the principal axes of float32 (m, d) rows, which are overwritten.

    Parameters
    ----------
    rank
        Number of components to compute by randomised projections; None: all min(m, d), exactly.
    seed
        Seed of the projections.

    Source
    ------
    Halko, Martinsson, Tropp, "Finding structure with randomness", 2011 (randomised projections).
    """
    from sklearn.decomposition import PCA

    m, d = rows.shape
    solver = "randomized" if rank else "covariance_eigh" if m >= d else "full"
    pca = PCA(rank, copy=False, svd_solver=solver, random_state=seed).fit(rows)
    variance, ratio = pca.explained_variance_, pca.explained_variance_ratio_
    return Axes(pca.components_.astype(np.float32), variance.astype(np.float64), ratio.astype(np.float64))


@dataclass(frozen=True, eq=False)
class Scaled:
    """Embeddings float32 (n, d), standardised by mean and variance of the rows `fit_rows`.

    Columns that are constant in these rows become 0.
    """

    values: np.ndarray
    fit_rows: np.ndarray

    @classmethod
    def of(cls, embeddings: np.ndarray, fit_rows: np.ndarray) -> "Scaled":
        """Standardise all n rows by mean and variance of the rows `fit_rows`."""
        from sklearn.preprocessing import StandardScaler

        embeddings, _ = rescaled(embeddings, axis=0)
        scaler = StandardScaler().fit(embeddings[fit_rows])
        return cls(np.asarray(scaler.transform(embeddings), np.float32), fit_rows)

    @cached_property
    def key(self) -> str:
        """Return a digest of the values and of the fitted rows."""
        return digest(self.values, self.fit_rows)

    def axes(self, seed: int, exact: int = EXACT_WIDTH, rank: int = RANK) -> Axes:
        """Return the axes of the fitted rows: all min(m, d) up to width `exact`, else the first `rank`."""
        rows = self.values[self.fit_rows]  # a copy
        return principal_axes(rows, rank if min(rows.shape) > exact else None, seed)
