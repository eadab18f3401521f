"""How far the clusters agree with the labels."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures import agreement
from experiments.evaluator.measures.chance import chance
from experiments.evaluator.measures.majority import of_counts
from experiments.evaluator.measures.noise import share, treatments
from experiments.evaluator.protocol.scored_rows import views
from experiments.metric_names import names_of, spelled
from experiments.samples import Samples
from experiments.types import Clustering, Encoder, Findings, UnlabelledError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class External:
    """Every external metric on all rows, and on those alone that a trained backbone was not trained on.

    Suffix `_validation` (these rows chose when training stopped: not trained on, yet not unseen) or `_test`.
    Noise counts as one more cluster. Where there is some, `noise_share` stands beside, and before that suffix
    `_no_noise` (the rows in clusters alone) or `_noise_singletons` (each row of noise is a cluster).

    Parameters
    ----------
    seed
        Of the permutations behind the chance levels, such as `purity_chance`.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "clustering")
    LABELLED: ClassVar[bool] = False  # it tells of all samples how many are noise, and how large clusters are
    METRICS: ClassVar[tuple[str, ...]] = names_of("external")
    VERSION: ClassVar[int] = 3

    seed: int

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels."""
        if samples.labels is None:
            raise UnlabelledError(
                f"evaluator=external needs labels and {samples.name} has none; use evaluator=[internal], "
                "or bring labels with dataset.labels.path=..."
            )

    def evaluate(
        self, *, ctx: Context, samples: Samples, encoder: Encoder, clustering: Clustering
    ) -> Findings:
        """Score the assignments; the tables tell of each class, each cluster, and which rows were scored."""
        import pandas as pd

        self.check(samples)
        labels, assignments = np.asarray(samples.labels), np.asarray(clustering.assignments)
        scores: dict[str, float] = {}
        scored: list[dict[str, Any]] = []
        noisy, known = bool((assignments < 0).any()), labels >= 0
        training = samples.labelled_rows("training")
        for suffix, rows, note in views(samples, encoder.trained):
            scores |= {spelled(m, rows=suffix): value for m, value in share(assignments[rows]).items()}
            told = rows[known[rows]]
            note += f"; the {len(told)} of them that have a label" * (not known.all())
            for treatment in treatments(assignments):
                about, own = note + treatment.about, told[treatment.rows[told]]
                place = spelled("", "", treatment.suffix, suffix)
                if not len(own):
                    about = (
                        f"undefined: all {len(told)} rows are noise" if len(told) else "undefined: no labels"
                    )
                    log.warning("external figures with suffix %s are left out: %s", place, about)
                else:
                    found = self._score(labels[own], treatment.assignments[own])
                    if suffix:
                        fitted = training[treatment.rows[training]]
                        found["purity_mapped"] = agreement.purity_mapped(
                            labels, treatment.assignments, fitted, own
                        )
                    scores |= {spelled(m, "", treatment.suffix, suffix): value for m, value in found.items()}
                noise = {"noise": int((assignments[own] < 0).sum())} if noisy else {}
                scored.append({"suffix": place, "rows": len(own), **noise, "about": about})
        classes = _classes(samples.class_names, labels[known], assignments[known])
        clusters = _clusters(samples.class_names, labels, assignments)
        return Findings(
            scores, {"classes": classes, "clusters": clusters, "external_rows": pd.DataFrame(scored)}
        )

    def _score(self, labels: np.ndarray, assignments: np.ndarray) -> dict[str, float]:
        found = {name: metric(labels, assignments) for name, metric in agreement.METRICS.items()}
        return found | chance(labels, assignments, self.seed)


def _classes(names: tuple[str, ...], labels: np.ndarray, assignments: np.ndarray) -> "pd.DataFrame":
    """Describe each class by its main cluster."""
    import pandas as pd

    clusters, counts = np.unique(assignments), agreement.contingency(labels, assignments)
    table = {"class": np.array(names)[np.unique(labels)], "n": counts.sum(axis=1)}
    table |= {"main_cluster": clusters[counts.argmax(axis=1)], "share": counts.max(axis=1) / table["n"]}
    return pd.DataFrame(table)


def _clusters(names: tuple[str, ...], labels: np.ndarray, assignments: np.ndarray) -> "pd.DataFrame":
    """Describe each cluster by its majority class, of its rows that have a label: -1 is none.

    Where a cluster has several that are equally frequent, `tied_with` names the others.
    """
    import pandas as pd

    clusters, sizes = np.unique(assignments, return_counts=True)
    present = np.unique(labels)
    counts = agreement.contingency(labels, assignments)[present >= 0]
    known = counts.sum(axis=0)
    classes = [names[label] for label in present[present >= 0]]
    found = [of_counts(classes, column) for column in counts.T]
    table: dict[str, Any] = {"cluster": clusters, "size": sizes}
    table |= {"labelled": known} if (labels < 0).any() else {}
    table |= {"majority_class": [majority.first for majority in found]}
    if any(majority.tied for majority in found):
        table |= {"tied_with": [", ".join(majority.classes[1:]) for majority in found]}
    return pd.DataFrame(
        table | {"share": np.where(known > 0, [majority.share for majority in found], np.nan)}
    )
