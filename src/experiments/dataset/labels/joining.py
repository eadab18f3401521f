"""Labels from a CSV or Parquet file, joined to the samples by id."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from experiments.dataset.labels.rows import MATCHES, PATH, LabelRows, match_key
from experiments.dataset.labels.tags import holds_numbers, select_tags
from experiments.dataset.tables.csv_dialect import UNNAMED
from experiments.dataset.tables.header import ID_COLUMNS, LABEL_COLUMNS
from experiments.dataset.tables.matching import resolve_name, strip_spaces
from experiments.dataset.tables.tabular import text_table
from experiments.messages import join_few
from experiments.messages import setting as override

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

OWN_COLUMNS = ("cluster", "probability", "distance")  # columns of numbers in exported tables; not tags
SETTINGS = ("path", "id", "column", "match", "tags", "header")


@dataclass(frozen=True, eq=False)
class JoinedLabels:
    """The labels and tags of n samples.

    Parameters
    ----------
    labels
        int64 (n,), -1 for none; None if no sample has one.
    unmatched
        (id, reason) of every row of the table that matches no sample.
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
    """A label file, and the rule for matching its ids to those of images.

    Parameters
    ----------
    path
        A CSV (.csv, .tsv) or Parquet file.
    id
        Column of ids; None: the first of `ID_COLUMNS` that exists.
    column
        Column of labels; None: the first of `LABEL_COLUMNS` that exists.
    match_by
        The part of an id that is compared: `exact` the whole id, `name` the file name, `stem` the file name
        without its extension, `digits` the digits of the stem, where 7, 007 and 7.0 are equal. Ids that
        differ only in Unicode form, surrounding spaces, capitals, or spelling of a number match too, if the
        match is unique.
    tags
        Columns of further labels, 0/1 or weights; None: every other column of numbers from 0 to 1.
    header
        True if the first line of a CSV has column names, False if not; None: detected.
    """

    path: Path
    id: str | None = None
    column: str | None = None
    match_by: str = "exact"
    tags: tuple[str, ...] | None = None
    header: bool | None = None

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read `dataset.labels`; raise ValueError for an invalid setting."""
        unknown = [name for name in settings if name not in SETTINGS]
        if unknown:
            raise ValueError(f"dataset.labels.{unknown[0]} is not a setting; use {', '.join(SETTINGS)}")
        if not settings.get("path"):
            raise ValueError("dataset.labels.path is missing; use dataset.labels.path=<CSV or Parquet>")
        match = settings.get("match") or "exact"
        if match not in MATCHES:
            raise ValueError(f"dataset.labels.match={match} is unknown; use {', '.join(MATCHES)}")
        tags = settings.get("tags")
        if isinstance(tags, str):
            raise ValueError(f"dataset.labels.tags={tags} is not a list; use dataset.labels.tags=[{tags}]")
        columns = None if tags is None else tuple(map(str, tags))
        header = settings.get("header")
        if header not in (None, True, False):
            raise ValueError(f"dataset.labels.header={header} is invalid; use true, false or null")
        id_, column = (None if settings.get(key) is None else str(settings[key]) for key in ("id", "column"))
        return cls(Path(settings["path"]), id_, column, match, columns, header)

    def match(self, ids: np.ndarray) -> JoinedLabels:
        """Return the labels and tags of these ids.

        Raises
        ------
        ValueError
            If nothing matches, or an image matches two rows, or a row matches several images.
        """
        table = text_table(self.path, PATH, self.header)
        headless = list(table) == [UNNAMED.format(column + 1) for column in range(table.shape[1])]
        candidates: Sequence[str] = self._rank_id_columns(table, ids) if headless else ID_COLUMNS
        id_column = self._column(table, "id", self.id, candidates)
        candidates = _rank_label_columns(table.drop(columns=id_column)) if headless else LABEL_COLUMNS
        label_column = self._column(table, "column", self.column, candidates)
        if not table[label_column].notna().any():
            raise ValueError(f"dataset.labels.column={label_column} is empty in {self.path}; use another")
        rows, unmatched = LabelRows(table[id_column], self.match_by, self.path).of(ids)
        texts = strip_spaces([text if isinstance(text, str) else "" for text in table[label_column]])
        labels, names = encode_labels(texts[row] if row >= 0 else "" for row in rows)
        used = [id_column, label_column, *ID_COLUMNS, *LABEL_COLUMNS, *OWN_COLUMNS]
        used += map(str, table) if headless else []
        tag_names, tags = select_tags(table, self.tags, used, rows, self.path)
        self._log_columns(table, id_column, label_column, tag_names)
        return JoinedLabels(labels, names, unmatched, tag_names, tags)

    def _column(self, table: "pd.DataFrame", key: str, wanted: str | None, candidates: Sequence[str]) -> str:
        """Return the wanted column, else the first candidate in the table."""
        names = [str(name) for name in table]
        by_lower_case = {name.casefold(): name for name in reversed(names)}
        if wanted is None:
            name = next((name for name in candidates if name in names), None)
            name = name or next((by_lower_case[name] for name in candidates if name in by_lower_case), None)
            columns = f"none of {', '.join(candidates)}" if candidates else "one column"
            fact = f" is not set, and {self.path} has {columns}"
        else:
            name = resolve_name(wanted, names)
            fact = f"={wanted} is not a column of {self.path}"
        if name not in names:
            raise ValueError(f"dataset.labels.{key}{fact}; use one of {', '.join(names)}")
        return str(name)

    def _rank_id_columns(self, table: "pd.DataFrame", ids: np.ndarray) -> list[str]:
        """Return the columns of a table without a header, those with the most matching ids first."""
        keys = {match_key(str(name), self.match_by) for name in ids} | set(ids.tolist())
        hits = {
            str(name): len(keys & {match_key(text, self.match_by) for text in table[name].dropna()})
            for name in table
        }
        return sorted(hits, key=lambda name: -hits[name])

    def _log_columns(self, table: "pd.DataFrame", id_: str, label: str, tags: Sequence[str]) -> None:
        """Log the columns of ids, labels and tags, and the unused ones."""
        unused = [str(name) for name in table if name not in (id_, label, *tags)]
        numbers = [name for name in unused if name not in OWN_COLUMNS and holds_numbers(table[name])]
        rest = f"; not used: {join_few(unused)}" if unused else ""
        if numbers and self.tags is None:
            rest += f" (to use numbers as tags: {override('dataset.labels.tags', numbers[:1])})"
        log.info(
            "%s: ids are in %r, labels in %r, %s%s",
            self.path.name, id_, label, f"tags in {join_few(tags)}" if tags else "no tags", rest,
        )  # fmt: skip


def _rank_label_columns(table: "pd.DataFrame") -> list[str]:
    """Return the columns of a table without a header, those of texts with repeated values first."""

    def rank(name: str) -> tuple[bool, bool]:
        return holds_numbers(table[name]), table[name].nunique() == len(table)

    return sorted(map(str, table), key=rank)


def encode_labels(labels: Iterable[str]) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return labels as numbers, int64 (n,), -1 for "", and the class names in natural order."""
    labels = list(labels)
    classes = tuple(sorted(set(labels) - {""}, key=natural_order))
    number = {name: label for label, name in enumerate(classes)} | {"": -1}
    return np.array([number[name] for name in labels], np.int64), classes


def natural_order(name: str) -> tuple[bool, int, str, str]:
    """Return a sort key that puts 2 before 10, and numbers before words."""
    digits = name.lstrip("0") if name.isascii() and name.isdigit() else None
    return digits is None, len(digits or ""), digits or "", name
