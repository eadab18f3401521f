"""UMAP: few dimensions that preserve neighbourhoods, for density clustering and maps.

Only arrays are saved: umap-learn's own models contain compiled search trees, which need pickle.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.messages import StageError
from experiments.numerics.nearest import METRICS, nearest
from experiments.numerics.scale import rescaled
from experiments.numerics.umap_layout import Layout, lay_out, transform
from experiments.store.values import SavedFields

ROUNDING = 1e-5  # relative: embeddings of one row in different batches differ by rounding
FEWEST = 3  # smallest number of different rows: one neighbour each, one dimension


@dataclass(frozen=True, eq=False)
class UmapProjection(SavedFields):
    """Fitted rows and their positions; new rows get positions among them.

    Parameters
    ----------
    rows, positions
        float32 (u, d) and (u, p): the different rows, in their original order, divided by 2 ** `power`.
    a, b
        Parameters of UMAP's similarity curve 1 / (1 + a * distance ** 2b).
    """

    rows: np.ndarray
    positions: np.ndarray
    metric: str
    n_neighbors: int
    seed: int
    a: float
    b: float
    power: int = 0

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, p).

        A row that was fitted (up to rounding) gets its fitted position. A new row gets one near its
        neighbours, independent of other new rows.
        """
        embeddings = np.ldexp(np.asarray(embeddings, np.float32), -self.power) if self.power else embeddings
        indices = {row.tobytes(): index for index, row in enumerate(_without_negative_zero(self.rows))}
        keys = [row.tobytes() for row in _without_negative_zero(embeddings)]
        known = np.array([indices.get(key, -1) for key in keys], np.int64)
        reduced = np.empty((len(embeddings), self.positions.shape[1]), np.float32)
        new = np.flatnonzero(known < 0)
        if len(new):
            rows = np.asarray(embeddings)[new]
            _check_finite(rows)
            near, distances = nearest(np.asarray(self.rows), rows, self.n_neighbors, self.metric)
            differences = np.linalg.norm(rows - self.rows[near[:, 0]], axis=1)
            equal = differences <= ROUNDING * np.linalg.norm(rows, axis=1)
            known[new[equal]] = near[equal, 0]
            if not equal.all():
                layout = Layout(np.asarray(self.positions), self.a, self.b)
                near, distances = near[~equal], distances[~equal].astype(np.float32)
                reduced[new[~equal]] = transform(layout, near, distances, self.seed)
        reduced[known >= 0] = self.positions[known[known >= 0]]
        return reduced


@dataclass(frozen=True)
class Umap:
    """Uniform manifold approximation and projection.

    Equal rows are fitted as one row and get the same position.

    Parameters
    ----------
    n_components
        Output dimensions, p.
    n_neighbors
        Neighbours of each row, including itself: few preserve local structure, many the global one.
    metric
        Distance of the embeddings: `euclidean`, `cosine` or `correlation`.
    min_dist
        Smallest distance of positions, 0 to 1; 0 packs clusters tightly, and density clustering splits them.
    n_epochs
        Epochs of the optimisation; 0: umap-learn's default, 500 up to 10,000 rows and 200 beyond.
    seed
        Seed of the optimisation, which runs on one thread so that results are repeatable.

    Source
    ------
    McInnes, Healy, Melville, "UMAP: Uniform manifold approximation and projection for dimension
    reduction", 2018.
    """

    VERSION: ClassVar[int] = 3

    n_components: int
    n_neighbors: int
    metric: str
    min_dist: float
    n_epochs: int
    seed: int

    def __post_init__(self) -> None:
        for name, least in (("n_components", 1), ("n_neighbors", 2), ("n_epochs", 0)):
            if getattr(self, name) < least:
                raise StageError(
                    "reducer", f"{{stage}}.{name}={getattr(self, name)} is too small; use {least} or more"
                )
        if self.metric not in METRICS:
            raise StageError(
                "reducer", f"{{stage}}.metric={self.metric} is not an option; use {', '.join(METRICS)}"
            )
        if not 0 <= self.min_dist <= 1:
            message = f"{{stage}}.min_dist={self.min_dist} is not between 0 and 1; use 0 to 1"
            raise StageError("reducer", message)

    def width(self, n: int, d: int) -> int:
        """Return n_components; raise ValueError if n different rows are too few."""
        most = {"n_neighbors": n - 1, "n_components": n - 2}
        excessive = [name for name in most if getattr(self, name) > most[name]]
        if not excessive:
            return self.n_components
        typed = " and ".join(f"{{stage}}.{name}={getattr(self, name)}" for name in excessive)
        limits = " and ".join(f"{{stage}}.{name}<={most[name]}" for name in excessive) + ", or "
        raise StageError(
            "reducer",
            f"{typed} {'are' if len(excessive) > 1 else 'is'} too much for {n} different rows; use "
            f"{limits if n >= FEWEST else ''}reducer=identity",
        )

    def fit(self, embeddings: np.ndarray, ctx: Context) -> UmapProjection:
        """Compute positions of float32 (m, d)."""
        from threadpoolctl import threadpool_limits

        _check_finite(embeddings)
        embeddings, power = rescaled(embeddings)
        rows = _without_negative_zero(embeddings)
        _, first = np.unique(rows, axis=0, return_index=True)
        rows = rows[np.sort(first)]
        self.width(*rows.shape)
        with threadpool_limits(ctx.threads):
            positions, a, b = lay_out(
                rows,
                n_components=self.n_components,
                n_neighbors=self.n_neighbors,
                metric=self.metric,
                min_dist=self.min_dist,
                seed=self.seed,
                n_epochs=self.n_epochs,
                threads=ctx.threads,
            )
        return UmapProjection(rows, positions, self.metric, self.n_neighbors, self.seed, a, b, int(power))


def _check_finite(rows: np.ndarray) -> None:
    if not np.isfinite(rows).all():
        raise ValueError("reducer=umap got nan or inf; use a backbone whose training converged")


def _without_negative_zero(rows: np.ndarray) -> np.ndarray:
    """Return float32 rows with -0 replaced by 0, so that equal rows have equal bytes."""
    return np.ascontiguousarray(rows, np.float32) + np.float32(0)
