"""Agreement of clusters and labels."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures import agreement
from experiments.evaluator.measures.chance import chance
from experiments.evaluator.measures.majority import of_counts
from experiments.evaluator.measures.noise import share, treatments
from experiments.evaluator.protocol.scored_rows import scored_subsets
from experiments.metric_names import names_of, spelled
from experiments.samples import Samples
from experiments.types import Clustering, Encoder, Findings, UnlabelledError

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class External:
    """Every external metric on all rows and, if the backbone was trained, on validation and test rows.

    Suffixes `_validation` (these rows decided when training stopped: not trained on, but not unseen) and
    `_test`. Noise counts as one more cluster. If there is noise, there are also `noise_share`, and metrics
    with suffix `_no_noise` (rows in clusters only) and `_noise_singletons` (each row of noise is its own
    cluster).

    Parameters
    ----------
    seed
        Seed of the permutations for chance levels, such as `purity_chance`.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "clustering")
    LABELLED: ClassVar[bool] = False  # these use all samples
    OPTIONAL: ClassVar[bool] = True  # in the default config and most presets, whether there are labels or not
    METRICS: ClassVar[tuple[str, ...]] = names_of("external")
    VERSION: ClassVar[int] = 3

    seed: int

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels."""
        if samples.labels is None:
            raise UnlabelledError(
                f"evaluator=external needs labels and {samples.name} has none; use evaluator=[internal], "
                "or add labels with dataset.labels.path=..."
            )

    def evaluate(
        self, *, ctx: Context, samples: Samples, encoder: Encoder, clustering: Clustering
    ) -> Findings:
        """Score the assignments; tables of classes, clusters and scored rows."""
        import pandas as pd

        self.check(samples)
        labels, assignments = np.asarray(samples.labels), np.asarray(clustering.assignments)
        scores: dict[str, float] = {}
        scored: list[dict[str, Any]] = []
        noisy, known = bool((assignments < 0).any()), labels >= 0
        training = samples.labelled_rows("training")
        for suffix, rows, note in scored_subsets(samples, encoder.trained):
            scores |= {spelled(m, rows=suffix): value for m, value in share(assignments[rows]).items()}
            labelled = rows[known[rows]]
            note += f"; the {len(labelled)} of them that have a label" * (not known.all())
            for treatment in treatments(assignments):
                about, subset = note + treatment.about, labelled[treatment.rows[labelled]]
                full_suffix = spelled("", "", treatment.suffix, suffix)
                if not len(subset):
                    all_noise = f"undefined: all {len(labelled)} rows are noise"
                    about = all_noise if len(labelled) else "undefined: no labels"
                    log.warning("external metrics with suffix %s are missing: %s", full_suffix, about)
                else:
                    values = self._score(labels[subset], treatment.assignments[subset])
                    if suffix:
                        fitted = training[treatment.rows[training]]
                        values["purity_mapped"] = agreement.purity_mapped(
                            labels, treatment.assignments, fitted, subset
                        )
                    scores |= {spelled(m, "", treatment.suffix, suffix): value for m, value in values.items()}
                noise = {"noise": int((assignments[subset] < 0).sum())} if noisy else {}
                scored.append({"suffix": full_suffix, "rows": len(subset), **noise, "about": about})
        classes = _classes(samples.class_names, labels[known], assignments[known])
        clusters = _clusters(samples.class_names, labels, assignments)
        return Findings(
            scores, {"classes": classes, "clusters": clusters, "external_rows": pd.DataFrame(scored)}
        )

    def _score(self, labels: np.ndarray, assignments: np.ndarray) -> dict[str, float]:
        values = {name: metric(labels, assignments) for name, metric in agreement.METRICS.items()}
        return values | chance(labels, assignments, self.seed)


def _classes(names: tuple[str, ...], labels: np.ndarray, assignments: np.ndarray) -> "pd.DataFrame":
    """Return a table of the classes: size, main cluster, and share of the class in it."""
    import pandas as pd

    clusters, counts = np.unique(assignments), agreement.contingency(labels, assignments)
    table = {"class": np.array(names)[np.unique(labels)], "n": counts.sum(axis=1)}
    table |= {"main_cluster": clusters[counts.argmax(axis=1)], "share": counts.max(axis=1) / table["n"]}
    return pd.DataFrame(table)


def _clusters(names: tuple[str, ...], labels: np.ndarray, assignments: np.ndarray) -> "pd.DataFrame":
    """Return a table of the clusters: size, and majority class of the labelled rows.

    `tied_with` has the equally frequent classes; the column is missing without ties.
    """
    import pandas as pd

    clusters, sizes = np.unique(assignments, return_counts=True)
    present = np.unique(labels)
    counts = agreement.contingency(labels, assignments)[present >= 0]
    known = counts.sum(axis=0)
    classes = [names[label] for label in present[present >= 0]]
    majorities = [of_counts(classes, column) for column in counts.T]
    table: dict[str, Any] = {"cluster": clusters, "size": sizes}
    table |= {"labelled": known} if (labels < 0).any() else {}
    table |= {"majority_class": [majority.first for majority in majorities]}
    if any(majority.tied for majority in majorities):
        table |= {"tied_with": [", ".join(majority.classes[1:]) for majority in majorities]}
    return pd.DataFrame(
        table | {"share": np.where(known > 0, [majority.share for majority in majorities], np.nan)}
    )
