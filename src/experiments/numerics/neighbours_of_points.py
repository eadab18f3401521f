"""The nearest of some points, exactly."""

import numpy as np

TREE_WIDTH = 15  # values up to which a tree beats comparing all pairs


def nearest(points: np.ndarray, count: int, threads: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the `count` nearest points to each, itself among them: distances float64 and rows, (n, count)."""
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    rows = np.asarray(points, np.float64)
    algorithm = "kd_tree" if rows.shape[1] <= TREE_WIDTH else "brute"
    with threadpool_limits(threads):
        distances, near = NearestNeighbors(n_neighbors=count, algorithm=algorithm).fit(rows).kneighbors(rows)
    return distances, near
