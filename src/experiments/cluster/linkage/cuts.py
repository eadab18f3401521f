"""Cuts of a tree of merges into k clusters, and the k that their silhouettes suggest."""

import logging

import numpy as np

from experiments.cluster.density.groups import renumber

log = logging.getLogger(__name__)

RATIO = 1.1  # of one k to the next that is tried
FALL = 0.05  # a peak is followed by a silhouette that is lower by this share,
LEAST = 0.5  # and is at least this share of the highest;
FLAT = 0.01  # of the k before a peak, the first that is lower by at most this share is used
DISTANCES = 4_000_000  # float64 distances in memory at a time: 32 MB


def cut(merges: np.ndarray, k: int) -> np.ndarray:
    """Return the cluster of each point without the last k - 1 merges, int64 (n,)."""
    n = len(merges) + 1
    group = np.arange(2 * n - 1)
    pairs = merges[: n - k, :2].astype(np.int64)
    for new in range(n + len(pairs) - 1, n - 1, -1):  # from the root down, so that each parent has its group
        group[pairs[new - n]] = group[new]
    return renumber(group[:n])


def k_by_silhouette(points: np.ndarray, merges: np.ndarray) -> int:
    """Return the k of the first clear peak of the mean silhouette; 1 if all points are equal.

    k grows by a tenth from 2 to half of the different points. Large classes often have a second, higher peak
    of small groups, most of all after `reducer=neighbours`, which moves the rows of a group together: up to
    400 photographs of each of five classes have one at k=6, and a higher one at k=312.
    """
    ks = _tried(1 + int((merges[:, 2] > 0).sum()))
    if not len(ks):
        return 1
    scores = mean_silhouettes(points, merges, ks)
    chosen, highest = _first_peak(scores), int(scores.argmax())
    log.info(
        "cluster.k=auto is k=%d: silhouette %.3f, the first clear peak; the highest is %.3f at k=%d",
        ks[chosen],
        scores[chosen],
        scores[highest],
        ks[highest],
    )
    return int(ks[chosen])


def _tried(different: int) -> np.ndarray:
    """Return 2, and larger k in steps of a tenth, up to half of the different points."""
    steps = 1 + int(np.log(max(different, 4) / 4) / np.log(RATIO))
    ks = np.unique(np.round(2 * RATIO ** np.arange(steps)).astype(np.int64))
    return ks[ks <= max(different // 2, 2)] if different > 1 else ks[:0]


def _first_peak(scores: np.ndarray) -> int:
    """Return where the first peak of at least `LEAST` of the highest score begins, or else the highest."""
    peak = 0
    for index, score in enumerate(scores):
        if score > scores[peak]:
            peak = index
        elif score < (1 - FALL) * scores[peak] and scores[peak] >= LEAST * scores.max():
            break
    return int(np.argmax(scores[: peak + 1] >= scores[peak] - FLAT * abs(scores[peak])))


def mean_silhouettes(
    points: np.ndarray, merges: np.ndarray, ks: np.ndarray, block: int = DISTANCES
) -> np.ndarray:
    """Return the mean silhouette of the cut into each k, float64 (m,).

    The clusters of a cut are unions of those of a finer one, so each distance is computed once for all cuts.

    Parameters
    ----------
    ks
        Ascending, 2 to n.
    block
        Number of distances in memory at a time.

    Source
    ------
    Rousseeuw, "Silhouettes", 1987.
    """
    from scipy.cluster.hierarchy import leaves_list
    from sklearn.metrics import euclidean_distances

    n, order = len(points), leaves_list(merges)
    leaves = points[order].astype(np.float64)  # the clusters of a cut are slices of these
    starts = [np.flatnonzero(np.diff(cut(merges, int(k))[order], prepend=-1)) for k in ks]
    totals = np.zeros(len(ks))
    for rows in np.array_split(np.arange(n), min(n, 1 + n * n // block)):
        sums, finer = euclidean_distances(leaves[rows], leaves), np.arange(n)
        for index in range(len(ks) - 1, -1, -1):
            sums = np.add.reduceat(sums, np.searchsorted(finer, starts[index]), axis=1)
            finer = starts[index]
            totals[index] += _silhouettes(
                sums, np.diff(finer, append=n), np.searchsorted(finer, rows, "right") - 1
            ).sum()
    return totals / n


def _silhouettes(sums: np.ndarray, sizes: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Return silhouettes from the sums (m, k) of distances to each cluster; 0 for an only member."""
    positions = np.arange(len(own))
    within = sums[positions, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[positions, own] = np.inf
    nearest = means.min(axis=1)
    larger = np.maximum(within, nearest)
    scores = np.divide(nearest - within, larger, out=np.zeros(len(own)), where=larger > 0)
    return np.where(sizes[own] > 1, scores, 0)
