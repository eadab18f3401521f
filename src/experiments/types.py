"""The Protocols of the five stages, and the values that pass between them.

n samples, d embedding width, p reduced width, k clusters, c classes. `labels` are truth, `assignments`
are predicted cluster ids, -1 is noise.

A stage is a frozen dataclass: its fields are its settings, and its `VERSION`, an int, is raised when equal
settings give another result. Its `fit` returns a frozen dataclass too, preferably a `SavedFields`, which
saves and loads its fields; backbone/pixels.py is the shortest example of both.
"""

import json
from collections.abc import Mapping
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


def missing_members(protocol: type, value: object) -> list[str]:
    """Return the names that a Protocol declares and `value` lacks."""
    names = {name for name in (*vars(protocol), *protocol.__annotations__) if not name.startswith("_")}
    return [name for name in sorted(names) if not hasattr(value, name)]


def step_name(option: str, model: object = None) -> str:
    """Return the name of a step in reports: its network (setting `model`) if it has one, else its option."""
    return Path(str(model)).name.removesuffix(".json") if model else option


class Encoder(Saveable, Protocol):
    """A fitted backbone.

    `history` has one row per epoch; `trained` is True if it learnt from the labels of the training rows;
    `stopped` is the epoch at which a time limit ended an unfinished training, or "".
    """

    history: tuple[dict[str, float], ...]
    trained: bool
    stopped: str

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return the embeddings of all samples: float32 (n, d)."""


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
        """Assign new points, float32 (m, p), to the clusters: ids int64 (m,) and distances float32 (m,)."""


@dataclass(frozen=True, eq=False)
class ClusteringRows:
    """Some rows of a clustering of all samples."""

    assignments: np.ndarray
    probabilities: np.ndarray | None
    centroids: np.ndarray | None

    @classmethod
    def of(cls, clustering: Clustering, rows: np.ndarray) -> "ClusteringRows":
        """Return these rows of a clustering."""
        probabilities = clustering.probabilities
        assignments = np.asarray(clustering.assignments)[rows]
        probabilities = None if probabilities is None else np.asarray(probabilities)[rows]
        return cls(assignments, probabilities, clustering.centroids)


@dataclass(frozen=True, eq=False)
class Findings:
    """The results of an evaluator: metrics by name, tables and figures by file name without suffix.

    `warnings` are reasons to doubt a metric; they are repeated whenever cached findings are reused.
    """

    metrics: dict[str, float]
    tables: "dict[str, pd.DataFrame]" = field(default_factory=dict)
    figures: dict[str, Figure] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        parts = {"metrics": [*self.metrics], "tables": [*self.tables], "figures": [*self.figures]}
        texts = [f"{kind}: {', '.join(names)}" for kind, names in parts.items() if names]
        return f"Findings({'; '.join(texts)})"

    def save(self, folder: Path) -> None:
        """Write metrics.json, each table as Parquet, and each figure into a folder below figures/."""
        (folder / "metrics.json").write_text(json.dumps(self.metrics), encoding="utf-8")
        if self.warnings:
            (folder / "warnings.json").write_text(json.dumps(self.warnings), encoding="utf-8")
        for name, table in self.tables.items():
            table.to_parquet(folder / f"{name}.parquet")
        kinds = {}
        for name, figure in self.figures.items():
            figure_folder = folder / "figures" / name
            figure_folder.mkdir(parents=True)
            figure.save(figure_folder)
            kinds[name] = class_name(figure)
        if kinds:
            (folder / "figures.json").write_text(json.dumps(kinds), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Findings":
        import pandas as pd

        tables = {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}
        kinds = folder / "figures.json"
        figures = {}
        for name, kind in json.loads(kinds.read_text(encoding="utf-8")).items() if kinds.exists() else ():
            figures[name] = load_saved_class(kind, folder).load(folder / "figures" / name)
        file = folder / "warnings.json"
        warnings = tuple(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else ()
        return cls(
            json.loads((folder / "metrics.json").read_text(encoding="utf-8")), tables, figures, warnings
        )


def cluster_names(findings: Mapping[str, Findings]) -> dict[int, str]:
    """Return the name of each cluster from the table `names` of an evaluator; empty without it."""
    tables = [evaluated.tables["names"] for evaluated in findings.values() if "names" in evaluated.tables]
    return {
        int(cluster): str(name)
        for table in tables
        for cluster, name in zip(table["cluster"], table["name"], strict=True)
    }


class UnlabelledError(ValueError):
    """An evaluator needs labels, and the samples have none."""


class Dataset(Protocol):
    """Loads the samples; equal stages on equal files return equal samples."""

    @property
    def display_name(self) -> str:
        """Return its name for reports: `dataset.name`, or the name of its path or of the stage's module."""

    def count(self) -> int:
        """Return the approximate number of samples, from a listing of the files."""

    def load(self, ctx: Context) -> Samples:
        """Return the samples; raise ValueError or OSError with a suggestion."""


