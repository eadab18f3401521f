"""Past runs: their parameters, files, samples and embeddings, and exports of them."""

from experiments.recorded.run import PARENT_TAG, SUPERSEDED, PastRun

__all__ = ["PARENT_TAG", "SUPERSEDED", "PastRun"]
