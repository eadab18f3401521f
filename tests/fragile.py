"""A user's clusterer outside the package that fails on purpose."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.cluster.kmeans.centroids import CentroidClustering
from experiments.context import Context


@dataclass(frozen=True)
class Fragile:
    """Cut the first dimension into k parts; have the `accident` where k equals `at`.

    Parameters
    ----------
    accident
        `none`, `error`, `stall` (make the file `sign` and sleep, unless it is there) or
        `kill <process group>`.
    """

    VERSION: ClassVar[int] = 1

    k: int
    at: int
    accident: str
    sign: str

    def check(self, n: int) -> None:
        """Accept any n."""

    def fit(self, reduced: np.ndarray, ctx: Context) -> CentroidClustering:
        """Have the accident, or cluster."""
        word, _, pid = self.accident.partition(" ")  # a negative pid: its whole group
        if self.k == self.at and word == "error":
            raise RuntimeError("the third law of thermodynamics")
        if self.k == self.at and word == "stall" and not Path(self.sign).exists():
            Path(self.sign).touch()
            time.sleep(60)
        if self.k == self.at and word == "kill":
            os.killpg(int(pid), signal.SIGKILL)
            time.sleep(1)
        edges = np.quantile(reduced[:, 0], np.linspace(0, 1, self.k + 1)[1:-1])
        assignments = np.searchsorted(edges, reduced[:, 0]).astype(np.int64)
        centroids = np.stack([reduced[assignments == cluster].mean(axis=0) for cluster in range(self.k)])
        inertia = float(np.square(reduced - centroids[assignments]).sum())
        return CentroidClustering(assignments, None, centroids.astype(np.float32), inertia)
