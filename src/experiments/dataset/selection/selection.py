"""Which of a data set's images are used, with which labels, in which part of the split."""

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
FEW = 3  # groups of class names that a warning lists


@dataclass(frozen=True, eq=False)
class Pool:
    """All samples that a data set has, of which a selection takes some.

    Parameters
    ----------
    source
        Where they come from, for a person.
    labels
        int64 (n,), -1 for a sample without one; None if no sample has one.
    skipped
        (name, reason) of what could not be read.
    columns
        Names of the values of vectors.
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
    """What every data set lets a person choose.

    Parameters
    ----------
    name
        What people call it, in reports and MLflow; empty: `own_name`.
    image_size
        Pixels a side that backbones see; it changes no sample.
    mirror
        Whether a mirrored image is still one of its class; for augmentation.
    limit
        Images to use, for a first try: two of every class, then in proportion to the classes; None: all.
    labels
        Labels of a CSV or Parquet file, instead of the data set's own: see `dataset/labels/joining.py`.
    corrections
        A log of corrected labels, which replace all others: see `dataset/labels/corrected.py`.
    unlabelled
        `keep` or `drop` the samples without a label where others have one.
    split
        Shares of `train`, `validation` and `test`.
    split_seed
        Another number gives another split.
    """

    name: str = field(default="", compare=False, repr=False)  # of the same key whatever it is called
    image_size: int = field(compare=False)
    mirror: bool = field(compare=False)
    limit: int | None
    labels: dict[str, Any] | None = field(metadata={"path_key": "path"})
    corrections: str | None = field(metadata={"path": True})
    unlabelled: str
    split: dict[str, float]
    split_seed: int

    def __post_init__(self) -> None:
        """Check every range, and name it."""
        object.__setattr__(self, "name", self.name.strip() or self.own_name())
        if self.image_size < 1:
            raise ValueError(f"dataset.image_size={self.image_size} is not a number of pixels; use 1 or more")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"dataset.limit={self.limit} leaves no image; use 1 or more, or null for all")
        if self.joined:
            Labels.of(self.labels or {})
        if self.unlabelled not in UNLABELLED:
            raise ValueError(
                f"dataset.unlabelled={self.unlabelled} is no option; use {' or '.join(UNLABELLED)}"
            )
        _check_split(self.split)

    @property
    def joined(self) -> bool:
        """Tell whether labels come from a file: a setting of `labels` says something of one."""
        return any(value not in (None, "exact") for value in self.labels.values()) if self.labels else False

    def own_name(self) -> str:
        """Return its name where none is given."""
        return type(self).__module__.rpartition(".")[2]

    def limited(self, n: int) -> int:
        """Return how many of n samples are used."""
        return n if self.limit is None else min(n, self.limit)

    def samples(self, pool: Pool) -> Samples:
        """Return the samples chosen: with the labels wanted, as many as wanted, and split."""
        ids, content, class_names = pool.ids, pool.content, pool.class_names
        found = self._found(JoinedLabels(pool.labels, class_names), ids, content.hashes)
        rows, skipped = self._wanted(found.labels, ids, pool.skipped)
        if self.limit is not None and self.limit < len(rows):
            rows = rows[_first(len(rows), None if found.labels is None else found.labels[rows], self.limit)]
        labels, tags = (None if part is None else part[rows] for part in (found.labels, found.tags))
        if len(rows) < len(ids):
            ids, content = ids[rows], content.take(rows)
        if labels is not None:
            labels, class_names = _present(labels, found.class_names)
            _warn_of_twins(class_names)
        shares = {share: self.split.get(share, 0.0) for share in SHARES}
        parts = split_partly(content.hashes, labels, shares, self.split_seed, class_names)
        return Samples(
            self.name, pool.source, ids, content, labels, class_names, parts, skipped, found.unmatched,
            pool.columns, found.tag_names, tags,
        )  # fmt: skip

    def _found(self, own: JoinedLabels, ids: np.ndarray, hashes: np.ndarray) -> JoinedLabels:
        """Return the labels wanted: the data set's own or those of a file, as they were corrected."""
        found = Labels.of(self.labels or {}).match(ids) if self.joined else own
        return (
            found
            if self.corrections is None
            else apply_corrections(found, Path(self.corrections), ids, hashes)
        )

    def _wanted(
        self, labels: np.ndarray | None, ids: np.ndarray, skipped: tuple[tuple[str, str], ...]
    ) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
        """Return the rows to use and what is skipped, if wanted the samples without a label too."""
        everything = np.arange(len(ids))
        if labels is None or (labels >= 0).all():
            return everything, skipped
        without = ids[labels < 0]
        if len(without) == len(ids):
            raise ValueError(
                f"none of the {len(ids)} samples has a label, though some could: see dataset.labels.path; "
                "fill it"
            )
        if self.unlabelled == "keep":
            return everything, skipped  # the run says how many
        log.warning(
            "%d of %d samples have no label and are left out; see skipped_files.csv", len(without), len(ids)
        )
        return np.flatnonzero(labels >= 0), skipped + tuple((str(name), "no label") for name in without)


def _check_split(shares: dict[str, float]) -> None:
    unknown = [share for share in shares if share not in SHARES]
    if unknown:
        raise ValueError(f"dataset.split.{unknown[0]} is no part of the split; use {', '.join(SHARES)}")
    for share, value in shares.items():
        if not (isfinite(value) and 0 <= value <= 1):
            raise ValueError(f"dataset.split.{share}={value} is not a share; use 0 to 1")
    if not shares.get("train"):
        raise ValueError("dataset.split.train=0 leaves nothing to train on; use more than 0, such as 0.8")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise ValueError(
            f"dataset.split={shares} sums to {sum(shares.values()):g}; make it 1, such as "
            "dataset.split={train: .8, validation: .2, test: 0}"
        )


def _warn_of_twins(class_names: tuple[str, ...]) -> None:
    """Point out classes that may be one, spelt in two ways."""
    twins = group_similar(class_names)
    if twins:
        log.warning(
            "%d classes differ from another in capitals, spaces or Unicode's form alone, and are classes of "
            "their own: %s; spell them alike to make them one",
            sum(map(len, twins)), "; ".join(", ".join(map(ascii, names)) for names in twins[:FEW]),
        )  # fmt: skip


def _first(n: int, labels: np.ndarray | None, limit: int) -> np.ndarray:
    """Return `limit` row numbers: two of every class, as one cannot be split, then in proportion."""
    if labels is None:
        return np.arange(limit)
    labels = np.where(labels < 0, labels.max() + 1, labels)  # those without one are the last class
    order = np.argsort(labels, kind="stable")
    size = np.bincount(labels)
    position = np.empty(n, np.int64)
    position[order] = np.arange(n) - (np.cumsum(size) - size)[labels[order]]
    reached = np.maximum(position - 1, 0) / size[labels]  # how far through its class a row is
    return np.sort(np.lexsort((labels, reached))[:limit])


def _present(labels: np.ndarray, class_names: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Renumber labels so that every class has an image; -1 stays."""
    present = np.unique(labels[labels >= 0])
    renumbered = np.where(labels < 0, -1, np.searchsorted(present, labels))
    return renumbered.astype(np.int64), tuple(class_names[label] for label in present)
