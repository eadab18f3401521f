"""Several reducers, one after another."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.messages import keys_within
from experiments.store.values import class_name, load_saved_class
from experiments.types import Projection, Reducer


@dataclass(frozen=True, eq=False)
class ChainProjection:
    """Projections, each of what the one before it gives."""

    steps: tuple[Projection, ...]

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, p)."""
        for projection in self.steps:
            embeddings = projection.transform(embeddings)
        return embeddings

    def save(self, folder: Path) -> None:
        """Write each projection into a folder of its own."""
        kinds = []
        for place, projection in enumerate(self.steps):
            (folder / str(place)).mkdir()
            projection.save(folder / str(place))
            kinds.append(class_name(projection))
        (folder / "steps.json").write_text(json.dumps(kinds), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ChainProjection":
        """Read what `save` wrote."""
        steps = []
        for place, kind in enumerate(json.loads((folder / "steps.json").read_text(encoding="utf-8"))):
            steps.append(load_saved_class(kind, folder, "transform").load(folder / str(place)))
        return cls(tuple(steps))


@dataclass(frozen=True)
class Chain:
    """Fit reducers one after another, each on what the one before it gives.

    Parameters
    ----------
    steps
        Names and reducers, in order; a name may stand more than once. Each is kept by itself, so that a
        change of the last repeats that alone.
    """

    VERSION: ClassVar[int] = 2

    steps: tuple[Any, ...] = field(metadata={"steps": "reducer"})

    def width(self, n: int, d: int) -> int:
        """Return the width that the last step gives; raise ValueError naming the step that cannot be."""
        for name, step in self.steps:
            with keys_within("reducer", name):
                d = step.width(n, d)
        return d

    def fit(self, embeddings: np.ndarray, ctx: Context) -> ChainProjection:
        """Fit float32 (m, d), with the steps from the store that any run left there."""
        fitted: list[Projection] = []
        for name, step in self.steps:
            with keys_within("reducer", name):
                fitted.append(ctx.fitted(step, self._fit_of(step, tuple(fitted), embeddings, ctx)))
            ctx = ctx.with_input(ctx.key(step))
        return ChainProjection(tuple(fitted))

    def _fit_of(
        self, step: Reducer, before: tuple[Projection, ...], embeddings: np.ndarray, ctx: Context
    ) -> Any:
        return lambda: step.fit(ChainProjection(before).transform(embeddings), ctx)
