"""Logistic regression on standardised embeddings, fitted once for whoever asks for the same one."""

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
    """What a fit says of every row: int64 (n,); and how the fit ended."""

    predicted: np.ndarray
    iterations: int
    converged: bool

    def doubts(self, place: str) -> tuple[str, ...]:
        """Say so if the fit has not converged."""
        why = f"{place} has not converged after {self.iterations} iterations; its figures may change with a "
        return () if self.converged else (f"{why}larger max_iter",)


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression by L-BFGS.

    Parameters
    ----------
    C
        Inverse strength of the L2 penalty.
    class_weight
        `none`, or `balanced`: a class weighs as much as any other.
    components
        Principal components of the standardised values to fit on; None: the values themselves.
    max_iter, tolerance
        It ends after so many iterations, or when no gradient is larger.
    seed
        Of the decomposition beyond 2,048 values.

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

    def check(self, place: str) -> None:
        """Raise ValueError for a setting that cannot be."""
        if not 0 < self.C < np.inf:
            raise ValueError(f"{place}.C={self.C} is no strength; use a number above 0, such as 0.1")
        if self.class_weight not in WEIGHTS:
            raise ValueError(
                f"{place}.class_weight={self.class_weight} is not an option; use {' or '.join(WEIGHTS)}"
            )
        if self.components is not None and self.components < 1:
            raise ValueError(f"{place}.components={self.components} is no number; use 1 or more, or null")
        if self.max_iter < 1:
            raise ValueError(f"{place}.max_iter={self.max_iter} fits nothing; use 1 or more")
        if not 0 < self.tolerance < np.inf:
            raise ValueError(f"{place}.tolerance={self.tolerance} is never reached; use 1e-4 or so")

    def predict(
        self, place: str, features: Scaled, labels: np.ndarray, fitted: np.ndarray, ctx: Context
    ) -> Predictions:
        """Fit on the `fitted` rows and predict all n; kept by the content of what it is given."""
        rows, width = len(features.visible), features.values.shape[1]
        most = min(rows, width)
        if self.components is not None and self.components > most:
            raise ValueError(
                f"{place}.components={self.components} exceeds min(n, d)={most} of {rows} rows of {width} "
                f"values; use {place}.components<={most}, or null"
            )
        key = cache_key("logistic", stage=self, features=features.key, labels=labels, rows=fitted)
        return ctx.store.fitted(key, lambda: self._fit(features, labels, fitted))

    def _fit(self, features: Scaled, labels: np.ndarray, fitted: np.ndarray) -> Predictions:
        from sklearn.linear_model import LogisticRegression
        from threadpoolctl import threadpool_limits

        values = features.values
        with threadpool_limits(1):  # so that it finds the same, bit for bit, whatever runs beside it
            if self.components is not None:
                values = values @ features.axes(self.seed).components[: self.components].T
            weight = None if self.class_weight == "none" else self.class_weight
            model = LogisticRegression(
                C=self.C, class_weight=weight, max_iter=self.max_iter, tol=self.tolerance
            ).fit(values[fitted], labels[fitted])
            predicted = np.asarray(model.predict(values), np.int64)
        iterations = int(model.n_iter_.max())
        return Predictions(predicted, iterations, iterations < self.max_iter)
