"""What flows between the stages, and what each stage promises.

n samples, d embedding width, p reduced width, k clusters, c classes. `labels` are truth, `assignments`
are predicted cluster ids, -1 is noise.

A stage is a frozen dataclass: its fields are its settings, and its `VERSION`, an int, is raised when equal
settings give another result. What it fits is a frozen dataclass too, best a `SavedFields`, which saves and loads
itself; backbone/pixels.py is the shortest example of both.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from experiments.context import Context
from experiments.figures import Figure
from experiments.samples import Resize, Samples
from experiments.store.values import Saveable, class_name, load_saved_class

if TYPE_CHECKING:
    import pandas as pd


def step_name(option: str, model: object = None) -> str:
    """Return what reports call a step: the network that its setting `model` names, else its option."""
    return Path(str(model)).name.removesuffix(".json") if model else option


class Encoder(Saveable, Protocol):
    """A fitted backbone.

    `history` has one row per epoch; `trained` says whether it learnt from the labels of the training
    rows; `stopped` is empty, or says where a safety stop ended a training that is not finished.
    """

    history: tuple[dict[str, float], ...]
    trained: bool
    stopped: str

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return float32 (n, d)."""


class Projection(Saveable, Protocol):
    """A fitted reducer."""

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, p)."""


class Clustering(Saveable, Protocol):
    """A fitted clusterer: assignments int64 (n,), -1 is noise; the rest may be None."""

    assignments: np.ndarray
    probabilities: np.ndarray | None
    centroids: np.ndarray | None
    inertia: float | None

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put float32 (m, p) into the existing clusters: ids int64 (m,) and distance float32 (m,)."""


@dataclass(frozen=True, eq=False)
class Findings:
    """What an evaluator found: numbers by metric name, tables and pictures by file name without ending.

    `warnings` say what makes a number doubtful; they are given again whenever the findings are read.
    """

    metrics: dict[str, float]
    tables: "dict[str, pd.DataFrame]" = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = {"metrics": [*self.metrics], "tables": [*self.tables], "figures": [*self.figures]}
        named = [f"{kind}: {', '.join(names)}" for kind, names in parts.items() if names]
        return f"Findings({'; '.join(named)})"

    def save(self, folder: Path) -> None:
        """Write metrics.json, each table as Parquet, and each picture into a folder below figures/."""
        (folder / "metrics.json").write_text(json.dumps(self.metrics), encoding="utf-8")
        if self.warnings:
            (folder / "warnings.json").write_text(json.dumps(self.warnings), encoding="utf-8")
        for name, table in self.tables.items():
            table.to_parquet(folder / f"{name}.parquet")
        kinds = {}
        for name, figure in self.figures.items():
            place = folder / "figures" / name
            place.mkdir(parents=True)
            figure.save(place)
            kinds[name] = class_name(figure)
        if kinds:
            (folder / "figures.json").write_text(json.dumps(kinds), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Findings":
        """Read what `save` wrote."""
        import pandas as pd

        tables = {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}
        kinds = folder / "figures.json"
        figures = {}
        for name, kind in json.loads(kinds.read_text(encoding="utf-8")).items() if kinds.exists() else ():
            figures[name] = load_saved_class(kind, folder).load(folder / "figures" / name)
        doubts = folder / "warnings.json"
        warnings = tuple(json.loads(doubts.read_text(encoding="utf-8"))) if doubts.exists() else ()
        return cls(
            json.loads((folder / "metrics.json").read_text(encoding="utf-8")), tables, figures, warnings
        )


class UnlabelledError(ValueError):
    """What an evaluator raises that needs labels, of samples that have none."""


class Dataset(Protocol):
    """Finds the samples; equal stages on equal files return equal samples."""

    @property
    def name(self) -> str:
        """Return what people call it: `dataset.name`, or the name of its path or of the stage's module."""

    def count(self) -> int:
        """Return about how many samples `load` will give, from a listing alone."""

    def load(self, ctx: Context) -> Samples:
        """Return the samples; raise ValueError or OSError that says what to type instead."""


class Backbone(Protocol):
    """Makes an encoder of images or vectors.

    `TRAINS` says whether `fit` learns from the samples; if not, the encoder is the same for all of them.
    """

    TRAINS: ClassVar[bool]

    @property
    def resize(self) -> Resize | None:
        """Return the pixels that it looks at; None if it looks at vectors."""

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if these samples cannot be embedded."""

    def fit(self, samples: Samples, ctx: Context) -> Encoder:
        """Return the encoder."""


class Reducer(Protocol):
    """Makes a projection.

    One with `LOOKS = False` learns nothing from the rows that it is given: so it is given all of them,
    without a copy.
    """

    def width(self, n: int, d: int) -> int:
        """Return p for n rows of d values; raise ValueError if that cannot be."""

    def fit(self, embeddings: np.ndarray, ctx: Context) -> Projection:
        """Fit float32 (m, d)."""


class Cluster(Protocol):
    """Groups n points; equal stages given equal input return equal clusterings."""

    def check(self, n: int) -> None:
        """Raise ValueError if n points cannot be clustered so."""

    def fit(self, reduced: np.ndarray, ctx: Context) -> Clustering:
        """Cluster float32 (n, p)."""


class Evaluator(Protocol):
    """Judges what its `NEEDS` names, out of samples, encoder, embeddings, reduced and clustering.

    `METRICS` names the figures that it gives wherever they are defined; `LABELLED` says whether it is
    given the samples alone that have a label.
    """

    NEEDS: ClassVar[tuple[str, ...]]
    LABELLED: ClassVar[bool]
    METRICS: ClassVar[tuple[str, ...]]

    def check(self, samples: Samples) -> None:
        """Raise ValueError if these samples cannot be judged so, UnlabelledError for want of labels."""

    def evaluate(self, *, ctx: Context, **needs: Any) -> Findings:
        """Return metrics, tables and pictures."""


@dataclass(frozen=True)
class Stages:
    """The five stages of one run, and the rows that fits may see: `held_out` or `published`."""

    dataset: Dataset
    backbone: Backbone
    reducer: Reducer
    cluster: Cluster
    evaluators: dict[str, Evaluator]
    protocol: str
