"""Labels that a table brings to a data set: a CSV or Parquet file of ids and labels."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from experiments.dataset.labels.rows import MATCHES, PATH, LabelRows, key_of
from experiments.dataset.labels.tags import holds_numbers, tags_of
from experiments.dataset.tables.form import UNNAMED
from experiments.dataset.tables.header import ID_COLUMNS, LABEL_COLUMNS
from experiments.dataset.tables.matching import known_as, stripped
from experiments.dataset.tables.tabular import text_table
from experiments.messages import few
from experiments.messages import setting as override

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

OURS = ("cluster", "probability", "distance")  # columns of numbers in our own tables that are no tags
SETTINGS = ("path", "id", "column", "match", "tags", "header")


@dataclass(frozen=True, eq=False)
class Found:
    """The labels of n samples, as far as they have some.

    Parameters
    ----------
    labels
        int64 (n,), -1 for none; None if no sample has one.
    unmatched
        (id, reason) of every row that no sample got.
    tags
        float32 (n, t), or None.
    """

    labels: np.ndarray | None
    class_names: tuple[str, ...]
    unmatched: tuple[tuple[str, str], ...] = ()
    tag_names: tuple[str, ...] = ()
    tags: np.ndarray | None = None


@dataclass(frozen=True)
class Labels:
    """Where labels are, and how their ids meet the images'.

    Parameters
    ----------
    path
        A CSV (.csv, .tsv) or Parquet file.
    id
        Its column of ids; None: the first there is of `ID_COLUMNS`.
    column
        Its column of labels; None: the first there is of `LABEL_COLUMNS`.
    match_by
        What must be equal: `exact` the whole id, `name` the file name, `stem` that without an
        image's ending, `digits` the digits of the stem, where 7, 007 and 7.0 are one number. What is equal
        but for Unicode's form, spaces around it, capitals, or as a number, matches where nothing else could.
    tags
        Its columns of further labels, 0/1 or weights; None: every other column of numbers from 0 to 1.
    header
        True if the first line of a CSV names its columns, False if not; None: the first lines tell.
    """

    path: Path
    id: str | None = None
    column: str | None = None
    match_by: str = "exact"
    tags: tuple[str, ...] | None = None
    header: bool | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read `dataset.labels`; raise ValueError that names a setting which is wrong."""
        unknown = [name for name in settings if name not in SETTINGS]
        if unknown:
            raise ValueError(f"dataset.labels.{unknown[0]} is no setting; use {', '.join(SETTINGS)}")
        if not settings.get("path"):
            raise ValueError("dataset.labels.path is missing; use dataset.labels.path=<CSV or Parquet>")
        match = settings.get("match") or "exact"
        if match not in MATCHES:
            raise ValueError(f"dataset.labels.match={match} is no way of matching; use {', '.join(MATCHES)}")
        tags = settings.get("tags")
        if isinstance(tags, str):
            raise ValueError(f"dataset.labels.tags={tags} is no list; use dataset.labels.tags=[{tags}]")
        chosen = None if tags is None else tuple(map(str, tags))
        header = settings.get("header")
        if header not in (None, True, False):
            raise ValueError(f"dataset.labels.header={header} is neither true nor false; use one, or null")
        id_, column = (None if settings.get(key) is None else str(settings[key]) for key in ("id", "column"))
        return cls(Path(settings["path"]), id_, column, match, chosen, header)

    def match(self, ids: np.ndarray) -> Found:
        """Return the labels and the tags of each id.

        Raises
        ------
        ValueError
            If nothing matches, or an image could get two labels, or a label several images.
        """
        table = text_table(self.path, PATH, self.header)
        headless = list(table) == [UNNAMED.format(place + 1) for place in range(table.shape[1])]
        usual: Sequence[str] = self._like_ids(table, ids) if headless else ID_COLUMNS
        id_column = self._column(table, "id", self.id, usual)
        usual = _like_labels(table.drop(columns=id_column)) if headless else LABEL_COLUMNS
        label_column = self._column(table, "column", self.column, usual)
        if not table[label_column].notna().any():
            raise ValueError(f"dataset.labels.column={label_column} is empty in {self.path}; use another")
        places, unmatched = LabelRows(table[id_column], self.match_by, self.path).of(ids)
        texts = stripped([text if isinstance(text, str) else "" for text in table[label_column]])
        labels, names = numbered(texts[place] if place >= 0 else "" for place in places)
        taken = (id_column, label_column, *ID_COLUMNS, *LABEL_COLUMNS, *OURS, *(table if headless else ()))
        tag_names, tags = tags_of(table, self.tags, taken, places, self.path)
        self._say(table, id_column, label_column, tag_names)
        return Found(labels, names, unmatched, tag_names, tags)

    def _column(self, table: "pd.DataFrame", key: str, wanted: str | None, usual: Sequence[str]) -> str:
        names = [str(name) for name in table]
        called = {name.casefold(): name for name in reversed(names)}
        if wanted is None:
            name = next((name for name in usual if name in names), None)
            name = name or next((called[name] for name in usual if name in called), None)
            some = f"none of {', '.join(usual)}" if usual else "one column"
            fact = f" is not given, and {self.path} has {some}"
        else:
            name = known_as(wanted, names)
            fact = f"={wanted} is no column of {self.path}"
        if name not in names:
            raise ValueError(f"dataset.labels.{key}{fact}; use one of {', '.join(names)}")
        return str(name)

    def _like_ids(self, table: "pd.DataFrame", ids: np.ndarray) -> list[str]:
        """Return the columns of a table without a header, first those that hold the most ids."""
        keys = {key_of(str(name), self.match_by) for name in ids} | set(ids.tolist())
        hits = {
            str(name): len(keys & {key_of(text, self.match_by) for text in table[name].dropna()})
            for name in table
        }
        return sorted(hits, key=lambda name: -hits[name])

    def _say(self, table: "pd.DataFrame", id_: str, label: str, tags: Sequence[str]) -> None:
        """Log which columns were taken for what."""
        unused = [str(name) for name in table if name not in (id_, label, *tags)]
        numbers = [name for name in unused if name not in OURS and holds_numbers(table[name])]
        rest = f"; not used: {few(unused)}" if unused else ""
        if numbers and self.tags is None:
            rest += f" (numbers are tags by {override('dataset.labels.tags', numbers[:1])})"
        log.info(
            "%s: ids are in %r, labels in %r, %s%s",
            self.path.name, id_, label, f"tags in {few(tags)}" if tags else "no tags", rest,
        )  # fmt: skip


def _like_labels(table: "pd.DataFrame") -> list[str]:
    """Return the columns of a table without a header, first those of texts that stand in it again."""

    def rank(name: str) -> tuple[bool, bool]:
        return holds_numbers(table[name]), table[name].nunique() == len(table)

    return sorted(map(str, table), key=rank)


def numbered(labels: Iterable[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return labels as numbers, int64 (n,), -1 for "", and the names of the classes, 2 before 10."""
    labels = list(labels)
    classes = tuple(sorted(set(labels) - {""}, key=natural))
    number = {name: label for label, name in enumerate(classes)} | {"": -1}
    return np.array([number[name] for name in labels], np.int64), classes


def natural(name: str) -> tuple[bool, int, str, str]:
    """Sort 2 before 10, and numbers before words."""
    digits = name.lstrip("0") if name.isascii() and name.isdigit() else None
    return digits is None, len(digits or ""), digits or "", name
