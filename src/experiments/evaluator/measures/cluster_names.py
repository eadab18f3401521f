"""Assign one of many classes to each cluster, by the scores of the cluster's rows.

n rows, d values of an embedding, c classes, g groups of rows (clusters and noise).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from experiments.evaluator.measures.groups import CHUNK

BEST = 50  # classes of a cluster that it can be assigned
LEVEL = 0.95  # quantile of the scores of shuffled clusters
BLOCK_BYTES = 1 << 28  # bytes of the values of all rows for a block of classes
ROUNDING = 1e-6  # of scores in float32


class Head(NamedTuple):
    """Values of classes: `embeddings @ weights.T + bias`, float32 (c, d) and (c,); with `softmax` of that."""

    weights: np.ndarray
    bias: np.ndarray
    softmax: bool

    def blocks(self, embeddings: np.ndarray, width: int = 0) -> Iterator[tuple[int, np.ndarray]]:
        """Yield values less their mean over all rows, (n, <=width), and the number of their first class."""
        n, count = len(embeddings), len(self.weights)
        width = width or max(1, BLOCK_BYTES // (4 * n))
        largest = np.zeros((n, 1), np.float32)
        total = np.ones((n, 1), np.float32)
        for start in range(0, n if self.softmax else 0, CHUNK):
            rows = slice(start, start + CHUNK)
            values = embeddings[rows] @ self.weights.T + self.bias
            largest[rows] = values.max(axis=1, keepdims=True)
            total[rows] = np.exp(values - largest[rows]).sum(axis=1, keepdims=True)
        for start in range(0, count, width):
            part = slice(start, start + width)
            values = embeddings @ self.weights[part].T + self.bias[part]
            if self.softmax:
                np.exp(values - largest, out=values)
                values /= total
            values -= values.mean(axis=0, dtype=np.float64).astype(np.float32)
            yield start, values


class Scores(NamedTuple):
    """Scores of the best classes of each group.

    Parameters
    ----------
    classes, scores
        Numbers and scores of the best classes, int64 and float64 (g, b), the best first.
    levels
        The `LEVEL` quantile of the best score of shuffled groups of the same sizes, (g,).
    row_classes
        Best class of each row, int64 (n,).
    """

    classes: np.ndarray
    scores: np.ndarray
    levels: np.ndarray
    row_classes: np.ndarray


def score_classes(
    head: Head, embeddings: np.ndarray, groups: list[np.ndarray], shuffles: int, seed: int, width: int = 0
) -> Scores:
    """Score all classes: the mean value of a group's rows less the mean of all rows.

    Classes are scored in blocks of `width`, so memory is bounded.

    Parameters
    ----------
    groups
        The rows of each group, int64.
    """
    from scipy.sparse import csr_array

    n, g, sizes = len(embeddings), len(groups), [len(rows) for rows in groups]
    weights = np.repeat(1 / np.array(sizes), sizes).astype(np.float32)
    bounds, order = np.concatenate([[0], np.cumsum(sizes)]), np.concatenate(groups)
    rng = np.random.default_rng(seed)
    shuffled = [rng.permutation(n)[: len(order)] for _ in range(shuffles)]
    means = [csr_array((weights, rows, bounds), shape=(g, n)) for rows in (order, *shuffled)]
    classes, scores = np.empty((g, 0), np.int64), np.empty((g, 0))
    levels = np.full((shuffles, g), -np.inf)
    row_classes, row_values = np.zeros(n, np.int64), np.full(n, -np.inf, np.float32)
    for start, values in head.blocks(embeddings, width):
        best = values.argmax(axis=1)
        best_values = values[np.arange(n), best]
        better = best_values > row_values
        row_classes[better], row_values[better] = best[better] + start, best_values[better]
        for number, mean in enumerate(means[1:]):
            levels[number] = np.maximum(levels[number], (mean @ values).max(axis=1))
        numbers = np.broadcast_to(start + np.arange(values.shape[1]), (g, values.shape[1]))
        classes = np.hstack([classes, numbers])
        scores = np.hstack([scores, means[0] @ values])
        kept = np.argsort(-scores, axis=1, kind="stable")[:, :BEST]
        classes, scores = np.take_along_axis(classes, kept, 1), np.take_along_axis(scores, kept, 1)
    by_size = {size: np.quantile(levels[:, np.equal(sizes, size)], LEVEL) for size in set(sizes)}
    return Scores(classes, scores, np.array([by_size[size] for size in sizes]) + ROUNDING, row_classes)


def assign(classes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the column of each group's class, int64 (g,), -1 for none: one to one, with the highest sum."""
    from scipy.optimize import linear_sum_assignment

    candidates, columns = np.unique(classes, return_inverse=True)
    columns = columns.reshape(classes.shape)
    matrix = np.zeros((len(classes), len(candidates)))  # 0: no name
    np.put_along_axis(matrix, columns, scores, axis=1)
    rows, matched = linear_sum_assignment(matrix, maximize=True)
    result = np.full(len(classes), -1)
    for row, column in zip(rows, matched, strict=True):
        positions = np.flatnonzero(columns[row] == column)
        if len(positions):
            result[row] = positions[0]
    return result
