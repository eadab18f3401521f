"""Explained variance of the first principal components of the embeddings."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.protocol.scored_rows import check_protocol, fit_rows
from experiments.figures import Lines, Scatter
from experiments.metric_names import names_of, spelled
from experiments.numerics.axes import Scaled
from experiments.samples import Samples
from experiments.types import Findings

LARGEST = 5  # number of classes to show if no class of `classes` exists


@dataclass(frozen=True)
class Variance:
    """Cumulative explained variance of the standardised embeddings; some classes on the first two axes.

    Parameters
    ----------
    components
        Numbers of components of the metrics; numbers above the available components are skipped.
    classes
        Names of classes to show; the five largest if none of them exists.
    seed
        Seed of the randomised decomposition for embeddings wider than 2,048, which computes 256 components.

    Source
    ------
    Halko, Martinsson, Tropp, "Finding structure with randomness", 2011 (randomised decomposition).
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "embeddings")
    LABELLED: ClassVar[bool] = False
    VERSION: ClassVar[int] = 2

    protocol: str
    components: tuple[int, ...]
    classes: tuple[str, ...]
    seed: int

    def __post_init__(self) -> None:
        check_protocol("evaluator.variance", self.protocol)
        if min(self.components, default=1) < 1:
            raise ValueError(
                f"evaluator.variance.components={list(self.components)} has a number below 1; use 1 or more"
            )

    @property
    def METRICS(self) -> tuple[str, ...]:  # noqa: N802 (a constant in other evaluators)
        """Return the names of all possible metrics."""
        return names_of("variance", self.components)

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, samples: Samples, embeddings: np.ndarray) -> Findings:
        """Decompose the rows that the protocol fits on; tables of the explained variance and of the rows."""
        import pandas as pd

        rows = fit_rows(samples, self.protocol)
        if not np.ptp(embeddings[rows], axis=0).any():
            raise ValueError(
                f"evaluator=variance got {len(rows)} equal rows, which have no variance; "
                "use a backbone that distinguishes them, or remove evaluator=variance"
            )
        scaled = Scaled.of(embeddings, rows)
        axes = scaled.axes(self.seed)
        cumulative = np.cumsum(axes.ratio)
        counts = [count for count in self.components if count <= len(cumulative)]
        explained = [cumulative[count - 1] for count in counts]
        shares = pd.DataFrame({"components": counts, "explained_variance": explained})
        kind = "training rows" if self.protocol == "held_out" else "all rows"
        curve = Lines(
            "Variance explained by the first components",
            "components",
            "cumulative share of the variance",
            list(range(1, len(cumulative) + 1)),
            {"explained variance": cumulative.tolist()},
            marks={str(count): float(count) for count in counts},
        )
        figures: dict[str, Any] = {"variance": curve}
        shown = self._shown(samples)
        if len(shown) and len(cumulative) > 1:
            points = scaled.values[shown] @ axes.components[:2].T
            names = np.asarray(samples.label_names)[shown].tolist()
            title = "Classes on the first two principal components"
            hover = samples.ids[shown].tolist()
            x, y = points.T.copy()
            figures["variance_classes"] = Scatter(title, "component 1", "component 2", x, y, names, hover)
        note = f"all rows of these classes; axes of {kind}" if len(shown) else "missing: no labels"
        about = [
            {"figure": "explained_variance", "rows": len(rows), "about": kind},
            {"figure": "variance_classes", "rows": len(shown), "about": note},
        ]
        name = "explained_variance_{components}"
        metrics = {spelled(name, str(count)): float(cumulative[count - 1]) for count in counts}
        return Findings(
            metrics, {"variance_explained": shares, "variance_rows": pd.DataFrame(about)}, figures
        )

    def _shown(self, samples: Samples) -> np.ndarray:
        """Return the rows of the classes to show; empty without labels."""
        if samples.labels is None:
            return np.empty(0, np.int64)
        labels = np.asarray(samples.labels)
        chosen = [label for label, name in enumerate(samples.class_names) if name in self.classes]
        rows = np.flatnonzero(np.isin(labels, chosen))
        if len(rows):
            return rows
        largest = np.argsort(-np.bincount(labels[samples.labelled]), kind="stable")[:LARGEST]
        return np.flatnonzero(np.isin(labels, largest))
