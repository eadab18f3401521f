"""A data set's samples: ids, labels, split, and content (images or vectors).

n samples, d values of a vector, c classes, t tags.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar, Protocol, Self

import numpy as np

from experiments.context import Context
from experiments.store.keys import digest_of
from experiments.store.values import joined

SPLITS = ("training", "validation", "test")


@dataclass(frozen=True)
class Resize:
    """How an image is resized to `size` x `size` pixels.

    Parameters
    ----------
    mode
        `squash` ignores the aspect ratio; `crop` scales the shorter side and crops the centre.
    interpolation
        `bilinear` or `bicubic`, both antialiased.
    scaled
        Pixels to which `crop` scales the shorter side, and `squash` both sides, before the centre is
        cropped; None: `size`.
    """

    size: int
    mode: str = "squash"
    interpolation: str = "bilinear"
    scaled: int | None = None


@dataclass(frozen=True)
class ValueRange:
    """The values mapped to black and white in images deeper than 8 bits, the same for a whole data set.

    Parameters
    ----------
    whole
        (black, white) of integer images, such as (0, 4095); None: each image's own range.
    real
        (black, white) of float images, such as (0, 1); None: each image's own range.
    """

    whole: tuple[float, float] | None = None
    real: tuple[float, float] | None = None

    def __bool__(self) -> bool:
        return self != ValueRange()


class Content(Protocol):
    """The data of all samples in id order: images that can be decoded, or vectors.

    Raise `VERSION` when equal hashes give other pixels or values than before.
    """

    VERSION: ClassVar[int]
    KIND: ClassVar[str]  # "images" or "vectors"

    @property
    def has_images(self) -> bool:
        """True if there are images to show; vectors may have the images that they were computed from."""

    @property
    def hashes(self) -> np.ndarray:
        """Return one hash per sample, str (n,): equal hashes are equal files or rows."""

    @property
    def value_range(self) -> ValueRange:
        """Return how images deeper than 8 bits are read; it changes pixels but not hashes."""

    @property
    def image_key(self) -> str:
        """Return the key of the images that illustrate vectors; "" if there are none, or for images."""

    def pixels(self, resize: Resize, ctx: Context) -> np.ndarray:
        """Return uint8 RGB (n, size, size, 3), decoded once into a memory map."""

    def pixel_map(self, resize: Resize) -> tuple[str, int]:
        """Return the cache key and the size in bytes of `pixels`; ("", 0) if it is not cached."""

    def vectors(self) -> np.ndarray:
        """Return float32 (n, d)."""

    def dimensions(self) -> np.ndarray:
        """Return the stored width and height of each image, turned upright: int64 (n, 2)."""

    def take(self, rows: np.ndarray) -> Self:
        """Return the content of these rows."""


@dataclass(frozen=True, eq=False)
class Samples:
    """A loaded data set.

    Parameters
    ----------
    name
        Its name in reports, such as `digits`.
    source
        Its origin: a path, or the library that ships it.
    ids
        str (n,), unique: the POSIX path below the root, or a row number.
    labels
        int64 (n,) with values in [0, c), -1 for a sample without one; None if none has one.
    split
        int8 (n,), each an index into `SPLITS`.
    skipped
        (id, reason) of every sample that was not loaded.
    unmatched
        (id, reason) of every row of the label file that matches no sample.
    columns
        Names of the values of a vector; empty for images.
    tag_names, tags
        Multi-labels, or shares of them: float32 (n, t).
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

    def __repr__(self) -> str:
        classes = f", {len(self.class_names)} classes" if self.labels is not None else ", no labels"
        return f"Samples({self.name}: {len(self):,} {self.content.KIND}{classes})"

    @cached_property
    def labelled(self) -> np.ndarray:
        """Return the row numbers of the samples that have a label, int64 and ascending."""
        return np.empty(0, np.int64) if self.labels is None else np.flatnonzero(self.labels >= 0)

    @cached_property
    def label_names(self) -> np.ndarray | None:
        """Return the class name of each sample, str (n,), "" without a label; None if there are no labels."""
        return None if self.labels is None else np.array([*self.class_names, ""])[self.labels]

    @cached_property
    def content_key(self) -> str:
        """Return the key of the pixels or vectors; labels and split do not change it."""
        value_range = {"value_range": self.content.value_range} if self.content.value_range else {}
        return digest_of(version=self.content.VERSION, hashes=joined(self.content.hashes), **value_range)

    @cached_property
    def report_key(self) -> str:
        """Return the key of everything that an evaluator can report.

        Besides `data_key`: name, skipped and unmatched samples, columns, tags and illustrations.
        """
        tags = np.empty((0, 0), np.float32) if self.tags is None else self.tags
        names = ("name", "skipped", "unmatched", "columns", "tag_names")
        parts = {name: getattr(self, name) for name in names}
        return digest_of(samples=self.data_key, looks=self.content.image_key, **parts, tags=tags)

    @cached_property
    def data_key(self) -> str:
        """Return the key of everything that a model can learn from: content, ids, labels, classes, split."""
        labels = np.empty(0, np.int64) if self.labels is None else self.labels
        return digest_of(
            content=self.content_key,
            ids=joined(self.ids, "\n"),
            labels=labels,
            class_names=self.class_names,
            split=self.split,
        )

    def rows(self, *parts: str) -> np.ndarray:
        """Return the row numbers of these parts of the split, int64 and ascending."""
        return np.flatnonzero(np.isin(self.split, [SPLITS.index(part) for part in parts]))

    def labelled_rows(self, *parts: str) -> np.ndarray:
        """Return the row numbers of these parts of the split that have a label."""
        return np.intersect1d(self.rows(*parts), self.labelled)

    def take(self, rows: np.ndarray) -> "Samples":
        """Return the samples of these rows."""
        labels, tags = (None if part is None else part[rows] for part in (self.labels, self.tags))
        content, split = self.content.take(rows), self.split[rows]
        return replace(self, ids=self.ids[rows], content=content, labels=labels, split=split, tags=tags)

    def require(self, kind: str, option: str) -> None:
        """Raise ValueError unless the content is of this kind."""
        actual = self.content.KIND
        if actual != kind:
            fit = "backbone=identity" if kind == "images" else "backbone=cnn or backbone=pixels"
            raise ValueError(f"{option} needs {kind}, and {self.name} has {actual}; use {fit}")
