"""Config-driven experiments in clustering images.

From a notebook:  `import experiments; result = experiments.run(["cluster.k=20", "seed=3"])`
"""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.pipeline import Result

# OpenMP reads this when torch, faiss or scikit-learn load it: threads that wait must not burn the cores of
# other processes. With the cores shared, FAISS on two threads took 20 times as long without it.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__all__ = ["run"]


def run(overrides: Sequence[str] = ()) -> "Result":
    """Run one experiment, as `python run.py <overrides>` does; see `experiments.job.run`."""
    from experiments import job

    return job.run(overrides)
