"""Standardised embeddings and their principal axes, from the rows that may be seen."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from experiments.numerics.scale import rescaled
from experiments.store.values import digest

EXACT_WIDTH = 2048  # up to here all components are found exactly; beyond, that takes minutes
RANK = 256  # components that are found beyond it, by randomised projections


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of standardised rows, most variance first.

    Parameters
    ----------
    components
        float32 (r, d).
    ratio
        float64 (r,): share of the variance along each.
    """

    components: np.ndarray
    ratio: np.ndarray


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
        from sklearn.decomposition import PCA

        rows = self.values[self.visible]
        m, d = rows.shape
        if min(m, d) > exact:
            pca = PCA(rank, svd_solver="randomized", random_state=seed).fit(rows)
        else:
            pca = PCA(svd_solver="covariance_eigh" if m >= d else "full").fit(rows)
        return Axes(pca.components_.astype(np.float32), pca.explained_variance_ratio_.astype(np.float64))
