"""UMAP from exact neighbours and a seed. No other module calls umap-learn.

umap-learn's own neighbour search, NNDescent, is approximate and, with a seed, runs on one thread. Reducing
25,557 rows from 50 to 15 columns took 79 s of processor time with it and 49 s with exact search; both results
preserve equally many neighbours (benchmarks/density.py).
"""

import warnings
from typing import NamedTuple

import numpy as np

from experiments.numerics.compiled import announce
from experiments.numerics.nearest import METRICS, nearest

EPOCHS = 100  # for new rows, as in umap-learn for up to 10,000 of them
DECIMALS = 3  # of a new row's initial position, which seeds its random numbers
NEW_ROWS_RATE = 0.25  # learning rate for new rows, a quarter of that for fitted rows, as in umap-learn


class Layout(NamedTuple):
    """Positions float32 (n, p); a and b of UMAP's similarity curve 1 / (1 + a * distance ** 2b)."""

    positions: np.ndarray
    a: float
    b: float


def lay_out(
    points: np.ndarray,
    *,
    n_components: int,
    n_neighbors: int,
    metric: str,
    min_dist: float,
    seed: int,
    n_epochs: int = 0,
    init: str = "spectral",
    threads: int | None = None,
) -> Layout:
    """Compute UMAP positions of float32 (n, d) points.

    Only the neighbour search uses several threads, as the optimisation would not be repeatable.

    Parameters
    ----------
    n_neighbors
        Neighbours of each row, including itself; at most n.
    metric
        One of `nearest.METRICS`; for other metrics umap-learn searches the neighbours.
    n_epochs
        0: umap-learn's default, 500 up to 10,000 rows and 200 beyond.
    """
    announce("pynndescent", "UMAP")
    from umap import UMAP

    known: tuple[np.ndarray | None, ...] = (None, None, None)
    if metric in METRICS:
        near, distances = nearest(points, points, n_neighbors, metric, threads=threads)
        known = near, distances.astype(np.float32)
    model = UMAP(
        n_neighbors=n_neighbors,
        n_components=n_components,
        metric=metric,
        min_dist=min_dist,
        n_epochs=n_epochs or None,
        init=init,
        random_state=seed,
        n_jobs=1,
        precomputed_knn=known,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Graph is not fully connected")  # separate components are allowed
        warnings.filterwarnings("ignore", "precomputed_knn")  # `transform` replaces umap-learn's
        model.fit(points)
    return Layout(np.asarray(model.embedding_, np.float32), float(model._a), float(model._b))


def transform(layout: Layout, near: np.ndarray, distances: np.ndarray, seed: int) -> np.ndarray:
    """Return positions of new rows, float32 (m, p); each is independent of the other new rows.

    A row starts at the weighted mean of its neighbours' positions, and is moved as umap-learn moves a single
    new row.

    Parameters
    ----------
    near, distances
        int32 and float32 (m, n_neighbors): the nearest fitted rows of each new row, and their distances.
    """
    announce("pynndescent", "UMAP")
    from umap.layouts import optimize_layout_euclidean

    strength = _strength(distances)
    start = _start(strength, near, layout.positions)
    strength = np.where(strength < strength.max(axis=1, keepdims=True) / EPOCHS, 0, strength)
    head, column = strength.nonzero()
    interval = (strength.max(axis=1, keepdims=True) / np.where(strength > 0, strength, 1))[head, column]
    state = np.random.RandomState(seed % 2**32).randint(-(2**31) + 1, 2**31 - 2, 3)
    return optimize_layout_euclidean(  # type: ignore[no-any-return]
        start,
        np.array(layout.positions),
        head.astype(np.int32),
        near[head, column].astype(np.int32),
        EPOCHS,
        len(layout.positions),
        interval.astype(np.float64),
        layout.a,
        layout.b,
        state.astype(np.int64),
        initial_alpha=NEW_ROWS_RATE,
    )


def _strength(distances: np.ndarray) -> np.ndarray:
    """Return the similarity of each neighbour, float32 (m, n_neighbors), 0 to 1; 1 is the same point."""
    from umap.umap_ import smooth_knn_dist

    scales = np.empty(len(distances), np.float32)
    for row in range(len(distances)):  # one row per call, as its lower bound depends on all rows
        scales[row] = smooth_knn_dist(
            distances[row : row + 1], float(distances.shape[1]), local_connectivity=0.0
        )[0][0]
    return np.exp(-distances / np.maximum(scales, np.finfo(np.float32).tiny)[:, None]).astype(np.float32)


def _start(strength: np.ndarray, near: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the weighted mean of the neighbours' positions, or the position of an equal neighbour."""
    start = np.zeros((len(near), positions.shape[1]), np.float32)
    shares = strength / strength.sum(axis=1, keepdims=True)
    for column in range(near.shape[1]):
        start += shares[:, column, None] * positions[near[:, column]]
    same = strength[:, 0] == 1
    start[same] = positions[near[same, 0]]
    return start.round(DECIMALS)
