"""Match the rows of a label table to images by id."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.dataset.images.formats import FOREIGN, IMAGE
from experiments.dataset.tables.matching import EXACT, LOOSE, Matches, canonical_number, match_names
from experiments.messages import join_few

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

PATH = "dataset.labels.path"
MATCHES = {"exact": EXACT, "name": "by file name", "stem": "by stem", "digits": "by digits"}
LISTED = 5  # largest number of examples in an error


def match_key(name: str, match_by: str) -> str:
    """Return the part of a name that is compared; "" if `match_by` is digits and the name has none."""
    if match_by == "exact":
        return name
    path = PurePosixPath(name.replace("\\", "/"))
    if match_by == "name":
        return path.name
    stem = path.stem if path.suffix.strip().lower() in IMAGE + FOREIGN else path.name
    if match_by == "stem":
        return stem
    value = canonical_number(stem)
    digits = value if "." in value else "".join(re.findall("[0-9]", value or stem))
    return digits.lstrip("0") or digits[:1]


@dataclass(frozen=True, eq=False)
class LabelRows:
    """The rows of a label table, identified by a column of ids.

    Parameters
    ----------
    column
        The ids as text, NA for none; its index has the line or row numbers of the file.
    match_by
        One of `MATCHES`.
    path
        The file, for messages.
    """

    column: "pd.Series[Any]"
    match_by: str
    path: Path

    def of(self, ids: np.ndarray) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
        """Return the row of each image, int64 (n,), -1 for none, and (id, reason) of each unmatched row.

        Equal ids always match, whatever `match_by` is.

        Raises
        ------
        ValueError
            If nothing matches, or an image matches two rows, or a row matches several images.
        """
        images = [str(name) for name in ids]
        rows = [name if isinstance(name, str) else "" for name in self.column]
        named_rows = [row for row, name in enumerate(rows) if name]
        row_of_image = np.full(len(images), -1, np.int64)
        equal = 0
        if self.match_by != "exact":
            times, image_of = Counter(rows), {name: image for image, name in enumerate(images)}
            for row in named_rows:
                if times[rows[row]] == 1 and rows[row] in image_of:
                    row_of_image[image_of[rows[row]]] = row
            equal = int((row_of_image >= 0).sum())
            used = set(row_of_image.tolist())
            named_rows = [row for row in named_rows if row not in used]
        row_of_image, matches, unclear = self._by_key(images, rows, named_rows, row_of_image)
        self._log_matches(matches, equal, int((row_of_image < 0).sum()), len(images))
        return row_of_image, self._unmatched(rows, row_of_image, unclear)

    def _by_key(
        self, images: list[str], rows: list[str], named_rows: list[int], row_of_image: np.ndarray
    ) -> tuple[np.ndarray, Matches, dict[int, str]]:
        """Match the remaining images by key; return `row_of_image`, the matches, and the ambiguous rows."""
        free = np.flatnonzero(row_of_image < 0).tolist() if named_rows else []
        keys = [match_key(name, self.match_by) for name in images]
        keyless = [repr(images[image]) for image in free if not keys[image]]
        if keyless:
            raise ValueError(
                f"dataset.labels.match=digits needs digits in all ids, but {len(keyless)} images have none "
                f"({join_few(keyless, LISTED)}); use stem or exact"
            )
        row_keys = [match_key(rows[row], self.match_by) for row in named_rows]
        matches = match_names(row_keys, [keys[image] for image in free], LOOSE)
        if (matches.positions < 0).all() and (row_of_image < 0).all():
            raise ValueError(self._no_match(images, [name for name in rows if name]))
        self._check_rows(rows, named_rows, row_keys)
        hits = np.flatnonzero(matches.positions >= 0)
        self._check_images(images, keys, {row_keys[hit] for hit in hits}, free)
        row_of_image = row_of_image.copy()
        row_of_image[np.array(free, np.int64)[matches.positions[hits]]] = np.array(named_rows, np.int64)[hits]
        return row_of_image, matches, {named_rows[i]: name for i, name in matches.unclear.items()}

    def _check_rows(self, rows: list[str], named_rows: list[int], keys: list[str]) -> None:
        """Raise ValueError if a row has no key, or two rows have the same one."""
        unit, lines = self.column.index.name, self.column.index
        keyless = [
            f"{rows[row]!r} in {unit} {lines[row]}"
            for row, key in zip(named_rows, keys, strict=True)
            if not key
        ]
        if keyless:
            raise ValueError(
                f"dataset.labels.match=digits needs digits in all ids, but {len(keyless)} rows of "
                f"{self.path} have none ({join_few(keyless, LISTED)}); use stem or exact"
            )
        first: dict[str, int] = {}
        duplicates = []
        for row, key in zip(named_rows, keys, strict=True):
            other = first.setdefault(key, row)
            if other != row:
                names = " and ".join(dict.fromkeys((repr(rows[other]), repr(rows[row]))))
                duplicates.append(f"{names} in {unit}s {lines[other]} and {lines[row]}")
        if duplicates:
            raise ValueError(
                f"{PATH}={self.path} has {len(duplicates)} duplicate rows when matched by {self.match_by}: "
                f"{join_few(duplicates, LISTED)}; keep one row of each, or use another dataset.labels.match"
            )

    def _check_images(self, images: list[str], keys: list[str], known: set[str], free: list[int]) -> None:
        """Raise ValueError if a row matches several images."""
        by_key: dict[str, list[str]] = {}
        for key, name in zip(keys, images, strict=True):
            by_key.setdefault(key, []).append(name)
        open_keys = {keys[image] for image in free}
        shared = [names for key, names in by_key.items() if len(names) > 1 and key in known & open_keys]
        if shared:
            examples = join_few((" and ".join(map(repr, names[:3])) for names in shared), LISTED)
            raise ValueError(
                f"dataset.labels.match={self.match_by} matches {len(shared)} rows to several images each: "
                f"{examples}; use match=exact, with ids like {images[0]!r} in {self.path.name}"
            )

    def _no_match(self, images: Sequence[str], rows: Sequence[str]) -> str:
        counts = {rule: len(_keys(images, rule) & _keys(rows, rule)) for rule in MATCHES}
        best = max(counts, key=lambda rule: counts[rule])
        remedy = f"another dataset.labels.match ({', '.join(MATCHES)})"
        if counts[best]:
            remedy = f"dataset.labels.match={best}, which matches {counts[best]}"
        return (
            f"{PATH}={self.path} matches no image: its ids are like {rows[0]!r}, those of the images like "
            f"{images[0]!r}; use {remedy}"
        )

    def _log_matches(self, matches: Matches, equal: int, without: int, n: int) -> None:
        """Log the number of matched images per rule; as a warning if a looser rule was needed."""
        parts = [f"{equal} {EXACT}"] if equal else []
        by_key = len(matches.rules.get(EXACT, ()))
        parts += [f"{by_key} {MATCHES[self.match_by]}"] if by_key else []
        loosely = matches.loosely()
        write: Callable[..., None] = log.warning if loosely else log.info
        parts += [loosely] if loosely else []
        write("%s: %d of %d images have a row: %s", self.path.name, n - without, n, ", ".join(parts))

    def _unmatched(
        self, rows: list[str], row_of_image: np.ndarray, unclear: dict[int, str]
    ) -> tuple[tuple[str, str], ...]:
        """Return (id, reason) of the unmatched rows; log the numbers of unmatched rows and images."""
        unit, lines, used = self.column.index.name, self.column.index, set(row_of_image.tolist())
        unmatched = []
        for row, name in enumerate(rows):
            if row in used:
                continue
            reason = "matches no image" if name else "has no id"
            reason += f" uniquely: {unclear[row]!r} and others are similar" if row in unclear else ""
            unmatched.append((name, f"{unit} {lines[row]} of {self.path.name} {reason}"))
        missing = int((row_of_image < 0).sum())
        if missing or unmatched:
            log.warning(
                "%s: %d of %d images have no row, %d of %d rows match no image (unmatched_labels.csv)",
                self.path.name, missing, len(row_of_image), len(unmatched), len(rows),
            )  # fmt: skip
        return tuple(unmatched)


def _keys(names: Sequence[str], match_by: str) -> set[str]:
    return {match_key(name, match_by) for name in names} - {""}
