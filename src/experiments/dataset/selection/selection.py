"""Settings of every data set: name, limit, labels, corrections and split."""

import logging
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from experiments.dataset.labels.apply_corrections import apply_corrections
from experiments.dataset.labels.joining import JoinedLabels, Labels
from experiments.dataset.selection.split import split_partly
from experiments.dataset.tables.matching import group_similar
from experiments.samples import Content, Samples

log = logging.getLogger(__name__)

SHARES = ("train", "validation", "test")
UNLABELLED = ("keep", "drop")
LISTED = 3  # largest number of groups of class names in a warning


@dataclass(frozen=True, eq=False)
class Pool:
    """All samples of a data set, before the selection.

    Parameters
    ----------
    source
        Path or library of origin, for reports.
    labels
        int64 (n,), -1 for a sample without one; None if no sample has one.
    skipped
        (name, reason) of unreadable files.
    columns
        Names of the features of vectors.
    """

    source: str
    ids: np.ndarray
    content: Content
    labels: np.ndarray | None = None
    class_names: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The settings that all data sets share.

    Parameters
    ----------
    name
        Name in reports and MLflow; empty: `default_name`.
    image_size
        Pixels a side of the backbone's input; does not change samples.
    mirror
        True if mirroring preserves an image's class; for augmentation.
    limit
        Samples to use in a first try: two of every class, then in proportion to the classes; None: all.
    labels
        Settings of a label file that replaces the data set's labels: see `dataset/labels/joining.py`.
    corrections
        Log of corrected labels, which replace all others: see `dataset/labels/apply_corrections.py`.
    unlabelled
        `keep` or `drop` samples without a label if others have one.
    split
        Shares of `train`, `validation` and `test`.
    split_seed
        Seed of the split.
    """

    name: str = field(default="", compare=False, repr=False)  # not part of cache keys
    image_size: int = field(compare=False)
    mirror: bool = field(compare=False)
    limit: int | None
    labels: dict[str, Any] | None = field(metadata={"path_key": "path"})
    corrections: str | None = field(metadata={"path": True})
    unlabelled: str
    split: dict[str, float]
    split_seed: int

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.image_size < 1:
            raise ValueError(f"dataset.image_size={self.image_size} is not a number of pixels; use 1 or more")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"dataset.limit={self.limit} leaves no samples; use 1 or more, or null for all")
        if self.joined:
            Labels.of(self.labels or {})
        if self.unlabelled not in UNLABELLED:
            raise ValueError(
                f"dataset.unlabelled={self.unlabelled} is not an option; use {' or '.join(UNLABELLED)}"
            )
        _check_split(self.split)

    @property
    def joined(self) -> bool:
        """True if `labels` names a file."""
        return any(value not in (None, "exact") for value in self.labels.values()) if self.labels else False

    @property
    def display_name(self) -> str:
        """Return the name in reports and MLflow."""
        return self.name.strip() or self.default_name()

    def default_name(self) -> str:
        """Return the name if `name` is empty."""
        return type(self).__module__.rpartition(".")[2]

    def limited(self, n: int) -> int:
        """Return the number of samples used, of n."""
        return n if self.limit is None else min(n, self.limit)

    def samples(self, pool: Pool) -> Samples:
        """Select, label and split the samples of a pool."""
        ids, content, class_names = pool.ids, pool.content, pool.class_names
        joined = self._labels(JoinedLabels(pool.labels, class_names), ids, content.hashes)
        rows, skipped = self._rows_to_use(joined.labels, ids, pool.skipped)
        if self.limit is not None and self.limit < len(rows):
            labels = None if joined.labels is None else joined.labels[rows]
            rows = rows[_first(len(rows), labels, self.limit)]
        labels, tags = (None if part is None else part[rows] for part in (joined.labels, joined.tags))
        if len(rows) < len(ids):
            ids, content = ids[rows], content.take(rows)
        if labels is not None:
            labels, class_names = _renumber(labels, joined.class_names)
            _warn_of_similar_classes(class_names)
        shares = {share: self.split.get(share, 0.0) for share in SHARES}
        parts = split_partly(content.hashes, labels, shares, self.split_seed, class_names)
        return Samples(
            self.display_name, pool.source, ids, content, labels, class_names, parts, skipped,
            joined.unmatched, pool.columns, joined.tag_names, tags,
        )  # fmt: skip

    def _labels(self, pool_labels: JoinedLabels, ids: np.ndarray, hashes: np.ndarray) -> JoinedLabels:
        """Return the labels of the pool, or of the label file if one is set, with corrections applied."""
        labels = Labels.of(self.labels or {}).match(ids) if self.joined else pool_labels
        if self.corrections is None:
            return labels
        return apply_corrections(labels, Path(self.corrections), ids, hashes)

    def _rows_to_use(
        self, labels: np.ndarray | None, ids: np.ndarray, skipped: tuple[tuple[str, str], ...]
    ) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
        """Return the rows to use, and (id, reason) of all skipped samples."""
        all_rows = np.arange(len(ids))
        if labels is None or (labels >= 0).all():
            return all_rows, skipped
        without = ids[labels < 0]
        if len(without) == len(ids):
            raise ValueError(
                f"none of the {len(ids)} samples has a label; fill the file of dataset.labels.path"
            )
        if self.unlabelled == "keep":
            return all_rows, skipped  # the run logs their number
        log.warning(
            "%d of %d samples have no label and are left out; see skipped_files.csv", len(without), len(ids)
        )
        return np.flatnonzero(labels >= 0), skipped + tuple((str(name), "no label") for name in without)


def _check_split(shares: dict[str, float]) -> None:
    unknown = [share for share in shares if share not in SHARES]
    if unknown:
        raise ValueError(f"dataset.split.{unknown[0]} is not part of the split; use {', '.join(SHARES)}")
    for share, value in shares.items():
        if not (isfinite(value) and 0 <= value <= 1):
            raise ValueError(f"dataset.split.{share}={value} is not a share; use 0 to 1")
    if not shares.get("train"):
        raise ValueError("dataset.split.train=0 leaves no training rows; use more than 0, such as 0.8")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(
            f"dataset.split={shares} sums to {sum(shares.values()):g}; make it 1, such as "
            "dataset.split={train: .8, validation: .2, test: 0}"
        )


def _warn_of_similar_classes(class_names: tuple[str, ...]) -> None:
    """Warn of classes that may be one class in two spellings."""
    groups = group_similar(class_names)
    if groups:
        log.warning(
            "%d classes differ from another only in capitals, spaces or Unicode form: %s; they stay separate "
            "classes: spell them alike to merge them",
            sum(map(len, groups)), "; ".join(", ".join(map(ascii, names)) for names in groups[:LISTED]),
        )  # fmt: skip


def _first(n: int, labels: np.ndarray | None, limit: int) -> np.ndarray:
    """Return `limit` row numbers: two of every class, as one cannot be split, then in proportion to size."""
    if labels is None:
        return np.arange(limit)
    labels = np.where(labels < 0, labels.max() + 1, labels)  # unlabelled rows are one more class
    order = np.argsort(labels, kind="stable")
    size = np.bincount(labels)
    position = np.empty(n, np.int64)
    position[order] = np.arange(n) - (np.cumsum(size) - size)[labels[order]]
    fraction = np.maximum(position - 1, 0) / size[labels]  # share of the row's class before this row
    return np.sort(np.lexsort((labels, fraction))[:limit])


def _renumber(labels: np.ndarray, class_names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Remove classes without samples and renumber the labels; -1 stays."""
    present = np.unique(labels[labels >= 0])
    renumbered = np.where(labels < 0, -1, np.searchsorted(present, labels))
    return renumbered.astype(np.int64), tuple(class_names[label] for label in present)
