"""What flows between the stages, and what each stage promises.

n samples, d embedding width, p reduced width, k clusters, c classes. `labels` are truth, `assignments`
are predicted cluster ids, -1 is noise.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np

from experiments.store.values import Findings, Kept, digest, joined

SPLITS = ("training", "validation", "test")
T = TypeVar("T", bound="Kept")


@dataclass(frozen=True)
class Resize:
    """How an image becomes `size` x `size` pixels.

    Parameters
    ----------
    mode
        `squash` ignores the aspect ratio; `crop` scales the shorter side and takes the centre.
    interpolation
        `bilinear` or `bicubic`, both antialiased.
    scaled
        What `crop` scales the shorter side to, and `squash` both, before the centre is taken; None: `size`.
    """

    size: int
    mode: str = "squash"
    interpolation: str = "bilinear"
    scaled: int | None = None


@dataclass(frozen=True)
class ValueRange:
    """The values that become black and white, in images deeper than 8 bits; one for a whole data set.

    Parameters
    ----------
    whole
        (black, white) of whole numbers, such as (0, 4095); None: by each image's own values.
    real
        (black, white) of floats, such as (0, 1); None: by each image's own values.
    """

    whole: tuple[float, float] | None = None
    real: tuple[float, float] | None = None

    def __bool__(self) -> bool:
        return self != ValueRange()


class Store(Protocol):
    """Where values dear to compute are kept; see cache.py. It lists the keys that it was asked for."""

    computed: list[str]
    kept: list[str]

    def holds(self, key: str) -> bool:
        """Tell whether `key` is kept."""

    def fitted(self, key: str, make: Callable[[], T]) -> T:
        """Return the value kept under `key`, or make and keep it."""

    def array(self, key: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the array kept under `key` (read-only memory map), or make and keep it."""

    def fill(
        self, key: str, shape: tuple[int, ...], dtype: str, write: Callable[[np.ndarray], None]
    ) -> np.ndarray:
        """Return the array kept under `key`, or let `write` fill a memory map of it and keep that."""

    def folder(self, key: str, write: Callable[[Path], None]) -> Path:
        """Return the folder kept under `key`, or let `write` fill an empty one and keep that."""

    def workdir(self, key: str) -> Path:
        """Return a folder that survives an interruption; it goes when the value of `key` is kept."""

    def digest(self, key: str) -> str:
        """Name the array kept under `key` by its values; "" if none is kept."""

    def origin(self, key: str) -> dict[str, str]:
        """Return in which circumstances the value kept under `key` was computed; empty if none is kept."""


class Report(Protocol):
    """How a stage tells a person, and the run's record, how far it is."""

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show a bar; the context gives the function to call with how many more are done."""

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of one epoch as they happen."""


class Silent:
    """A report that nobody reads."""

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show nothing."""
        return nullcontext(lambda done: None)

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        """Record nothing."""


@dataclass(frozen=True)
class Context:
    """What a stage may ask of its surroundings, and the only way it reaches them.

    Parameters
    ----------
    device
        `cpu` or `cuda`, resolved.
    dtype
        What networks compute in: `float32` or `bfloat16`, resolved.
    threads
        Cores that a stage may keep busy.
    given
        Key of what the stage at work is given: its input and the rows of it.
    """

    device: str
    dtype: str
    threads: int
    store: Store
    report: Report
    given: str = ""

    @classmethod
    def plain(cls, store: Store) -> "Context":
        """Make a context for tests and notebooks: the CPU, two threads, silence."""
        return cls("cpu", "float32", 2, store, Silent())

    def on(self, *keys: str) -> "Context":
        """Return this context for a stage whose input has these keys."""
        return replace(self, given=digest(*keys))

    def key(self, stage: Any) -> str:
        """Name what `stage` makes of the input given, on this device."""
        name = type(stage).__module__.rpartition(".")[2]
        return f"{name}-{digest(stage, self.given, self.device, self.dtype)}"

    def fitted(self, stage: Any, make: Callable[[], T]) -> T:
        """Return what `stage` makes of the input given, from the store if it is kept there."""
        return self.store.fitted(self.key(stage), make)

    def workdir(self, stage: Any) -> Path:
        """Return the folder for `stage`'s checkpoints on the input given."""
        return self.store.workdir(self.key(stage))


class Content(Protocol):
    """The samples' own data in id order: images that can be decoded, or vectors.

    Raise `VERSION` when equal hashes give other pixels or values than before.
    """

    VERSION: ClassVar[int]
    KIND: ClassVar[str]  # "images" or "vectors"

    @property
    def pictured(self) -> bool:
        """Tell whether there are images to look at: vectors may have some that they were made of."""

    @property
    def hashes(self) -> np.ndarray:
        """Return one hash per sample, str (n,): equal hashes are equal files or rows."""

    @property
    def value_range(self) -> ValueRange:
        """Return how images deeper than 8 bits are read; it changes pixels where hashes stay."""

    @property
    def looks(self) -> str:
        """Name what there is to look at where `hashes` do not: "" if they do, or if there is nothing."""

    def pixels(self, resize: Resize, ctx: Context) -> np.ndarray:
        """Return uint8 RGB (n, size, size, 3), decoded once into a memory map."""

    def pixel_map(self, resize: Resize) -> tuple[str, int]:
        """Return the key and the bytes of what `pixels` keeps; ("", 0) if it keeps nothing."""

    def vectors(self) -> np.ndarray:
        """Return float32 (n, d)."""

    def dimensions(self) -> np.ndarray:
        """Return width and height of each image as it is stored, upright: int64 (n, 2)."""

    def take(self, rows: np.ndarray) -> Self:
        """Return the content of these rows alone."""


