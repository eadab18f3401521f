"""What an earlier run recorded: its parameters and files, its samples and embeddings, exports of them."""

from experiments.recorded.run import SUPERSEDED, Recorded, pages

__all__ = ["SUPERSEDED", "Recorded", "pages"]
