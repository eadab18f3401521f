"""Agreement of the clusters with the macro-categories of the classes."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures import agreement
from experiments.evaluator.measures.chance import chance
from experiments.evaluator.measures.macro_categories import (
    check_classes,
    check_granularities,
    class_tree,
    too_fine,
)
from experiments.evaluator.protocol.scored_rows import check_protocol, scored_subsets
from experiments.metric_names import names_of, spelled
from experiments.metrics import GROUPED
from experiments.samples import Samples
from experiments.types import Clustering, Encoder, Findings

PREFIX = "evaluator.macro_purity"


@dataclass(frozen=True)
class MacroPurity:
    """Purity, NMI, AMI and ARI with respect to the groups of Ward's tree over the class means.

    Under `protocol=held_out` the class means are of training rows only. Suffixes as in `External`.

    Parameters
    ----------
    granularities
        Numbers of groups; numbers above the class count are skipped, with the reason in a table.
    seed
        Seed of the permutations for the chance level in the table.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "reduced", "clustering")
    LABELLED: ClassVar[bool] = True
    VERSION: ClassVar[int] = 1

    protocol: str
    granularities: tuple[int, ...]
    seed: int

    def __post_init__(self) -> None:
        check_protocol(PREFIX, self.protocol)
        check_granularities(PREFIX, self.granularities)

    @property
    def METRICS(self) -> tuple[str, ...]:  # noqa: N802 (a constant in other evaluators)
        """Return the names of all possible metrics."""
        return names_of("macro_purity", self.granularities)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels, or a class has no mean."""
        check_classes(samples, PREFIX, self.protocol)

    def evaluate(
        self,
        *,
        ctx: Context,
        samples: Samples,
        encoder: Encoder,
        reduced: np.ndarray,
        clustering: Clustering,
    ) -> Findings:
        """Score the assignments for each granularity; the table has purity's ceiling and chance level too."""
        import pandas as pd

        self.check(samples)
        tree = class_tree(samples, reduced, self.protocol)
        labels, assignments = np.asarray(samples.labels), np.asarray(clustering.assignments)
        scored = list(scored_subsets(samples, encoder.trained))
        metrics: dict[str, float] = {}
        rows: list[dict[str, Any]] = []
        for g in self.granularities:
            if note := too_fine(g, len(tree.classes)):
                rows.append({"categories": g, "suffix": "", "rows": 0, "note": note})
                continue
            groups = tree.categories(labels, g)
            for suffix, subset, _ in scored:
                truth, clusters = groups[subset], assignments[subset]
                values = {name: agreement.METRICS[name](truth, clusters) for name in GROUPED}
                metrics |= {
                    spelled(f"{name}_macro_{{groups}}", str(g), rows=suffix): value
                    for name, value in values.items()
                }
                ceiling = agreement.purity_ceiling(truth, clusters)
                level = chance(truth, clusters, self.seed, ["purity_chance"])
                row = {"categories": g, "suffix": suffix, "rows": len(subset)} | values
                rows.append(row | {"purity_ceiling": ceiling} | level | {"note": ""})
        about = pd.DataFrame([{"suffix": s, "rows": len(rows), "about": note} for s, rows, note in scored])
        return Findings(metrics, {"macro_purity": pd.DataFrame(rows), "macro_purity_rows": about})
