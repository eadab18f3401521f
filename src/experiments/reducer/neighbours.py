"""Half-whitened principal components, averaged over nearest neighbours."""

import logging
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.messages import StageError
from experiments.numerics.axes import EXACT_WIDTH, RANK, principal_axes
from experiments.numerics.hashes import hash_rows
from experiments.numerics.nearest import nearest_in_batches
from experiments.numerics.scale import BATCH, unit_rows
from experiments.store.values import SavedFields

log = logging.getLogger(__name__)

SEED = 0  # of the randomised decomposition of wide embeddings, so that all seeds of a run share it
SPARE = 4  # rows beyond n_neighbors to search, as some may equal the row itself
SAME = 1e-5  # distance at unit length: embeddings of one image in different batches differ by rounding
ROUNDING = 1e-6  # of the largest variance: smaller variances are rounding in float32


@dataclass(frozen=True, eq=False)
class NeighbourMeans(SavedFields):
    """A projection onto scaled principal axes, and the mean with the nearest fitted rows there.

    Parameters
    ----------
    mean, axes
        float32 (d,) and (p, d): subtracted from rows of length 1, which are then projected.
    rows
        float32 (u, p): the different fitted rows, projected and of length 1.
    """

    mean: np.ndarray
    axes: np.ndarray
    rows: np.ndarray
    n_neighbors: int

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, p); fitted and new rows by the same rule."""
        _check_finite(embeddings)
        reduced, rows = projected(embeddings, self.mean, self.axes), np.asarray(self.rows)
        count = min(self.n_neighbors + SPARE, len(rows))
        for batch, near, distances in nearest_in_batches(rows, reduced, count):
            others = distances > SAME
            others &= np.cumsum(others, axis=1) < self.n_neighbors
            sums = reduced[batch].copy()
            for rank in range(count):
                sums += np.where(others[:, rank, None], rows[near[:, rank]], 0)
            reduced[batch] = unit_rows(sums)  # a mean of the same direction
        return reduced


@dataclass(frozen=True)
class Neighbours:
    """Principal components of rows of length 1, each row averaged with its nearest neighbours.

    1. Each row is divided by its length.
    2. It is projected onto principal axes, each divided by its standard deviation to the power `whiten`.
    3. It is divided by its length.
    4. It becomes the mean of itself and the `n_neighbors` - 1 nearest fitted rows that differ from it.
    5. It is divided by its length.

    Equal rows are fitted as one row. Fitted and new rows follow the same rule, so an image that is assigned
    as a new one is where it was. Neighbours are exact, so the time grows with the square of n.

    Averaging raises silhouette, stability and other metrics without labels by itself, also on noise: compare
    this reducer with others by labels, or by `label_free=true`.

    Parameters
    ----------
    n_components
        Largest number of axes, p; min(n, d) if that is smaller.
    whiten
        0: axes keep their variance; 1: all get variance 1; between them: some of both.
    n_neighbors
        Rows of a mean, including the row itself; 1: no averaging; at most n - 1.

    Source
    ------
    Jegou, Chum, "Negative evidences and co-occurrences in image retrieval: the benefit of PCA and whitening",
    2012. Chum, Philbin, Sivic, Isard, Zisserman, "Total recall: automatic query expansion with a generative
    feature model for object retrieval", 2007 (averages). Iscen, Tolias, Avrithis, Furon, Chum, "Efficient
    diffusion on region manifolds", 2017 (averages over neighbours of all images).
    """

    VERSION: ClassVar[int] = 1

    n_components: int
    whiten: float
    n_neighbors: int

    def __post_init__(self) -> None:
        for name in ("n_components", "n_neighbors"):
            if getattr(self, name) < 1:
                message = f"{{stage}}.{name}={getattr(self, name)} is too small; use 1 or more"
                raise StageError("reducer", message)
        if not 0 <= self.whiten <= 1:
            message = f"{{stage}}.whiten={self.whiten} is not between 0 and 1; use 0, 0.5 or 1"
            raise StageError("reducer", message)

    def width(self, n: int, d: int) -> int:
        """Return p; raise ValueError if n different rows are too few."""
        if self.n_neighbors >= n:
            limit = f"{{stage}}.n_neighbors<={n - 1}, or " if n > 1 else ""
            raise StageError(
                "reducer",
                f"{{stage}}.n_neighbors={self.n_neighbors} is too much for {n} different rows; use "
                f"{limit}reducer=identity",
            )
        return min(self.n_components, n, d)

    def fit(self, embeddings: np.ndarray, ctx: Context) -> NeighbourMeans:
        """Fit float32 (m, d), with one copy in addition to scikit-learn's memory."""
        from threadpoolctl import threadpool_limits

        _check_finite(embeddings)
        p = self.width(*embeddings.shape)
        if p < self.n_components:
            log.warning(
                "reducer=neighbours: n_components=%d is more than %d rows of %d values have; it uses all %d; "
                "type a smaller number to choose fewer",
                self.n_components,
                *embeddings.shape,
                p,
            )
        _, first = np.unique(hash_rows(embeddings), return_index=True)
        different = embeddings if len(first) == len(embeddings) else embeddings[np.sort(first)]
        self.width(*different.shape)
        unit = unit_rows(different)
        if np.ptp(unit, axis=0).max() < SAME:
            raise ValueError(
                f"reducer=neighbours got {len(unit)} rows that differ in length only; use reducer=pca"
            )
        mean = unit.mean(axis=0, dtype=np.float64).astype(np.float32)
        unit -= mean
        with threadpool_limits(ctx.threads):
            axes = self._axes(unit, p)
            return NeighbourMeans(mean, axes, projected(different, mean, axes), self.n_neighbors)

    def _axes(self, centred: np.ndarray, p: int) -> np.ndarray:
        """Return p scaled axes of rows, which are overwritten; axes without variance are zero."""
        n, d = centred.shape
        exact = d <= EXACT_WIDTH or n <= RANK
        principal = principal_axes(centred, None if exact else min(max(p, RANK), n), None if exact else SEED)
        variance = principal.variance[:p]
        used = np.flatnonzero(variance > ROUNDING * principal.variance[0])
        scale = variance[used] ** (-self.whiten / 2)
        axes = np.zeros((p, d), np.float32)
        axes[used] = principal.components[used] * scale[:, None]
        return axes


def _check_finite(embeddings: np.ndarray) -> None:
    if len(embeddings) and not np.isfinite(np.ptp(embeddings, axis=0)).all():
        raise ValueError("reducer=neighbours got nan or inf; use a backbone whose training converged")


def projected(embeddings: np.ndarray, mean: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """Return rows of length 1, projected onto scaled axes and scaled to length 1 again: float32 (n, p)."""
    points = np.empty((len(embeddings), len(axes)), np.float32)
    for start in range(0, len(embeddings), BATCH):
        batch = slice(start, start + BATCH)
        points[batch] = unit_rows((unit_rows(embeddings[batch]) - mean) @ axes.T)
    return points