@dataclass(frozen=True, eq=False)
class Samples:
    """A loaded data set.

    Parameters
    ----------
    name
        What people call it, such as `digits`.
    source
        Where it came from, for the record: a path, or the library that ships it.
    ids
        str (n,), unique: the POSIX path below the root, or a row number.
    labels
        int64 (n,) with values in [0, c), -1 for a sample without one; None if none has one.
    split
        int8 (n,), each an index into `SPLITS`.
    skipped
        (id, reason) of every sample that was left out.
    unmatched
        (id, reason) of every row of the file of labels that no sample got.
    columns
        What each value of a vector is called; empty of images.
    tag_names, tags
        Further labels, of which a sample may have several, or shares: float32 (n, t).
    """

    name: str
    source: str
    ids: np.ndarray
    content: Content
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    split: np.ndarray
    skipped: tuple[tuple[str, str], ...] = ()
    unmatched: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    tag_names: tuple[str, ...] = ()
    tags: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def labelled(self) -> np.ndarray:
        """Return the row numbers of the samples that have a label, int64 and ascending."""
        return np.empty(0, np.int64) if self.labels is None else np.flatnonzero(self.labels >= 0)

    @cached_property
    def label_names(self) -> np.ndarray | None:
        """Return what each sample's class is called, str (n,), "" without one; None if none has one."""
        return None if self.labels is None else np.array([*self.class_names, ""])[self.labels]

    @cached_property
    def content_key(self) -> str:
        """Name the pixels or vectors alone: unchanged by labels and split."""
        value_range = [self.content.value_range] if self.content.value_range else []
        return digest(self.content.VERSION, joined(self.content.hashes), *value_range)

    @cached_property
    def described(self) -> str:
        """Name all that evaluators tell of, such as what was left out, where `key` names what is learnt."""
        tags = np.empty((0, 0), np.float32) if self.tags is None else self.tags
        told = (self.name, self.skipped, self.unmatched, self.columns, self.tag_names, tags)
        return digest(self.key, self.content.looks, *told)

    @cached_property
    def key(self) -> str:
        """Name all of it: content, ids, labels, class names and split."""
        labels = np.empty(0, np.int64) if self.labels is None else self.labels
        return digest(self.content_key, joined(self.ids, "\n"), labels, self.class_names, self.split)

    def rows(self, *parts: str) -> np.ndarray:
        """Return the row numbers, int64 and ascending, of these parts of the split."""
        return np.flatnonzero(np.isin(self.split, [SPLITS.index(part) for part in parts]))

    def labelled_rows(self, *parts: str) -> np.ndarray:
        """Return the row numbers of these parts of the split that have a label."""
        return np.intersect1d(self.rows(*parts), self.labelled)

    def take(self, rows: np.ndarray) -> "Samples":
        """Return these rows alone."""
        labels, tags = (None if part is None else part[rows] for part in (self.labels, self.tags))
        content, split = self.content.take(rows), self.split[rows]
        return replace(self, ids=self.ids[rows], content=content, labels=labels, split=split, tags=tags)

    def require(self, kind: str, option: str) -> None:
        """Raise ValueError unless the content is of this kind."""
        held = self.content.KIND
        if held != kind:
            fit = "backbone=identity" if kind == "images" else "backbone=cnn or backbone=pixels"
            raise ValueError(f"{option} needs {kind}, and {self.name} holds {held}; use {fit}")


class Encoder(Kept, Protocol):
    """A fitted backbone.

    `history` has one row per epoch; `trained` says whether it learnt from the labels of the training
    rows; `stopped` is empty, or says where a safety stop ended a training that is not finished.
    """

    history: tuple[dict[str, float], ...]
    trained: bool
    stopped: str

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return float32 (n, d)."""


class Projection(Kept, Protocol):
    """A fitted reducer."""

    def transform(self, embeddings: np.ndarray) -> np.ndarray:
        """Map float32 (n, d) to float32 (n, p)."""


class Clustering(Kept, Protocol):
    """A fitted clusterer: assignments int64 (n,), -1 is noise; the rest may be None."""

    assignments: np.ndarray
    probabilities: np.ndarray | None
    centroids: np.ndarray | None
    inertia: float | None

    def assign(self, reduced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Put float32 (m, p) into the existing clusters: ids int64 (m,) and distance float32 (m,)."""


class UnlabelledError(ValueError):
    """What an evaluator raises that needs labels, of samples that have none."""


class Dataset(Protocol):
    """Finds the samples; equal stages on equal files return equal samples."""

    @property
    def name(self) -> str:
        """Return what people call it: the name of its folder, or of the stage's module."""

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
