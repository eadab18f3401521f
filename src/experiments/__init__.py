"""Config-driven experiments in clustering images.

From a notebook:  `import experiments; result = experiments.run(["cluster.k=20", "seed=3"])`
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from experiments.numerics.threads import set_wait_policy

if TYPE_CHECKING:
    from experiments.pipeline import Result

set_wait_policy()  # before torch, faiss or scikit-learn load OpenMP

__all__ = ["__version__", "run"]
__version__ = "0.1.0"


def run(overrides: Sequence[str] = ()) -> "Result":
    """Run one experiment, as `python run.py <overrides>` does; see `experiments.job.from_python.run`."""
    from experiments.job import from_python

    return from_python.run(overrides)
