"""Noise, assignment -1, can be looked at in three ways, and each figure says in which."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from experiments.metrics import NO_NOISE, SINGLETONS


class Treatment(NamedTuple):
    """Which rows figures with this suffix are about (flags), the clusters of all rows, and what to say."""

    suffix: str
    rows: np.ndarray
    assignments: np.ndarray
    about: str


def treatments(assignments: np.ndarray) -> Iterator[Treatment]:
    """Give the clusters as they are; where there is noise also without it, and with each of it alone."""
    everything, noise = np.ones(len(assignments), bool), assignments < 0
    if not noise.any():
        yield Treatment("", everything, assignments, "")
        return
    yield Treatment("", everything, assignments, "; noise is one more cluster")
    yield Treatment(NO_NOISE, ~noise, assignments, "; without noise")
    alone = np.array(assignments)
    alone[noise] = assignments.max() + 1 + np.arange(noise.sum())
    yield Treatment(SINGLETONS, everything, alone, "; each row of noise is a cluster")


def share(assignments: np.ndarray) -> dict[str, float]:
    """Return `noise_share`, or nothing where there is no noise."""
    noise = float(np.mean(assignments < 0))
    return {"noise_share": noise} if noise else {}
