"""Logistic regression on standardised embeddings; equal fits of several evaluators are computed once."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.numerics.axes import Scaled
from experiments.store.keys import cache_key
from experiments.store.values import SavedFields

WEIGHTS = ("none", "balanced")


@dataclass(frozen=True, eq=False)
class Predictions(SavedFields):
    """Predicted labels of all rows, int64 (n,), and True if the fit converged."""

    predicted: np.ndarray
    iterations: int
    converged: bool

    def warnings(self, prefix: str) -> tuple[str, ...]:
        """Return a warning if the fit has not converged; `prefix` is the evaluator, as in settings."""
        text = (
            f"{prefix} has not converged after {self.iterations} iterations; its metrics may change with a "
        )
        return () if self.converged else (f"{text}larger max_iter",)


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression by L-BFGS.

    Parameters
    ----------
    C
        Inverse strength of the L2 penalty.
    class_weight
        `none`, or `balanced`: all classes have equal weight.
    components
        Number of principal components of the standardised values to fit on; None: the values themselves.
    max_iter, tolerance
        The fit ends after `max_iter` iterations, or when no gradient exceeds `tolerance`.
    seed
        Seed of the randomised decomposition for embeddings wider than 2,048.

    Source
    ------
    scikit-learn's LogisticRegression(solver="lbfgs").
    """

    VERSION: ClassVar[int] = 1

    C: float
    class_weight: str
    components: int | None
    max_iter: int
    tolerance: float
    seed: int

    def check(self, prefix: str) -> None:
        """Raise ValueError if a setting is out of range; `prefix` is the evaluator, as in settings."""
        if not 0 < self.C < np.inf:
            raise ValueError(f"{prefix}.C={self.C} is not above 0; use a number above 0, such as 0.1")
        if self.class_weight not in WEIGHTS:
            raise ValueError(
                f"{prefix}.class_weight={self.class_weight} is not an option; use {' or '.join(WEIGHTS)}"
            )
        if self.components is not None and self.components < 1:
            raise ValueError(
                f"{prefix}.components={self.components} is not a number of components; use 1 or more, or null"
            )
        if self.max_iter < 1:
            raise ValueError(f"{prefix}.max_iter={self.max_iter} fits nothing; use 1 or more")
        if not 0 < self.tolerance < np.inf:
            raise ValueError(
                f"{prefix}.tolerance={self.tolerance} is not above 0; use a number above 0, such as 1e-4"
            )

    def predict(
        self, prefix: str, features: Scaled, labels: np.ndarray, fitted: np.ndarray, ctx: Context
    ) -> Predictions:
        """Fit on the rows `fitted` and predict all n rows; cached by features, labels and rows."""
        rows, width = len(features.fit_rows), features.values.shape[1]
        most = min(rows, width)
        if self.components is not None and self.components > most:
            raise ValueError(
                f"{prefix}.components={self.components} exceeds min(n, d)={most} of {rows} rows of {width} "
                f"values; use {prefix}.components<={most}, or null"
            )
        key = cache_key("logistic", stage=self, features=features.key, labels=labels, rows=fitted)
        return ctx.store.fitted(key, lambda: self._fit(features, labels, fitted))

    def _fit(self, features: Scaled, labels: np.ndarray, fitted: np.ndarray) -> Predictions:
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        values = features.values
        with threadpool_limits(1):  # for equal results to the bit, however many fits run in parallel
            if self.components is not None:
                values = values @ features.axes(self.seed).components[: self.components].T
            weight = None if self.class_weight == "none" else self.class_weight
            model = LogisticRegression(
                C=self.C, class_weight=weight, max_iter=self.max_iter, tol=self.tolerance
            ).fit(values[fitted], labels[fitted])
            predicted = np.asarray(model.predict(values), np.int64)
        iterations = int(model.n_iter_.max())
        return Predictions(predicted, iterations, iterations < self.max_iter)
