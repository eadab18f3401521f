"""Labels that a table brings to a data set: a CSV or Parquet file of ids and labels."""

import logging
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from experiments.dataset.listing import FOREIGN, IMAGE

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

ID_COLUMNS = ("image_id", "id", "image", "img_id", "file", "filename")
LABEL_COLUMNS = ("applied_label", "labels_txt", "primary_label", "category", "label", "class")
MATCHES = ("exact", "name", "stem", "digits")


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
    match
        What must be equal: `exact` the whole id, `name` the file name, `stem` that without an
        image's ending, `digits` the digits of the stem, padded to three.
    """

    path: Path
    id: str | None = None
    column: str | None = None
    match_by: str = "exact"

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Self:
        """Read `dataset.labels`; raise ValueError that names a setting which is wrong."""
        known = ("path", "id", "column", "match")
        unknown = [name for name in settings if name not in known]
        if unknown:
            raise ValueError(f"dataset.labels.{unknown[0]} is no setting; use {', '.join(known)}")
        if not settings.get("path"):
            raise ValueError("dataset.labels.path is missing; use dataset.labels={path: <CSV or Parquet>}")
        match = settings.get("match") or "exact"
        if match not in MATCHES:
            raise ValueError(f"dataset.labels.match={match} is no way of matching; use {', '.join(MATCHES)}")
        return cls(Path(settings["path"]), settings.get("id"), settings.get("column"), match)

    def match(self, ids: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
        """Return a label per id, int64 (n,) with -1 for none, and the class names.

        Raises
        ------
        ValueError
            If nothing matches, or an image or a row could get two labels.
        """
        label_of = self._label_of_key()
        keys = [self._key(str(name), "an image") for name in ids]
        shared = [key for key, times in Counter(keys).items() if times > 1 and key in label_of]
        if shared:
            raise ValueError(
                f"dataset.labels.match={self.match_by} gives {len(shared)} labels to several images each, "
                f"such as {shared[0]!r}; use match=exact, with ids like {ids[0]!r} in {self.path.name}"
            )
        found = [label_of.get(key) for key in keys]
        missing, unused = found.count(None), len(label_of.keys() - set(keys))
        if missing == len(ids):
            raise ValueError(
                f"dataset.labels.path={self.path} matches no image: it has ids such as "
                f"{next(iter(label_of))!r}, and the images {ids[0]!r}; use another "
                f"dataset.labels.match ({', '.join(MATCHES)})"
            )
        if missing or unused:
            log.warning(
                "%s: %d of %d images have no label and are left out, %d labels match no image",
                self.path.name, missing, len(ids), unused,
            )  # fmt: skip
        names = tuple(sorted({name for name in found if name is not None}, key=_natural))
        number = {name: label for label, name in enumerate(names)}
        return np.array([-1 if name is None else number[name] for name in found], np.int64), names

    def _label_of_key(self) -> dict[str, str]:
        """Read the file as what is matched -> label; rows without a label are as good as absent."""
        table = _read(self.path)
        ids = _column(table, "id", self.id, ID_COLUMNS, self.path)
        label = _column(table, "column", self.column, LABEL_COLUMNS, self.path)
        label_of: dict[str, str] = {}
        for row_id, name in table[[ids, label]].dropna().itertuples(index=False):
            key = self._key(row_id, "a row")
            if label_of.setdefault(key, name) != name:
                raise ValueError(
                    f"dataset.labels.path={self.path} gives {key!r} the labels {label_of[key]!r} and "
                    f"{name!r}; keep one, or use another dataset.labels.match"
                )
        if not label_of:
            raise ValueError(f"dataset.labels.column={label} is empty in {self.path}; use another")
        return label_of

    def _key(self, name: str, whose: str) -> str:
        if self.match_by == "exact":
            return name
        path = PurePosixPath(name.replace("\\", "/"))
        if self.match_by == "name":
            return path.name
        stem = path.stem if path.suffix.lower() in IMAGE + FOREIGN else path.name
        if self.match_by == "stem":
            return stem
        digits = "".join(re.findall("[0-9]", stem))
        if not digits:
            raise ValueError(
                f"dataset.labels.match=digits meets {whose} without digits, {name!r}; use stem or exact"
            )
        return str(int(digits)).zfill(3)


def _read(path: Path) -> "pd.DataFrame":
    """Return the table with every value as text, or missing."""
    import pandas as pd

    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            table = pd.read_parquet(path).convert_dtypes().astype("string")
        else:
            separator = "\t" if path.suffix.lower() == ".tsv" else ","
            table = pd.read_csv(path, sep=separator, dtype="string", keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise ValueError(
            f"dataset.labels.path={path} cannot be read as CSV or Parquet ({error}); use such a file"
        ) from error
    return pd.DataFrame({name: table[name].str.strip() for name in table})


def _column(table: "pd.DataFrame", key: str, wanted: str | None, usual: tuple[str, ...], path: Path) -> str:
    name = wanted or next((name for name in usual if name in table.columns), None)
    if name is None or name not in table.columns:
        fact = f"={wanted} is no column of {path}"
        if wanted is None:
            fact = f" is not given, and {path} has none of {', '.join(usual)}"
        raise ValueError(f"dataset.labels.{key}{fact}; use one of {', '.join(map(str, table.columns))}")
    return name


def _natural(name: str) -> tuple[bool, int, str]:
    """Sort 2 before 10, and numbers before words."""
    number = name.isascii() and name.isdigit()
    return not number, int(name) if number else 0, name
