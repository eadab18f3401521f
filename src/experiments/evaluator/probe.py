"""Linear probe: accuracy of a linear classifier on the embeddings, a supervised upper bound."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.logistic import Logistic, Predictions
from experiments.evaluator.protocol.scored_rows import (
    Subset,
    check_protocol,
    check_scored,
    fit_and_score_rows,
    fit_rows,
    suffixes,
    trained_on,
)
from experiments.figures import Histogram
from experiments.metric_names import names_of, spelled
from experiments.numerics.axes import Scaled
from experiments.samples import Samples
from experiments.types import Encoder, Findings

if TYPE_CHECKING:
    import pandas as pd

EXTREMES = 10  # number of best and of worst classes in the tables
BINS = 20  # bins of the histogram


@dataclass(frozen=True)
class Probe:
    """Logistic regression on standardised embeddings, scored on other rows than those of the fit.

    Metrics without suffix, such as `<name>_accuracy`, are of all scored rows; under `protocol=held_out`
    there are also `_validation` and `_test`. `<name>_gap` is training accuracy minus accuracy,
    `<name>_scored` the number of scored rows, `<name>_trained_on` the share of them that the backbone was
    trained on: above 0, the metrics are too good.

    Under `protocol=published` the mean, variance and principal components are of all rows, including scored
    ones, as in the study; under `protocol=held_out` of training rows only.

    Parameters
    ----------
    name
        Prefix of its metrics, so that a run can have several probes.
    C, class_weight, components, max_iter, tolerance
        See `Logistic`.
    seed
        Seed of the published protocol's 80/20 split.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "embeddings")
    LABELLED: ClassVar[bool] = True
    VERSION: ClassVar[int] = 3

    name: str
    protocol: str
    C: float
    class_weight: str
    components: int | None
    max_iter: int
    tolerance: float
    seed: int

    def __post_init__(self) -> None:
        check_protocol(self._prefix, self.protocol)
        self._logistic.check(self._prefix)

    @property
    def METRICS(self) -> tuple[str, ...]:  # noqa: N802 (a constant in other evaluators)
        """Return the names of all possible metrics."""
        return names_of("probe", [self.name], suffixes(self.protocol))

    @property
    def _prefix(self) -> str:
        return f"evaluator.{self.name}"

    @property
    def _title(self) -> str:
        weights = "" if self.class_weight == "none" else f", {self.class_weight}"
        values = "" if self.components is None else f", {self.components} components"
        return f"{self.name} (C={self.C:g}{weights}{values})"

    @property
    def _logistic(self) -> Logistic:
        return Logistic(self.C, self.class_weight, self.components, self.max_iter, self.tolerance, self.seed)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels, or no rows to fit on or to score."""
        check_scored(samples, self._prefix, self.protocol)

    def evaluate(
        self, *, ctx: Context, samples: Samples, encoder: Encoder, embeddings: np.ndarray
    ) -> Findings:
        """Fit and score the probe; tables of the classes and of the scored rows."""
        import pandas as pd

        self.check(samples)
        labels = np.asarray(samples.labels)
        train, scored = fit_and_score_rows(samples, encoder, self.protocol, self.seed)
        features = Scaled.of(embeddings, fit_rows(samples, self.protocol))
        predictions = self._logistic.predict(self._prefix, features, labels, train.rows, ctx)
        about = [{"suffix": v.suffix, "rows": len(v.rows), "about": v.about} for v in (train, *scored)]
        classes = _classes(samples.class_names, labels, predictions.predicted, train, scored[0])
        scored_classes = classes.dropna()
        order = scored_classes.sort_values(["accuracy", "n"], ascending=False, kind="stable")
        tables = {
            "classes": classes,
            "best": order.head(EXTREMES),
            "worst": order[::-1].head(EXTREMES),
            "rows": pd.DataFrame(about),
        }
        accuracies = scored_classes["accuracy"].to_numpy()
        metrics = _metrics(labels, predictions, train, scored)
        known = trained_on(samples, encoder, scored[0].rows)
        further = {"class_mean": accuracies.mean(), "class_median": np.median(accuracies)}
        further |= {"class_std": accuracies.std()}
        further |= {"scored": len(scored[0].rows), "trained_on": known / len(scored[0].rows)}
        metrics |= {(metric, ""): value for metric, value in further.items()}
        title = f"Accuracy of each class, {self._title}, on {len(scored[0].rows):,} rows"
        return Findings(
            {self._spelled(*metric): float(value) for metric, value in metrics.items()},
            {f"{self.name}_{table}": rows.reset_index(drop=True) for table, rows in tables.items()},
            {f"{self.name}_classes": Histogram(title, "accuracy of a class", accuracies, BINS)},
            (*predictions.warnings(self._prefix), *self._leak(known, len(scored[0].rows))),
        )

    def _spelled(self, metric: str, rows: str) -> str:
        return spelled(f"{{probe}}_{metric}", self.name, rows=rows)

    def _leak(self, known: int, rows: int) -> tuple[str, ...]:
        """Return a warning if the backbone was trained on scored rows."""
        if not known:
            return ()
        text = f"{self._prefix}: metrics are too good (protocol={self.protocol}), as the backbone was trained"
        return (f"{text} on {known} of {rows} scored rows",)


def _metrics(
    labels: np.ndarray, predictions: Predictions, train: Subset, scored: list[Subset]
) -> dict[tuple[str, str], float]:
    """Return the metrics by name and suffix of their rows."""
    predicted = predictions.predicted
    train_accuracy = float((predicted == labels)[train.rows].mean())
    metrics = {("train_accuracy", ""): train_accuracy}
    for subset in scored:
        values = scores(labels[subset.rows], predicted[subset.rows])
        values["gap"] = train_accuracy - values["accuracy"]
        metrics |= {(metric, subset.suffix): value for metric, value in values.items()}
    return metrics | {("iterations", ""): predictions.iterations, ("converged", ""): predictions.converged}


def scores(labels: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return accuracy, and macro and weighted precision, recall and F1; 0 if undefined."""
    from sklearn.metrics import precision_recall_fscore_support

    values = {"accuracy": float(np.mean(labels == predicted))}
    for average in ("macro", "weighted"):
        averages = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        named = zip(("precision", "recall", "f1"), averages[:3], strict=True)
        values |= {f"{average}_{name}": float(value) for name, value in named}
    return values


def _classes(
    names: tuple[str, ...], labels: np.ndarray, predicted: np.ndarray, train: Subset, scored: Subset
) -> "pd.DataFrame":
    """Return a table of the classes: rows fitted on, rows scored, and accuracy on these (nan without any)."""
    import pandas as pd

    present = np.unique(labels)
    fitted, n = (np.bincount(labels[v.rows], minlength=len(names))[present] for v in (train, scored))
    hits = np.bincount(labels[scored.rows], (labels == predicted)[scored.rows], minlength=len(names))[present]
    accuracy = np.divide(hits, n, out=np.full(len(n), np.nan), where=n > 0)
    return pd.DataFrame({"class": np.array(names)[present], "fitted": fitted, "n": n, "accuracy": accuracy})
