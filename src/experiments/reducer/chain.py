"""Several reducers, one after another."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.messages import StageError
from experiments.store.values import class_name, load_saved_class
from experiments.types import Projection, Reducer


@dataclass(frozen=True, eq=False)
class ChainProjection:
    """Projections applied one after another."""

    steps: tuple[Projection, ...]

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, p)."""
        for projection in self.steps:
            embeddings = projection.transform(embeddings)
        return embeddings

    def save(self, folder: Path) -> None:
        """Write each projection into its own folder, and their classes into steps.json."""
        kinds = []
        for position, projection in enumerate(self.steps):
            (folder / str(position)).mkdir()
            projection.save(folder / str(position))
            kinds.append(class_name(projection))
        (folder / "steps.json").write_text(json.dumps(kinds), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "ChainProjection":
        """Read what `save` wrote."""
        steps = []
        for position, kind in enumerate(json.loads((folder / "steps.json").read_text(encoding="utf-8"))):
            steps.append(load_saved_class(kind, folder, "transform").load(folder / str(position)))
        return cls(tuple(steps))


@dataclass(frozen=True)
class Chain:
    """Fit reducers one after another, each on the output of the previous one.

    Parameters
    ----------
    steps
        Names and reducers, in order; a name may occur more than once. Each fitted step is cached, so a
        change of the last step refits only that one.
    """

    VERSION: ClassVar[int] = 2

    steps: tuple[Any, ...] = field(metadata={"steps": "reducer"})

    def width(self, n: int, d: int) -> int:
        """Return the output width of the last step; raise ValueError that names an impossible step."""
        for name, step in self.steps:
            try:
                d = step.width(n, d)
            except StageError as error:
                raise error.of_step(name) from None
        return d

    def fit(self, embeddings: np.ndarray, ctx: Context) -> ChainProjection:
        """Fit the steps on float32 (m, d); reuse cached ones."""
        fitted: list[Projection] = []
        for _, step in self.steps:
            fitted.append(ctx.fitted(step, self._fit_function(step, tuple(fitted), embeddings, ctx)))
            ctx = ctx.with_input(ctx.key(step))
        return ChainProjection(tuple(fitted))

    def _fit_function(
        self, step: Reducer, previous: tuple[Projection, ...], embeddings: np.ndarray, ctx: Context
    ) -> Any:
        return lambda: step.fit(ChainProjection(previous).transform(embeddings), ctx)
