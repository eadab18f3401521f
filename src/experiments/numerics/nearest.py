"""The nearest rows, exactly: a k-d tree or FAISS proposes candidates, float64 differences order them."""

from typing import Any

import numpy as np

METRICS = ("euclidean", "cosine", "correlation")
TREE_WIDTH = 15  # values up to which a tree beats comparing all pairs
SPARE = 8  # candidates beyond those asked for, as products in float32 confuse the last places
BATCH = 4096  # queries at a time: FAISS's own block
VALUES = 4_000_000  # float64 differences held at a time: 32 MB
DOUBT = 2  # times the largest error seen among a query's candidates: what float32 may hide


def nearest(
    rows: np.ndarray,
    queries: np.ndarray,
    count: int,
    metric: str = "euclidean",
    *,
    threads: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the `count` rows nearest to each query, nearest first; of equally near ones the first rows.

    Parameters
    ----------
    rows, queries
        float32 (n, d) and (m, d).
    count
        1 to n.
    metric
        One of `METRICS`. A row of zeros is half a unit from all others by cosine.
    threads
        None: as many as the libraries use.

    Returns
    -------
    Rows int32 (m, count) and distances float64 (m, count).
    """
    from threadpoolctl import threadpool_limits

    rows, queries = _prepared(rows, metric), _prepared(queries, metric)
    near, squared = np.empty((len(queries), count), np.int32), np.empty((len(queries), count))
    search = _tree if rows.shape[1] <= TREE_WIDTH else _products
    with threadpool_limits(threads):
        candidates = search(rows, min(count + SPARE, len(rows)))
        for start in range(0, len(queries), BATCH):
            batch = slice(start, start + BATCH)
            near[batch], squared[batch] = candidates(queries[batch], count)
    return near, np.sqrt(squared) if metric == "euclidean" else squared / 2


def _tree(rows: np.ndarray, many: int) -> Any:
    """Return a function that finds the nearest of `many` candidates from a k-d tree."""
    from sklearn.neighbors import KDTree

    tree = KDTree(rows)

    def candidates(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        found = tree.query(queries, many, return_distance=False, sort_results=False)
        return _first(found, _squared(rows, queries, found), count)

    return candidates


def _products(rows: np.ndarray, many: int) -> Any:
    """Return a function that finds the nearest of `many` candidates from products in float32.

    Where their rounding may hide a nearer row, as in a tight group far from the others, float64 repeats them.
    """
    import faiss  # before threads are limited, or its own are not

    middle = rows.mean(axis=0, dtype=np.float64).astype(np.float32)  # far from zero, products lose digits
    index = faiss.IndexFlatL2(rows.shape[1])
    index.add(rows - middle)
    whole = None

    def candidates(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        nonlocal whole
        seen, found = index.search(queries - middle, many)
        squared = _squared(rows, queries, found)
        near, distances = _first(found, squared, count)
        error = np.abs(seen - squared).max(axis=1)
        farthest = distances[:, -1]
        sure = (farthest == 0) | (farthest <= seen[:, -1] - DOUBT * error)
        unsure = np.flatnonzero(~sure) if many < len(rows) else ()
        if len(unsure):
            whole = whole or _exact(rows, many)
            near[unsure], distances[unsure] = whole(queries[unsure], count)
        return near, distances

    return candidates


def _exact(rows: np.ndarray, many: int) -> Any:
    """Return a function that finds the nearest of `many` candidates from products in float64."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=many, algorithm="brute").fit(rows.astype(np.float64))

    def candidates(queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        found = search.kneighbors(queries.astype(np.float64), return_distance=False)
        return _first(found, _squared(rows, queries, found), count)

    return candidates


def _first(found: np.ndarray, squared: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the `count` nearest of the candidates, and their squared distances."""
    order = np.lexsort((found, squared), axis=1)[:, :count]
    return np.take_along_axis(found, order, axis=1), np.take_along_axis(squared, order, axis=1)


def _squared(rows: np.ndarray, queries: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the squared distances, float64 (m, c), of queries to the rows found for them."""
    squared = np.empty(found.shape)
    step = max(1, VALUES // (found.shape[1] * rows.shape[1]))
    for start in range(0, len(queries), step):
        batch = slice(start, start + step)
        differences = rows[found[batch]].astype(np.float64) - queries[batch, None]
        squared[batch] = np.einsum("mcd,mcd->mc", differences, differences)
    return squared


def _prepared(rows: np.ndarray, metric: str) -> np.ndarray:
    """Return rows whose Euclidean distances order as the metric does."""
    if metric == "euclidean":
        return np.ascontiguousarray(rows, np.float32)
    values = np.asarray(rows, np.float64)
    if metric == "correlation":
        values = values - values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return (values / np.where(lengths > 0, lengths, 1)).astype(np.float32)
