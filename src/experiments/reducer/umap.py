"""UMAP: few dimensions in which near rows stay near; for density clustering and maps.

umap-learn lays out the graph; the neighbours it starts from are exact (nearest.py), where its own search
by NNDescent is approximate, and with a seed runs on one thread: 25,557 rows of 50 values to 15 took 49 s
of processor time against 79, and kept as many neighbours (benchmarks/density.py). Plain arrays are stored:
umap-learn's own models hold compiled search trees that only pickle can carry.
"""

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.numerics.compiled import announce
from experiments.numerics.nearest import METRICS, nearest
from experiments.numerics.scale import rescaled
from experiments.store.values import Record

EPOCHS = 100  # in which a new row finds its place, as in umap-learn for up to 10,000 of them
ROUNDING = 1e-5  # of a row's length: a product in float32 differs so with the rows that come along
DECIMALS = 3  # of where a new row starts, whose bits seed its random numbers
FEWEST = 3  # rows that can be laid out: each with a neighbour, in one dimension
SLOW = 0.25  # of the learning rate with which the fitted rows found theirs


@dataclass(frozen=True, eq=False)
class UmapProjection(Record):
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

        A fitted row, but for rounding, goes exactly where it was put. Any other starts at the mean of its
        neighbours, weighted by nearness, and is moved as umap-learn moves a row that comes alone: so it does
        not matter which come with it.
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
                reduced[other[~rounded]] = self._placed(near[~rounded], distances[~rounded])
        reduced[known >= 0] = self.positions[known[known >= 0]]
        return reduced

    def _placed(self, near: np.ndarray, distances: np.ndarray) -> np.ndarray:
        announce("pynndescent", "UMAP")
        from umap.layouts import optimize_layout_euclidean

        strength = self._strength(distances)
        start = _start(strength, near, np.asarray(self.positions))
        strength = np.where(strength < strength.max(axis=1, keepdims=True) / EPOCHS, 0, strength)
        head, column = strength.nonzero()
        every = (strength.max(axis=1, keepdims=True) / np.where(strength > 0, strength, 1))[head, column]
        state = np.random.RandomState(self.seed % 2**32).randint(-(2**31) + 1, 2**31 - 2, 3)
        return optimize_layout_euclidean(  # type: ignore[no-any-return]
            start,
            np.array(self.positions),
            head.astype(np.int32),
            near[head, column].astype(np.int32),
            EPOCHS,
            len(self.positions),
            every.astype(np.float64),
            self.a,
            self.b,
            state.astype(np.int64),
            initial_alpha=SLOW,
        )

    def _strength(self, distances: np.ndarray) -> np.ndarray:
        """Return how near each neighbour is, float32 (m, n_neighbors): 1 is the same point."""
        from umap.umap_ import smooth_knn_dist

        scales = np.empty(len(distances), np.float32)
        for row in range(len(distances)):  # one by one: its floor is a share of the mean of all that it gets
            scales[row] = smooth_knn_dist(
                distances[row : row + 1], float(self.n_neighbors), local_connectivity=0.0
            )[0][0]
        return np.exp(-distances / np.maximum(scales, np.finfo(np.float32).tiny)[:, None]).astype(np.float32)


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

    VERSION: ClassVar[int] = 2

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
        announce("pynndescent", "UMAP")
        import faiss  # noqa: F401 (its threads must be loaded to be limited)
        from threadpoolctl import threadpool_limits
        from umap import UMAP

        _check_finite(embeddings)
        embeddings, power = rescaled(embeddings)
        rows = _plain(embeddings)
        _, first = np.unique(rows, axis=0, return_index=True)
        rows = rows[np.sort(first)]
        self.width(*rows.shape)
        with threadpool_limits(ctx.threads), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "precomputed_knn")  # it cannot place new rows; we do
            model = UMAP(
                n_neighbors=self.n_neighbors,
                n_components=self.n_components,
                metric=self.metric,
                min_dist=self.min_dist,
                n_epochs=self.n_epochs or None,
                random_state=self.seed,
                n_jobs=1,
                precomputed_knn=nearest(rows, rows, self.n_neighbors, self.metric),
            ).fit(rows)
        a, b = float(model._a), float(model._b)
        positions = np.asarray(model.embedding_, np.float32)
        return UmapProjection(rows, positions, self.metric, self.n_neighbors, self.seed, a, b, int(power))


def _check_finite(rows: np.ndarray) -> None:
    if not np.isfinite(rows).all():
        raise ValueError("reducer=umap was given nan or inf; use a backbone whose training converged")


def _plain(rows: np.ndarray) -> np.ndarray:
    """Return float32 rows whose equal values have equal bytes: there is a zero below zero."""
    return np.ascontiguousarray(rows, np.float32) + np.float32(0)


def _start(strength: np.ndarray, near: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the mean of the neighbours' positions, or that of a neighbour that is the same point."""
    start = np.zeros((len(near), positions.shape[1]), np.float32)
    shares = strength / strength.sum(axis=1, keepdims=True)
    for column in range(near.shape[1]):
        start += shares[:, column, None] * positions[near[:, column]]
    same = strength[:, 0] == 1
    start[same] = positions[near[same, 0]]
    return start.round(DECIMALS)
