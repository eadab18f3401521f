"""The three treatments of noise (assignment -1) in metrics, each with a suffix."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from experiments.metrics import NO_NOISE, SINGLETONS


class Treatment(NamedTuple):
    """Rows of metrics with this suffix (flags), clusters of all rows, and a description."""

    suffix: str
    rows: np.ndarray
    assignments: np.ndarray
    about: str


def treatments(assignments: np.ndarray) -> Iterator[Treatment]:
    """Yield noise as one cluster and, if there is noise, without it and with each row as its own cluster."""
    everything, noise = np.ones(len(assignments), bool), assignments < 0
    if not noise.any():
        yield Treatment("", everything, assignments, "")
        return
    yield Treatment("", everything, assignments, "; noise is one more cluster")
    yield Treatment(NO_NOISE, ~noise, assignments, "; without noise")
    singletons = np.array(assignments)
    singletons[noise] = assignments.max() + 1 + np.arange(noise.sum())
    yield Treatment(SINGLETONS, everything, singletons, "; each row of noise is a cluster")


def share(assignments: np.ndarray) -> dict[str, float]:
    """Return the metric `noise_share`, or none if there is no noise."""
    noise = float(np.mean(assignments < 0))
    return {"noise_share": noise} if noise else {}