class Backbone(Protocol):
    """Fits an encoder of images or vectors.

    `TRAINS` is True if `fit` learns from the samples; otherwise the encoder is the same for all data sets.
    `VERSION` is raised when equal settings give another encoder.
    """

    VERSION: ClassVar[int]
    TRAINS: ClassVar[bool]

    @property
    def resize(self) -> Resize | None:
        """Return the size of its input images; None if its input is vectors."""

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if these samples cannot be embedded, as `samples.require` does."""

    def fit(self, samples: Samples, ctx: Context) -> Encoder:
        """Return the encoder."""


class Reducer(Protocol):
    """Fits a projection to fewer dimensions.

    A reducer with `LEARNS = False` learns nothing from the rows, so `fit` gets all of them without a copy.
    """

    def width(self, n: int, d: int) -> int:
        """Return p for n rows of d values; raise ValueError if the settings do not fit n and d."""

    def fit(self, embeddings: np.ndarray, ctx: Context) -> Projection:
        """Return the projection fitted on float32 (m, d)."""


class Cluster(Protocol):
    """Clusters points; equal stages on equal input return equal clusterings."""

    def check(self, n: int) -> None:
        """Raise ValueError if the settings do not fit n points."""

    def fit(self, reduced: np.ndarray, ctx: Context) -> Clustering:
        """Return the clustering of float32 (n, p)."""


class Evaluator(Protocol):
    """Computes metrics, tables and figures from its `NEEDS`.

    `NEEDS` are some of samples, encoder, embeddings, reduced, clustering, and names: a dict of the name of
    each cluster, empty if no evaluator gives names. `METRICS` are the names of all metrics that it can
    compute. If `LABELLED`, it gets only the samples that have a label.

    One with `NAMES_CLUSTERS = True` runs first; its table `names` has the columns cluster and name. If it has
    a method `check_backbone(backbone)`, that raises ValueError before a run if the backbone does not suit.
    """

    NEEDS: ClassVar[tuple[str, ...]]
    LABELLED: ClassVar[bool]
    METRICS: ClassVar[tuple[str, ...]]

    def check(self, samples: Samples) -> None:
        """Raise ValueError if the settings do not fit the samples, UnlabelledError if labels are missing."""

    def evaluate(self, *, ctx: Context, **needs: Any) -> Findings:
        """Return metrics, tables and figures."""


def names_clusters(evaluator: Evaluator) -> bool:
    """Return True if other evaluators may need the table `names` of this one."""
    return getattr(evaluator, "NAMES_CLUSTERS", False)


@dataclass(frozen=True)
class Stages:
    """The five stages of a run, and its protocol: `held_out` or `published`."""

    dataset: Dataset
    backbone: Backbone
    reducer: Reducer
    cluster: Cluster
    evaluators: dict[str, Evaluator]
    protocol: str
