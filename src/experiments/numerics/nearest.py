"""The nearest rows, exactly: FAISS finds candidates by float32 products, float64 differences order them."""

import numpy as np

METRICS = ("euclidean", "cosine", "correlation")
SPARE = 8  # candidates beyond those asked for, as products in float32 confuse the last places
VALUES = 4_000_000  # float64 differences held at a time: 32 MB


def nearest(rows: np.ndarray, queries: np.ndarray, count: int, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Find the `count` nearest rows to each query: int32 (m, count), and distance float32 (m, count).

    A row of zeros is half a unit from all others by cosine.
    """
    import faiss

    prepared, asked = _prepared(rows, metric), _prepared(queries, metric)
    middle = prepared.mean(axis=0, dtype=np.float64).astype(np.float32)  # far from zero, products lose digits
    index = faiss.IndexFlatL2(prepared.shape[1])
    index.add(prepared - middle)
    _, found = index.search(asked - middle, min(count + SPARE, len(prepared)))
    distances = np.empty(found.shape)
    step = max(1, VALUES // (found.shape[1] * prepared.shape[1]))
    for start in range(0, len(asked), step):
        batch = slice(start, start + step)
        differences = prepared[found[batch]].astype(np.float64) - asked[batch, None]
        distances[batch] = np.einsum("mcd,mcd->mc", differences, differences)
    order = np.lexsort((found, distances), axis=1)[:, :count]
    near = np.take_along_axis(found, order, axis=1).astype(np.int32)
    squared = np.take_along_axis(distances, order, axis=1)
    return near, (np.sqrt(squared) if metric == "euclidean" else squared / 2).astype(np.float32)


def _prepared(rows: np.ndarray, metric: str) -> np.ndarray:
    """Return rows whose Euclidean distances order as the metric does."""
    if metric == "euclidean":
        return np.ascontiguousarray(rows, np.float32)
    values = np.asarray(rows, np.float64)
    if metric == "correlation":
        values = values - values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    return (values / np.where(lengths > 0, lengths, 1)).astype(np.float32)
