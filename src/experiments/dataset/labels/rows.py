"""Which row of a table of labels is about which image."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.dataset.images.formats import FOREIGN, IMAGE
from experiments.dataset.tables.matching import EXACT, LOOSE, Matches, matched, number
from experiments.messages import few

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)

PATH = "dataset.labels.path"
MATCHES = {"exact": EXACT, "name": "by file name", "stem": "by stem", "digits": "by digits"}
NAMED = 5  # of what an error is about


def key_of(name: str, match_by: str) -> str:
    """Return what must be equal; "" for a name without digits that is matched by digits."""
    if match_by == "exact":
        return name
    path = PurePosixPath(name.replace("\\", "/"))
    if match_by == "name":
        return path.name
    stem = path.stem if path.suffix.strip().lower() in IMAGE + FOREIGN else path.name
    if match_by == "stem":
        return stem
    value = number(stem)
    digits = value if "." in value else "".join(re.findall("[0-9]", value or stem))
    return digits.lstrip("0") or digits[:1]


@dataclass(frozen=True, eq=False)
class LabelRows:
    """The rows of a table of labels, by the ids in one of its columns.

    Parameters
    ----------
    column
        The ids as text, NA for none; its index says where each row stands.
    match_by
        One of `MATCHES`.
    path
        The file, for messages.
    """

    column: "pd.Series[Any]"
    match_by: str
    path: Path

    def of(self, ids: np.ndarray) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
        """Return the row of each image, int64 (n,), -1 for none, and (id, reason) of the rows of no image.

        Ids that are equal belong together however the rest is matched.

        Raises
        ------
        ValueError
            If nothing matches, or an image could get two rows, or a row several images.
        """
        images = [str(name) for name in ids]
        rows = [name if isinstance(name, str) else "" for name in self.column]
        there = [row for row, name in enumerate(rows) if name]
        places = np.full(len(images), -1, np.int64)
        equal = 0
        if self.match_by != "exact":
            times, place_of = Counter(rows), {name: place for place, name in enumerate(images)}
            for row in there:
                if times[rows[row]] == 1 and rows[row] in place_of:
                    places[place_of[rows[row]]] = row
            equal = int((places >= 0).sum())
            used = set(places.tolist())
            there = [row for row in there if row not in used]
        places, matches, unclear = self._by_key(images, rows, there, places)
        self._say(matches, equal, int((places < 0).sum()), len(images))
        return places, self._unmatched(rows, places, unclear)

    def _by_key(
        self, images: list[str], rows: list[str], there: list[int], places: np.ndarray
    ) -> tuple[np.ndarray, Matches, dict[int, str]]:
        """Return `places` with the rows of the images that had none, how they match, and what is unclear."""
        free = np.flatnonzero(places < 0).tolist() if there else []
        keys = [key_of(name, self.match_by) for name in images]
        bare = [repr(images[place]) for place in free if not keys[place]]
        if bare:
            raise ValueError(
                f"dataset.labels.match=digits meets {len(bare)} images without digits ({few(bare, NAMED)}); "
                "use stem or exact"
            )
        row_keys = [key_of(rows[row], self.match_by) for row in there]
        matches = matched(row_keys, [keys[place] for place in free], LOOSE)
        if (matches.places < 0).all() and (places < 0).all():
            raise ValueError(self._no_match(images, [name for name in rows if name]))
        self._check_rows(rows, there, row_keys)
        self._check_images(images, keys, {row_keys[at] for at in np.flatnonzero(matches.places >= 0)}, free)
        found = np.flatnonzero(matches.places >= 0)
        places = places.copy()
        places[np.array(free, np.int64)[matches.places[found]]] = np.array(there, np.int64)[found]
        return places, matches, {there[at]: name for at, name in matches.unclear.items()}

    def _check_rows(self, rows: list[str], there: list[int], keys: list[str]) -> None:
        """Raise ValueError if a row has nothing to match by, or two rows are of one image."""
        unit, lines = self.column.index.name, self.column.index
        keyless = [row for row, key in zip(there, keys, strict=True) if not key]
        bare = [f"{rows[row]!r} in {unit} {lines[row]}" for row in keyless]
        if bare:
            raise ValueError(
                f"dataset.labels.match=digits meets {len(bare)} rows without digits in {self.path} "
                f"({few(bare, NAMED)}); use stem or exact"
            )
        first: dict[str, int] = {}
        twice = []
        for row, key in zip(there, keys, strict=True):
            other = first.setdefault(key, row)
            if other != row:
                spelt = " and ".join(dict.fromkeys((repr(rows[other]), repr(rows[row]))))
                twice.append(f"{spelt} in {unit}s {lines[other]} and {lines[row]}")
        if twice:
            raise ValueError(
                f"{PATH}={self.path} has {len(twice)} rows for an image that has one already, matched by "
                f"{self.match_by}: {few(twice, NAMED)}; keep one row of each, or use another "
                "dataset.labels.match"
            )

    def _check_images(self, images: list[str], keys: list[str], known: set[str], free: list[int]) -> None:
        """Raise ValueError if a label would go to several images."""
        alike: dict[str, list[str]] = {}
        for key, name in zip(keys, images, strict=True):
            alike.setdefault(key, []).append(name)
        open_keys = {keys[place] for place in free}
        shared = [names for key, names in alike.items() if len(names) > 1 and key in known & open_keys]
        if shared:
            some = few((" and ".join(map(repr, names[:3])) for names in shared), NAMED)
            raise ValueError(
                f"dataset.labels.match={self.match_by} gives {len(shared)} labels to several images each: "
                f"{some}; use match=exact, with ids like {images[0]!r} in {self.path.name}"
            )

    def _no_match(self, images: Sequence[str], rows: Sequence[str]) -> str:
        counts = {way: len(_keys(images, way) & _keys(rows, way)) for way in MATCHES}
        best = max(counts, key=lambda way: counts[way])
        remedy = f"another dataset.labels.match ({', '.join(MATCHES)})"
        if counts[best]:
            remedy = f"dataset.labels.match={best}, by which {counts[best]} match"
        return (
            f"{PATH}={self.path} matches no image: it has ids such as {rows[0]!r}, and the images "
            f"{images[0]!r}; use {remedy}"
        )

    def _say(self, matches: Matches, equal: int, without: int, n: int) -> None:
        """Log how many images have a row by which rule: a warning if a looser rule was needed."""
        parts = [f"{equal} {EXACT}"] if equal else []
        plain = len(matches.rules.get(EXACT, ()))
        parts += [f"{plain} {MATCHES[self.match_by]}"] if plain else []
        loosely = matches.loosely()
        say: Callable[..., None] = log.warning if loosely else log.info
        parts += [loosely] if loosely else []
        say("%s: %d of %d images have a row: %s", self.path.name, n - without, n, ", ".join(parts))

    def _unmatched(
        self, rows: list[str], places: np.ndarray, unclear: dict[int, str]
    ) -> tuple[tuple[str, str], ...]:
        """List the rows that no image has, and count both sides in the log."""
        unit, lines, used = self.column.index.name, self.column.index, set(places.tolist())
        unmatched = []
        for row, name in enumerate(rows):
            if row in used:
                continue
            why = "matches no image" if name else "has no id"
            why += f" for sure; it is like {unclear[row]!r}, but not alone" if row in unclear else ""
            unmatched.append((name, f"{unit} {lines[row]} of {self.path.name} {why}"))
        missing = int((places < 0).sum())
        if missing or unmatched:
            log.warning(
                "%s: %d of %d images have no row, %d of %d rows match no image (unmatched_labels.csv)",
                self.path.name, missing, len(places), len(unmatched), len(rows),
            )  # fmt: skip
        return tuple(unmatched)


def _keys(names: Sequence[str], match_by: str) -> set[str]:
    return {key_of(name, match_by) for name in names} - {""}
