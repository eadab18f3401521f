"""Exact nearest neighbours: a k-d tree or FAISS proposes candidates, float64 distances order them."""

from collections.abc import Iterator
from typing import Any

import numpy as np

METRICS = ("euclidean", "cosine", "correlation")
TREE_WIDTH = 15  # widest rows for which a tree is faster than comparing all pairs
SPARE = 8  # candidates beyond `count`, as rounding in float32 can swap the farthest of them
BATCH = 4096  # queries at a time, the block size of FAISS
VALUES = 4_000_000  # float64 differences in memory at a time: 32 MB
SAFETY = 2  # assumed error of a float32 distance, in units of the largest observed for the query


def nearest(
    rows: np.ndarray,
    queries: np.ndarray,
    count: int,
    metric: str = "euclidean",
    *,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the `count` nearest rows of each query, nearest first; equally near ones by index.

    Parameters
    ----------
    rows, queries
        float32 (n, d) and (m, d).
    count
        1 to n.
    metric
        One of `METRICS`. By cosine a row of zeros has distance 0.5 to all others.
    threads
        Threads of the libraries; None: unchanged.

    Returns
    -------
    Row indices int32 (m, count) and distances float64 (m, count).
    """
    near, distances = np.empty((len(queries), count), np.int32), np.empty((len(queries), count))
    for batch, *results in nearest_in_batches(rows, queries, count, metric, threads=threads):
        near[batch], distances[batch] = results
    return near, distances


def nearest_in_batches(
    rows: np.ndarray,
    queries: np.ndarray,
    count: int,
    metric: str = "euclidean",
    *,
    threads: int | None = None,
) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
    """Yield the queries of a batch as a slice, and what `nearest` returns for them."""
    from threadpoolctl import threadpool_limits

    rows, queries = _prepared(rows, metric), _prepared(queries, metric)
    make_search = _tree_search if rows.shape[1] <= TREE_WIDTH else _faiss_search
    with threadpool_limits(threads):
        search = make_search(rows, min(count + SPARE, len(rows)))
        for start in range(0, len(queries), BATCH):
            batch = slice(start, start + BATCH)
            near, squared = search(queries[batch], count)
            yield batch, near, np.sqrt(squared) if metric == "euclidean" else squared / 2


def _tree_search(rows: np.ndarray, n_candidates: int) -> Any:
    """Return a search function whose candidates come from a k-d tree."""
    from sklearn.neighbors import KDTree

    tree = KDTree(rows)

    def search(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        candidates = tree.query(queries, n_candidates, return_distance=False, sort_results=False)
        return _first(candidates, _squared(rows, queries, candidates), count)

    return search


def _faiss_search(rows: np.ndarray, n_candidates: int) -> Any:
    """Return a search function whose candidates come from FAISS, in float32.

    Queries for which rounding may hide a nearer row, as in a tight group far from the others, are repeated in
    float64.
    """
    import faiss  # before threads are limited, so that the limit includes FAISS

    middle = rows.mean(axis=0, dtype=np.float64).astype(np.float32)  # products lose digits far from zero
    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows - middle)
    float64_search = None

    def search(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        nonlocal float64_search
        approximate, candidates = index.search(queries - middle, n_candidates)
        squared = _squared(rows, queries, candidates)
        near, distances = _first(candidates, squared, count)
        error = np.abs(approximate - squared).max(axis=1)
        farthest = distances[:, -1]
        sure = (farthest == 0) | (farthest <= approximate[:, -1] - SAFETY * error)
        unsure = np.flatnonzero(~sure) if n_candidates < len(rows) else ()
        if len(unsure):
            float64_search = float64_search or _float64_search(rows, n_candidates)
            near[unsure], distances[unsure] = float64_search(queries[unsure], count)
        return near, distances

    return search


def _float64_search(rows: np.ndarray, n_candidates: int) -> Any:
    """Return a search function whose candidates come from scikit-learn, in float64."""
    from sklearn.neighbors import NearestNeighbors

    index = NearestNeighbors(n_neighbors=n_candidates, algorithm="brute").fit(rows.astype(np.float64))

    def search(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        candidates = index.kneighbors(queries.astype(np.float64), return_distance=False)
        return _first(candidates, _squared(rows, queries, candidates), count)

    return search


def _first(candidates: np.ndarray, squared: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the `count` nearest candidates of each query, and their squared distances."""
    order = np.lexsort((candidates, squared), axis=1)[:, :count]
    return np.take_along_axis(candidates, order, axis=1), np.take_along_axis(squared, order, axis=1)


def _squared(rows: np.ndarray, queries: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    """Return the squared distances of queries to their candidates, float64 (m, c)."""
    squared = np.empty(candidates.shape)
    step = max(1, VALUES // (candidates.shape[1] * rows.shape[1]))
    for start in range(0, len(queries), step):
        batch = slice(start, start + step)
        differences = rows[candidates[batch]].astype(np.float64) - queries[batch, None]
        squared[batch] = np.einsum("mcd,mcd->mc", differences, differences)
    return squared


def _prepared(rows: np.ndarray, metric: str) -> np.ndarray:
    """Return rows whose Euclidean distances have the order of the metric."""
    if metric == "euclidean":
        return np.ascontiguousarray(rows, np.float32)
    values = np.asarray(rows, np.float64)
    if metric == "correlation":
        values = values - values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return (values / np.where(lengths > 0, lengths, 1)).astype(np.float32)
