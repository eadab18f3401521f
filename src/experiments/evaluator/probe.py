"""How well a linear classifier tells the classes apart: the supervised upper bound."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.logistic import Logistic, Predictions
from experiments.evaluator.protocol.scored_rows import (
    View,
    check_protocol,
    check_scored,
    sides,
    suffixes,
    trained_on,
    visible,
)
from experiments.figures import Histogram
from experiments.metric_names import names_of, spelled
from experiments.numerics.axes import Scaled
from experiments.samples import Samples
from experiments.types import Encoder, Findings

if TYPE_CHECKING:
    import pandas as pd

EXTREMES = 10  # classes in the tables of the best and the worst
BINS = 20


@dataclass(frozen=True)
class Probe:
    """Logistic regression on standardised embeddings, scored on rows that it was not fitted on.

    `<name>_accuracy` and its like are about all rows that the protocol scores; in held_out `_validation` and
    `_test` are about those alone. `<name>_gap` is the training accuracy above it; `<name>_scored` counts the
    scored rows, and `<name>_trained_on` is the share of them that the backbone was trained on: above 0 the
    figures are too good.

    Under `protocol=published` mean and variance, and the components of `components`, come from all rows, the
    scored ones among them, as in the study; in `held_out` from the training rows alone.

    Parameters
    ----------
    name
        What its figures begin with, so that several probes stand side by side.
    C, class_weight, components, max_iter, tolerance
        See `Logistic`.
    seed
        Of the published protocol's own 80/20 split.
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
        check_protocol(self._place, self.protocol)
        self._logistic.check(self._place)

    @property
    def METRICS(self) -> tuple[str, ...]:  # noqa: N802 (others have it as a constant)
        """Name the metrics that it gives wherever they are defined."""
        return names_of("probe", [self.name], suffixes(self.protocol))

    @property
    def _place(self) -> str:
        return f"evaluator.{self.name}"

    @property
    def _about(self) -> str:
        weights = "" if self.class_weight == "none" else f", {self.class_weight}"
        values = "" if self.components is None else f", {self.components} components"
        return f"{self.name} (C={self.C:g}{weights}{values})"

    @property
    def _logistic(self) -> Logistic:
        return Logistic(self.C, self.class_weight, self.components, self.max_iter, self.tolerance, self.seed)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels, or nothing to fit on or to score."""
        check_scored(samples, self._place, self.protocol)

    def evaluate(
        self, *, ctx: Context, samples: Samples, encoder: Encoder, embeddings: np.ndarray
    ) -> Findings:
        """Fit once; the tables tell of each class, and which rows were scored."""
        import pandas as pd

        self.check(samples)
        labels = np.asarray(samples.labels)
        train, scored = sides(samples, encoder, self.protocol, self.seed)
        features = Scaled.of(embeddings, visible(samples, self.protocol))
        found = self._logistic.predict(self._place, features, labels, train.rows, ctx)
        about = [{"suffix": v.suffix, "rows": len(v.rows), "about": v.about} for v in (train, *scored)]
        classes = _classes(samples.class_names, labels, found.predicted, train, scored[0])
        told = classes.dropna()
        order = told.sort_values(["accuracy", "n"], ascending=False, kind="stable")
        tables = {
            "classes": classes,
            "best": order.head(EXTREMES),
            "worst": order[::-1].head(EXTREMES),
            "rows": pd.DataFrame(about),
        }
        each = told["accuracy"].to_numpy()
        metrics = _metrics(labels, found, train, scored)
        known = trained_on(samples, encoder, scored[0].rows)
        once = {"class_mean": each.mean(), "class_median": np.median(each), "class_std": each.std()}
        once |= {"scored": len(scored[0].rows), "trained_on": known / len(scored[0].rows)}
        metrics |= {(metric, ""): value for metric, value in once.items()}
        title = f"Accuracy of each class, {self._about}, on {len(scored[0].rows):,} rows"
        return Findings(
            {self._spelled(*metric): float(value) for metric, value in metrics.items()},
            {f"{self.name}_{table}": rows.reset_index(drop=True) for table, rows in tables.items()},
            {f"{self.name}_classes": Histogram(title, "accuracy of a class", each, BINS)},
            (*found.doubts(self._place), *self._leak(known, len(scored[0].rows))),
        )

    def _spelled(self, metric: str, rows: str) -> str:
        return spelled(f"{{probe}}_{metric}", self.name, rows=rows)

    def _leak(self, known: int, rows: int) -> tuple[str, ...]:
        """Say so if the backbone was trained on scored rows."""
        what = (
            f"{self._place} is scored on {rows} rows, {known} of which the backbone was trained on: too good"
        )
        return (f"{what} (protocol={self.protocol})",) if known else ()


def _metrics(
    labels: np.ndarray, found: Predictions, train: View, scored: list[View]
) -> dict[tuple[str, str], float]:
    """Return the metrics by what they are and the suffix of their rows."""
    trained = float((found.predicted == labels)[train.rows].mean())
    metrics = {("train_accuracy", ""): trained}
    for view in scored:
        of_rows = scores(labels[view.rows], found.predicted[view.rows])
        of_rows["gap"] = trained - of_rows["accuracy"]
        metrics |= {(metric, view.suffix): value for metric, value in of_rows.items()}
    return metrics | {("iterations", ""): found.iterations, ("converged", ""): found.converged}


def scores(labels: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """Return accuracy, and means over classes and rows of precision, recall and F1; 0 where undefined."""
    from sklearn.metrics import precision_recall_fscore_support

    figures = {"accuracy": float(np.mean(labels == predicted))}
    for average in ("macro", "weighted"):
        found = precision_recall_fscore_support(labels, predicted, average=average, zero_division=0)
        named = zip(("precision", "recall", "f1"), found[:3], strict=True)
        figures |= {f"{average}_{figure}": float(value) for figure, value in named}
    return figures


def _classes(
    names: tuple[str, ...], labels: np.ndarray, predicted: np.ndarray, train: View, scored: View
) -> "pd.DataFrame":
    """Return one row per class: rows fitted on, rows scored, and accuracy on these (nan without any)."""
    import pandas as pd

    present = np.unique(labels)
    fitted, n = (np.bincount(labels[v.rows], minlength=len(names))[present] for v in (train, scored))
    hits = np.bincount(labels[scored.rows], (labels == predicted)[scored.rows], minlength=len(names))[present]
    accuracy = np.divide(hits, n, out=np.full(len(n), np.nan), where=n > 0)
    return pd.DataFrame({"class": np.array(names)[present], "fitted": fitted, "n": n, "accuracy": accuracy})
