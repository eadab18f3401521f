"""Labels that a table brings to a data set: a CSV or Parquet file of ids and labels."""

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from experiments.dataset.images.formats import FOREIGN, IMAGE
from experiments.dataset.tables.tabular import text_table
from experiments.dataset.tags import tags_of

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

PATH = "dataset.labels.path"
ID_COLUMNS = ("image_id", "id", "image", "img_id", "file", "filename")
LABEL_COLUMNS = ("applied_label", "labels_txt", "primary_label", "category", "label", "class")
OURS = ("cluster", "probability", "distance")  # columns of numbers in our own tables that are no tags
MATCHES = ("exact", "name", "stem", "digits")
SETTINGS = ("path", "id", "column", "match", "tags")
NAMED = 5  # of what an error is about


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
        image's ending, `digits` the digits of the stem, padded to three.
    tags
        Its columns of further labels, 0/1 or weights; None: every other column of numbers.
    """

    path: Path
    id: str | None = None
    column: str | None = None
    match_by: str = "exact"
    tags: tuple[str, ...] | None = None

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
        return cls(Path(settings["path"]), settings.get("id"), settings.get("column"), match, chosen)

    def match(self, ids: np.ndarray) -> Found:
        """Find the labels and the tags of each id.

        Raises
        ------
        ValueError
            If nothing matches, or an image could get two labels, or a label several images.
        """
        table = text_table(self.path, PATH)
        id_column = _column(table, "id", self.id, ID_COLUMNS, self.path)
        label_column = _column(table, "column", self.column, LABEL_COLUMNS, self.path)
        if not table[label_column].notna().any():
            raise ValueError(f"dataset.labels.column={label_column} is empty in {self.path}; use another")
        keys = self._keys(ids)
        if not set(keys) & {self._key(name) for name in table[id_column].dropna()}:
            raise ValueError(
                f"{PATH}={self.path} matches no image: it has ids such as "
                f"{table[id_column].dropna().iloc[0]!r}, and the images {str(ids[0])!r}; use another "
                f"dataset.labels.match ({', '.join(MATCHES)})"
            )
        place_of = self._place_of_key(table[id_column])
        self._check_images(keys, ids, place_of)
        places = np.array([place_of.get(key, -1) for key in keys], np.int64)
        unmatched = self._unmatched(table[id_column], places)
        labels, names = _numbered(table[label_column], places)
        taken = (id_column, label_column, *ID_COLUMNS, *LABEL_COLUMNS, *OURS)
        tag_names, tags = tags_of(table, self.tags, taken, places, self.path)
        return Found(labels, names, unmatched, tag_names, tags)

    def _place_of_key(self, ids: "pd.Series[Any]") -> dict[str, int]:
        """Return the place of each row by what is matched; raise ValueError if two rows are of one image."""
        line, there = ids.index.name, ids.notna().to_numpy()
        names = ids[there].tolist()
        lines, places = ids.index[there].tolist(), np.flatnonzero(there)
        keys = [self._key(name) for name in names]
        bare = [
            f"{name!r} in {line} {at}" for name, key, at in zip(names, keys, lines, strict=True) if not key
        ]
        if bare:
            raise ValueError(
                f"dataset.labels.match=digits meets {len(bare)} rows without digits in {self.path} "
                f"({_some(bare)}); use stem or exact"
            )
        first: dict[str, int] = {}
        twice = []
        for row, key in enumerate(keys):
            other = first.setdefault(key, row)
            if other != row:
                spelt = " and ".join(dict.fromkeys((repr(names[other]), repr(names[row]))))
                twice.append(f"{spelt} in {line}s {lines[other]} and {lines[row]}")
        if twice:
            raise ValueError(
                f"{PATH}={self.path} has {len(twice)} rows for an image that has one already, matched by "
                f"{self.match_by}: {_some(twice)}; keep one row of each, or use another dataset.labels.match"
            )
        return {key: int(places[row]) for key, row in first.items()}

    def _keys(self, ids: np.ndarray) -> list[str]:
        keys = [self._key(str(name)) for name in ids]
        bare = [repr(str(name)) for name, key in zip(ids, keys, strict=True) if not key]
        if bare:
            raise ValueError(
                f"dataset.labels.match=digits meets {len(bare)} images without digits ({_some(bare)}); use "
                "stem or exact"
            )
        return keys

    def _check_images(self, keys: list[str], ids: np.ndarray, known: Iterable[str]) -> None:
        """Raise ValueError if a label would go to several images."""
        images: dict[str, list[str]] = {}
        for key, name in zip(keys, ids, strict=True):
            images.setdefault(key, []).append(str(name))
        shared = [names for key, names in images.items() if len(names) > 1 and key in known]
        if shared:
            some = _some([f"{' and '.join(map(repr, names[:3]))}" for names in shared])
            raise ValueError(
                f"dataset.labels.match={self.match_by} gives {len(shared)} labels to several images each: "
                f"{some}; use match=exact, with ids like {str(ids[0])!r} in {self.path.name}"
            )

    def _unmatched(self, ids: "pd.Series[Any]", places: np.ndarray) -> tuple[tuple[str, str], ...]:
        """List the rows that no image has, and count both sides in the log."""
        line, got = ids.index.name, set(places.tolist())
        rest = [place for place in range(len(ids)) if place not in got]
        names = ids.fillna("")
        unmatched = tuple(
            (names.iloc[p], f"{line} {ids.index[p]} of {self.path.name} matches no image" if names.iloc[p]
             else f"{line} {ids.index[p]} of {self.path.name} has no id")
            for p in rest
        )  # fmt: skip
        missing = int((places < 0).sum())
        if missing or unmatched:
            log.warning(
                "%s: %d of %d images have no row, %d of %d rows match no image (unmatched_labels.csv)",
                self.path.name, missing, len(places), len(unmatched), len(ids),
            )  # fmt: skip
        return unmatched

    def _key(self, name: str) -> str:
        """Return what must be equal; "" for a name without digits that is matched by digits."""
        if self.match_by == "exact":
            return name
        path = PurePosixPath(name.replace("\\", "/"))
        if self.match_by == "name":
            return path.name
        stem = path.stem if path.suffix.lower() in IMAGE + FOREIGN else path.name
        if self.match_by == "stem":
            return stem
        digits = "".join(re.findall("[0-9]", stem))
        return digits.lstrip("0").zfill(3) if digits else ""


def _column(table: "pd.DataFrame", key: str, wanted: str | None, usual: tuple[str, ...], path: Path) -> str:
    name = wanted or next((name for name in usual if name in table.columns), None)
    if name is None or name not in table.columns:
        fact = f"={wanted} is no column of {path}"
        if wanted is None:
            fact = f" is not given, and {path} has none of {', '.join(usual)}"
        raise ValueError(f"dataset.labels.{key}{fact}; use one of {', '.join(map(str, table.columns))}")
    return name


def _numbered(names: "pd.Series[Any]", places: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the labels of these rows as numbers, -1 for no row or none in it, and the class names."""
    texts = names.tolist()
    found = [texts[place] if place >= 0 and isinstance(texts[place], str) else None for place in places]
    classes = tuple(sorted({name for name in found if name is not None}, key=natural))
    number = {name: label for label, name in enumerate(classes)}
    return np.array([-1 if name is None else number[name] for name in found], np.int64), classes


def natural(name: str) -> tuple[bool, int, str]:
    """Sort 2 before 10, and numbers before words."""
    number = name.isascii() and name.isdigit()
    return not number, int(name) if number else 0, name


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
