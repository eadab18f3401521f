"""How much of the embeddings' variance their first principal components hold."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.protocol.scored_rows import check_protocol, visible
from experiments.figures import Lines, Scatter
from experiments.metric_names import names_of, spelled
from experiments.numerics.axes import Scaled
from experiments.samples import Samples
from experiments.types import Findings

LARGEST = 5  # classes that are shown where none of those chosen exists


@dataclass(frozen=True)
class Variance:
    """Cumulative explained variance of the standardised embeddings, and some classes on the first two axes.

    Parameters
    ----------
    components
        Numbers of components to tell it for; more than there are is left out.
    classes
        Names of classes to show; the five largest if none of them exists.
    seed
        Used beyond 2,048 embedding values, where 256 components are found by randomised projections.

    Source
    ------
    Halko, Martinsson, Tropp, "Finding structure with randomness", 2011 (the randomised one).
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
                f"evaluator.variance.components={list(self.components)} holds less than one; use 1 or more"
            )

    @property
    def METRICS(self) -> tuple[str, ...]:  # noqa: N802 (others have it as a constant)
        """Name the metrics that it gives wherever they are defined."""
        return names_of("variance", self.components)

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, samples: Samples, embeddings: np.ndarray) -> Findings:
        """Decompose the rows that may be seen; the tables tell the shares, and which rows they are about."""
        import pandas as pd

        seen = visible(samples, self.protocol)
        if not np.ptp(embeddings[seen], axis=0).any():
            raise ValueError(
                f"evaluator=variance was given {len(seen)} equal rows, which have no variance; "
                "use a backbone that tells them apart, or leave evaluator=variance out"
            )
        scaled = Scaled.of(embeddings, seen)
        axes = scaled.axes(self.seed)
        held = np.cumsum(axes.ratio)
        told = [count for count in self.components if count <= len(held)]
        shares = pd.DataFrame({"components": told, "explained_variance": [held[p - 1] for p in told]})
        kind = "training rows" if self.protocol == "held_out" else "all rows"
        curve = Lines(
            "Variance that the first components hold",
            "components",
            "cumulative share of the variance",
            list(range(1, len(held) + 1)),
            {"explained variance": held.tolist()},
            marks={str(count): float(count) for count in told},
        )
        figures: dict[str, Any] = {"variance": curve}
        shown = self._shown(samples)
        if len(shown) and len(held) > 1:
            points = scaled.values[shown] @ axes.components[:2].T
            names = np.asarray(samples.label_names)[shown].tolist()
            title = "Classes on the first two principal components"
            hover = samples.ids[shown].tolist()
            x, y = points.T.copy()
            figures["variance_classes"] = Scatter(title, "component 1", "component 2", x, y, names, hover)
        note = f"all rows of these classes; axes of {kind}" if len(shown) else "left out: no labels"
        about = [
            {"figure": "explained_variance", "rows": len(seen), "about": kind},
            {"figure": "variance_classes", "rows": len(shown), "about": note},
        ]
        explained = "explained_variance_{components}"
        metrics = {spelled(explained, str(count)): float(held[count - 1]) for count in told}
        return Findings(
            metrics, {"variance_explained": shares, "variance_rows": pd.DataFrame(about)}, figures
        )

    def _shown(self, samples: Samples) -> np.ndarray:
        """Return the rows of the classes to show; none without labels."""
        if samples.labels is None:
            return np.empty(0, np.int64)
        labels = np.asarray(samples.labels)
        chosen = [label for label, name in enumerate(samples.class_names) if name in self.classes]
        rows = np.flatnonzero(np.isin(labels, chosen))
        if len(rows):
            return rows
        largest = np.argsort(-np.bincount(labels[samples.labelled]), kind="stable")[:LARGEST]
        return np.flatnonzero(np.isin(labels, largest))
