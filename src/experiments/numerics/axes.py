"""Principal axes, and embeddings standardised by the rows that may be seen."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from experiments.numerics.scale import rescaled
from experiments.store.values import digest

EXACT_WIDTH = 2048  # up to here all components are found exactly; beyond, that takes minutes
RANK = 256  # components that are found beyond it, at least


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of rows, most variance first.

    Parameters
    ----------
    components
        float32 (r, d), orthonormal; the largest entry of each is positive.
    variance, ratio
        float64 (r,): variance along each, and its share of that along all d directions.
    """

    components: np.ndarray
    variance: np.ndarray
    ratio: np.ndarray


def principal_axes(rows: np.ndarray, rank: int | None, seed: int | None) -> Axes:
    """Decompose float32 (m, d), which is overwritten.

    Parameters
    ----------
    rank
        Components to find by randomised projections; None finds all min(m, d) of them exactly.
    seed
        Of those projections.

    Source
    ------
    Halko, Martinsson, Tropp, "Finding structure with randomness", 2011 (the randomised ones).
    """
    from sklearn.decomposition import PCA

    m, d = rows.shape
    solver = "randomized" if rank else "covariance_eigh" if m >= d else "full"
    pca = PCA(rank, copy=False, svd_solver=solver, random_state=seed).fit(rows)
    variance, ratio = pca.explained_variance_, pca.explained_variance_ratio_
    return Axes(pca.components_.astype(np.float32), variance.astype(np.float64), ratio.astype(np.float64))


@dataclass(frozen=True, eq=False)
class Scaled:
    """Embeddings float32 (n, d) whose `visible` rows have mean 0 and variance 1; a constant value stays 0."""

    values: np.ndarray
    visible: np.ndarray

    @classmethod
    def of(cls, embeddings: np.ndarray, visible: np.ndarray) -> "Scaled":
        """Scale all n rows by what the visible ones tell."""
        from sklearn.preprocessing import StandardScaler

        embeddings, _ = rescaled(embeddings, axis=0)
        scaler = StandardScaler().fit(embeddings[visible])
        return cls(np.asarray(scaler.transform(embeddings), np.float32), visible)

    @cached_property
    def key(self) -> str:
        """Name them by their content."""
        return digest(self.values, self.visible)

    def axes(self, seed: int, exact: int = EXACT_WIDTH, rank: int = RANK) -> Axes:
        """Decompose the visible rows; all min(m, d) components up to `exact`, or the first `rank` of more."""
        rows = self.values[self.visible]  # a copy
        return principal_axes(rows, rank if min(rows.shape) > exact else None, seed)
