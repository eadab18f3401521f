"""UMAP's layout of points, from exact neighbours and one seed; the one module that calls umap-learn.

Its own search, NNDescent, is approximate and with a seed runs on one thread: 25,557 rows of 50 values to 15
took 79 s of processor time with it, 49 with ours, and kept as many neighbours (benchmarks/density.py).
"""

import warnings
from typing import NamedTuple

import numpy as np

from experiments.numerics.compiled import announce
from experiments.numerics.nearest import METRICS, nearest

EPOCHS = 100  # in which a new row finds its place, as in umap-learn for up to 10,000 of them
DECIMALS = 3  # of where a new row starts, whose bits seed its random numbers
SLOW = 0.25  # of the learning rate with which the fitted rows found theirs


class Layout(NamedTuple):
    """Positions float32 (n, p), and a and b of 1 / (1 + a * distance ** 2b), which is how near they are."""

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
    """Lay out float32 (n, d), on one thread but for the neighbours: several would find another each time.

    Parameters
    ----------
    n_neighbors
        Rows that are near a row, itself among them; at most n.
    metric
        One of `nearest.METRICS`; for others of umap-learn's, it searches the neighbours itself.
    n_epochs
        0 for umap-learn's 500 up to 10,000 rows and 200 beyond.
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
        warnings.filterwarnings("ignore", "Graph is not fully connected")  # islands may be islands
        warnings.filterwarnings("ignore", "precomputed_knn")  # it cannot place new rows; we do
        model.fit(points)
    return Layout(np.asarray(model.embedding_, np.float32), float(model._a), float(model._b))


def place(layout: Layout, near: np.ndarray, distances: np.ndarray, seed: int) -> np.ndarray:
    """Place new rows: float32 (m, p), for which it does not matter which come together.

    Each starts at the mean of its neighbours, weighted by nearness, and is moved as umap-learn moves a row
    that comes alone.

    Parameters
    ----------
    near, distances
        int32 and float32 (m, n_neighbors): the laid out rows nearest to each.
    """
    announce("pynndescent", "UMAP")
    from umap.layouts import optimize_layout_euclidean

    strength = _strength(distances)
    start = _start(strength, near, layout.positions)
    strength = np.where(strength < strength.max(axis=1, keepdims=True) / EPOCHS, 0, strength)
    head, column = strength.nonzero()
    every = (strength.max(axis=1, keepdims=True) / np.where(strength > 0, strength, 1))[head, column]
    state = np.random.RandomState(seed % 2**32).randint(-(2**31) + 1, 2**31 - 2, 3)
    return optimize_layout_euclidean(  # type: ignore[no-any-return]
        start,
        np.array(layout.positions),
        head.astype(np.int32),
        near[head, column].astype(np.int32),
        EPOCHS,
        len(layout.positions),
        every.astype(np.float64),
        layout.a,
        layout.b,
        state.astype(np.int64),
        initial_alpha=SLOW,
    )


def _strength(distances: np.ndarray) -> np.ndarray:
    """Return how near each neighbour is, float32 (m, n_neighbors): 1 is the same point."""
    from umap.umap_ import smooth_knn_dist

    scales = np.empty(len(distances), np.float32)
    for row in range(len(distances)):  # one by one: its floor is a share of the mean of all that it gets
        scales[row] = smooth_knn_dist(
            distances[row : row + 1], float(distances.shape[1]), local_connectivity=0.0
        )[0][0]
    return np.exp(-distances / np.maximum(scales, np.finfo(np.float32).tiny)[:, None]).astype(np.float32)


def _start(strength: np.ndarray, near: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the mean of the neighbours' positions, or that of a neighbour that is the same point."""
    start = np.zeros((len(near), positions.shape[1]), np.float32)
    shares = strength / strength.sum(axis=1, keepdims=True)
    for column in range(near.shape[1]):
        start += shares[:, column, None] * positions[near[:, column]]
    same = strength[:, 0] == 1
    start[same] = positions[near[same, 0]]
    return start.round(DECIMALS)
