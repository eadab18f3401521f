"""How far the clusterings of a sweep agree with each other, whatever the labels say."""

import logging
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from experiments.figures import Heatmap
from experiments.types import Findings

log = logging.getLogger(__name__)

MOST = 50  # jobs that are compared: 1,225 pairs


def agreement(names: Sequence[str], assignments: Sequence[np.ndarray]) -> Findings:
    """Return the adjusted Rand index of each pair, as a table and a heat map.

    Parameters
    ----------
    names
        What each clustering is called.
    assignments
        int64 (n,) of each, of the same samples; noise (-1) counts as one more cluster.
    """
    import pandas as pd

    if len(names) < 2:
        return Findings({})
    if len(names) > MOST:
        log.info("the agreement of %d clusterings is left out: more than %d", len(names), MOST)
        return Findings({})
    found = pairwise(assignments)
    table = pd.DataFrame(found, columns=list(names))
    table.insert(0, "ARI with", list(names))
    title = "Agreement between the clusterings of the jobs"
    heat = Heatmap(title, list(names), list(names), found, "adjusted Rand index")
    return Findings({}, {"agreement": table}, {"agreement": heat})


def pairwise(assignments: Sequence[np.ndarray]) -> np.ndarray:
    """Return the adjusted Rand index of each pair of clusterings: float64 (s, s), symmetric."""
    from sklearn.metrics import adjusted_rand_score

    found = np.eye(len(assignments))
    for one, other in combinations(range(len(assignments)), 2):
        found[one, other] = found[other, one] = adjusted_rand_score(assignments[one], assignments[other])
    return found
