"""How far the clusters agree with the labels."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from experiments.evaluator.measures import metrics
from experiments.evaluator.measures.chance import chance
from experiments.evaluator.measures.noise import TREATMENTS, share, treatments
from experiments.evaluator.rows import SUFFIXES, views
from experiments.kept import Findings
from experiments.types import Clustering, Context, Encoder, Samples, UnlabelledError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

CHANCE = ("acc_chance", "nmi_chance", "purity_chance")


@dataclass(frozen=True)
class External:
    """Every external metric on all rows, and on those alone that a trained backbone was not trained on.

    Suffix `_validation` (these rows chose when training stopped: not trained on, yet not unseen) or `_test`.
    Noise counts as one more cluster. Where there is some, `noise_share` stands beside, and before that suffix
    `_no_noise` (the rows in clusters alone) or `_noise_singletons` (each row of noise is a cluster).

    Parameters
    ----------
    seed
        Of the permutations behind `acc_chance`, `nmi_chance` and `purity_chance`.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "clustering")
    LABELLED: ClassVar[bool] = True
    METRICS: ClassVar[tuple[str, ...]] = (
        *(
            f"{name}{treatment}{suffix}"
            for treatment in TREATMENTS
            for suffix in SUFFIXES
            for name in (*metrics.METRICS, *CHANCE, *(["purity_mapped"] if suffix else []))
        ),
        *(f"noise_share{suffix}" for suffix in SUFFIXES),
    )
    VERSION: ClassVar[int] = 2

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
        noisy = bool((assignments < 0).any())
        training = samples.rows("training")
        for suffix, rows, note in views(samples, encoder.trained):
            scores |= {f"{name}{suffix}": value for name, value in share(assignments[rows]).items()}
            for treatment in treatments(assignments):
                about, own = note + treatment.about, rows[treatment.rows[rows]]
                place = treatment.suffix + suffix
                if not len(own):
                    about = f"undefined: all {len(rows)} rows are noise"
                    log.warning("external figures with suffix %s are left out: %s", place, about)
                else:
                    found = self._score(labels[own], treatment.assignments[own])
                    if suffix:
                        known = training[treatment.rows[training]]
                        found["purity_mapped"] = metrics.purity_mapped(
                            labels, treatment.assignments, known, own
                        )
                    scores |= {name + place: value for name, value in found.items()}
                noise = {"noise": int((assignments[own] < 0).sum())} if noisy else {}
                scored.append({"suffix": place, "rows": len(own), **noise, "about": about})
        classes, clusters = _tables(samples.class_names, labels, assignments)
        return Findings(
            scores, {"classes": classes, "clusters": clusters, "external_rows": pd.DataFrame(scored)}
        )

    def _score(self, labels: np.ndarray, assignments: np.ndarray) -> dict[str, float]:
        found = {name: metric(labels, assignments) for name, metric in metrics.METRICS.items()}
        return found | chance(labels, assignments, self.seed)


def _tables(
    names: tuple[str, ...], labels: np.ndarray, assignments: np.ndarray
) -> "tuple[pd.DataFrame, pd.DataFrame]":
    """Describe each class by its main cluster, and each cluster by its majority class."""
    import pandas as pd

    classes, class_of = np.unique(labels, return_inverse=True)
    clusters, cluster_of = np.unique(assignments, return_inverse=True)
    table = np.zeros((len(classes), len(clusters)), np.int64)
    np.add.at(table, (class_of, cluster_of), 1)
    per_class = {
        "class": np.array(names)[classes],
        "n": table.sum(axis=1),
        "main_cluster": clusters[table.argmax(axis=1)],
        "share": table.max(axis=1) / table.sum(axis=1),
    }
    per_cluster = {
        "cluster": clusters,
        "size": table.sum(axis=0),
        "majority_class": np.array(names)[classes[table.argmax(axis=0)]],
        "share": table.max(axis=0) / table.sum(axis=0),
    }
    return pd.DataFrame(per_class), pd.DataFrame(per_cluster)
