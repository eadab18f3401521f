"""What an earlier run recorded: its parameters and files, its samples and embeddings, exports of them."""

from experiments.recorded.run import PARENT_TAG, SUPERSEDED, Recorded

__all__ = ["PARENT_TAG", "SUPERSEDED", "Recorded"]
