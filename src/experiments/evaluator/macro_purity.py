"""How far the clusters agree with the macro-categories of the classes."""

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
from experiments.evaluator.protocol.scored_rows import check_protocol, views
from experiments.metric_names import names_of, spelled
from experiments.metrics import GROUPED
from experiments.samples import Samples
from experiments.types import Clustering, Encoder, Findings

PLACE = "evaluator.macro_purity"


@dataclass(frozen=True)
class MacroPurity:
    """Purity, NMI, AMI and ARI against the groups that Ward's tree over the class means gives.

    In held_out the class means are of training rows alone. Suffixes as in `External`.

    Parameters
    ----------
    granularities
        Numbers of groups; more than there are classes is left out, with the reason in a table.
    seed
        Of the permutations behind the table's `chance`.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "reduced", "clustering")
    LABELLED: ClassVar[bool] = True
    VERSION: ClassVar[int] = 1

    protocol: str
    granularities: tuple[int, ...]
    seed: int

    def __post_init__(self) -> None:
        check_protocol(PLACE, self.protocol)
        check_granularities(PLACE, self.granularities)

    @property
    def METRICS(self) -> tuple[str, ...]:  # noqa: N802 (others have it as a constant)
        """Name the metrics that it gives wherever they are defined."""
        return names_of("macro_purity", self.granularities)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels, or a class has no mean."""
        check_classes(samples, PLACE, self.protocol)

    def evaluate(
        self,
        *,
        ctx: Context,
        samples: Samples,
        encoder: Encoder,
        reduced: np.ndarray,
        clustering: Clustering,
    ) -> Findings:
        """Score the assignments against each granularity; the table has purity's ceiling and chance too."""
        import pandas as pd

        self.check(samples)
        tree = class_tree(samples, reduced, self.protocol)
        labels, assignments = np.asarray(samples.labels), np.asarray(clustering.assignments)
        scored = list(views(samples, encoder.trained))
        found: dict[str, float] = {}
        rows: list[dict[str, Any]] = []
        for g in self.granularities:
            if note := too_fine(g, len(tree.classes)):
                rows.append({"categories": g, "suffix": "", "rows": 0, "note": note})
                continue
            groups = tree.categories(labels, g)
            for suffix, at, _ in scored:
                figures = {name: agreement.METRICS[name](groups[at], assignments[at]) for name in GROUPED}
                found |= {
                    spelled(f"{name}_macro_{{groups}}", str(g), rows=suffix): value
                    for name, value in figures.items()
                }
                ceiling = agreement.purity_ceiling(groups[at], assignments[at])
                level = chance(groups[at], assignments[at], self.seed, ["purity_chance"])
                row = {"categories": g, "suffix": suffix, "rows": len(at)} | figures
                rows.append(row | {"purity_ceiling": ceiling} | level | {"note": ""})
        about = pd.DataFrame([{"suffix": s, "rows": len(at), "about": note} for s, at, note in scored])
        return Findings(found, {"macro_purity": pd.DataFrame(rows), "macro_purity_rows": about})
