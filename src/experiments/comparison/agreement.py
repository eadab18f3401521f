"""Agreement of the clusterings of a sweep with each other, without labels."""

import logging
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from experiments.figures import Heatmap
from experiments.types import Findings

log = logging.getLogger(__name__)

MAX_JOBS = 50  # with 1,225 pairs


def agreement(names: Sequence[str], assignments: Sequence[np.ndarray]) -> Findings:
    """Return the adjusted Rand index of each pair of clusterings, as a table and a heat map.

    Parameters
    ----------
    names
        Names of the clusterings.
    assignments
        int64 (n,) of each clustering, of the same samples; noise (-1) counts as one more cluster.
    """
    import pandas as pd

    if len(names) < 2:
        return Findings({})
    if len(names) > MAX_JOBS:
        log.info("agreement not computed: %d clusterings are more than %d", len(names), MAX_JOBS)
        return Findings({})
    scores = pairwise(assignments)
    table = pd.DataFrame(scores, columns=list(names))
    table.insert(0, "ARI with", list(names))
    title = "Agreement between the clusterings of the jobs"
    heat = Heatmap(title, list(names), list(names), scores, "adjusted Rand index")
    return Findings({}, {"agreement": table}, {"agreement": heat})


def pairwise(assignments: Sequence[np.ndarray]) -> np.ndarray:
    """Return the adjusted Rand index of each pair of clusterings: float64 (s, s), symmetric."""
    from sklearn.metrics import adjusted_rand_score

    scores = np.eye(len(assignments))
    for first, second in combinations(range(len(assignments)), 2):
        ari = adjusted_rand_score(assignments[first], assignments[second])
        scores[first, second] = scores[second, first] = ari
    return scores
