"""UMAP: few dimensions in which near rows stay near; for density clustering and maps.

Plain arrays are stored: umap-learn's own models hold compiled search trees that only pickle can carry.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.numerics.nearest import METRICS, nearest
from experiments.numerics.scale import rescaled
from experiments.numerics.umap_layout import Layout, lay_out, place
from experiments.store.values import SavedFields

ROUNDING = 1e-5  # of a row's length: a product in float32 differs so with the rows that come along
FEWEST = 3  # rows that can be laid out: each with a neighbour, in one dimension


@dataclass(frozen=True, eq=False)
class UmapProjection(SavedFields):
    """Fitted rows and their positions; other rows are placed among them.

    Parameters
    ----------
    rows, positions
        float32 (u, d) and (u, p): the rows that differ, in the order they came in, over 2 ** `power`.
    a, b
        Of the curve 1 / (1 + a * distance ** 2b) that turns distances into nearness.
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

        A fitted row, but for rounding, goes exactly where it was put; any other among its neighbours, and it
        does not matter which come with it.
        """
        embeddings = np.ldexp(np.asarray(embeddings, np.float32), -self.power) if self.power else embeddings
        places = {row.tobytes(): place for place, row in enumerate(_plain(self.rows))}
        known = np.array([places.get(row.tobytes(), -1) for row in _plain(embeddings)], np.int64)
        reduced = np.empty((len(embeddings), self.positions.shape[1]), np.float32)
        other = np.flatnonzero(known < 0)
        if len(other):
            rows = np.asarray(embeddings)[other]
            _check_finite(rows)
            near, distances = nearest(np.asarray(self.rows), rows, self.n_neighbors, self.metric)
            apart = np.linalg.norm(rows - self.rows[near[:, 0]], axis=1)
            rounded = apart <= ROUNDING * np.linalg.norm(rows, axis=1)
            known[other[rounded]] = near[rounded, 0]
            if not rounded.all():
                layout = Layout(np.asarray(self.positions), self.a, self.b)
                near, distances = near[~rounded], distances[~rounded].astype(np.float32)
                reduced[other[~rounded]] = place(layout, near, distances, self.seed)
        reduced[known >= 0] = self.positions[known[known >= 0]]
        return reduced


@dataclass(frozen=True)
class Umap:
    """Uniform manifold approximation and projection.

    Equal rows are one row to it, and get one position.

    Parameters
    ----------
    n_components
        p.
    n_neighbors
        Rows that are near a row, itself among them: few show detail, many the whole.
    metric
        What is near: `euclidean`, `cosine` or `correlation`.
    min_dist
        How near positions may be, 0 to 1; 0 packs clusters tightly, and density clustering then splits them.
    n_epochs
        Rounds of laying out; 0 for umap-learn's 500 up to 10,000 rows and 200 beyond.
    seed
        Of the start and of the rounds, which run on one thread so that it decides.

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
                raise ValueError(f"reducer.{name}={getattr(self, name)} is too small; use {least} or more")
        if self.metric not in METRICS:
            raise ValueError(f"reducer.metric={self.metric} is not an option; use {', '.join(METRICS)}")
        if not 0 <= self.min_dist <= 1:
            raise ValueError(f"reducer.min_dist={self.min_dist} is no share of the spread; use 0 to 1")

    def width(self, n: int, d: int) -> int:
        """Return n_components; raise ValueError if n rows are too few."""
        most = {"n_neighbors": n - 1, "n_components": n - 2}
        beyond = [name for name in most if getattr(self, name) > most[name]]
        if not beyond:
            return self.n_components
        typed = " and ".join(f"reducer.{name}={getattr(self, name)}" for name in beyond)
        small = " and ".join(f"reducer.{name}<={most[name]}" for name in beyond) + ", or "
        raise ValueError(
            f"{typed} {'are' if len(beyond) > 1 else 'is'} too much for {n} different rows; use "
            f"{small if n >= FEWEST else ''}reducer=identity"
        )

    def fit(self, embeddings: np.ndarray, ctx: Context) -> UmapProjection:
        """Lay out float32 (m, d)."""
        from threadpoolctl import threadpool_limits

        _check_finite(embeddings)
        embeddings, power = rescaled(embeddings)
        rows = _plain(embeddings)
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
        raise ValueError("reducer=umap was given nan or inf; use a backbone whose training converged")


def _plain(rows: np.ndarray) -> np.ndarray:
    """Return float32 rows whose equal values have equal bytes: there is a zero below zero."""
    return np.ascontiguousarray(rows, np.float32) + np.float32(0)
