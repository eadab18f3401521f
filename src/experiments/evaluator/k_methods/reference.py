"""A reference data set of the gap statistic, clustered with each k."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.k_methods.gap import Box, labels, log_w, spread


@dataclass(frozen=True)
class Reference:
    """Points without clusters, drawn from the box around the data and clustered with each k."""

    VERSION: ClassVar[int] = 2

    clusterers: tuple[Any, ...]
    number: int
    seed: int

    def run(self, box: Box, n: int, ctx: Context) -> np.ndarray:
        """Return log_w for each k, float64."""
        points = box.draw(n, (self.seed, self.number))
        reference_ctx = ctx.with_input(ctx.input_key, trial=f"reference {self.seed} {self.number}")
        return np.array(
            [
                log_w(spread(points, labels(clusterer, points, reference_ctx))[0])
                for clusterer in self.clusterers
            ]
        )
