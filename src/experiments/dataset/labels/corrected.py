"""Whom corrections are about, and the labels that they leave.

The last one about an image counts. A correction is about the image of its id and content; else about the one
of its content, which was renamed; else about the one of its id, whose content was changed. As another data
set may have the same ids, an id alone counts only for the corrections of a run of which at least `SHARE` are
known by content here.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from experiments.dataset.labels.corrections import KEY, Correction, read
from experiments.dataset.labels.joining import Found, natural
from experiments.dataset.tables.matching import known_as, matched
from experiments.messages import counted, few

log = logging.getLogger(__name__)

SHARE = 0.5
FEW = 3


@dataclass(frozen=True, eq=False)
class History:
    """What a log says of n samples.

    Parameters
    ----------
    rows
        The corrections of each row that has some, oldest first, each with what knows it: content or id.
    lost
        The last correction of each image that is none of them.
    foreign
        Ids that samples have too, of images that are taken for another data set's.
    """

    rows: dict[int, list[tuple[Correction, str]]]
    lost: list[Correction]
    foreign: set[str]

    @property
    def last(self) -> dict[int, Correction]:
        """Return the correction that counts of each row."""
        return {row: lines[-1][0] for row, lines in self.rows.items()}


def history(corrections: Sequence[Correction], ids: np.ndarray, hashes: np.ndarray) -> History:
    """Return the row that each correction is about; warn of what a person would not expect."""
    corrections = _as_here(corrections, ids)
    of_id = _rows(ids, {each.id for each in corrections})
    of_hash = _rows(hashes, {each.hash for each in corrections})
    both = {row for each in corrections for row in of_id.get(each.id, ()) if str(hashes[row]) == each.hash}
    ours = _runs(corrections, of_hash)
    rows: dict[int, list[tuple[Correction, str]]] = {}
    lost: dict[tuple[str, str], Correction] = {}
    for each in corrections:
        same, named = of_hash.get(each.hash, []), of_id.get(each.id, [])
        exact = [row for row in same if row in named]
        copies = [row for row in same if row not in both]  # of equal images, one may have its own correction
        about = exact or copies or same or (named if each.run_id in ours else [])
        for row in about:
            rows.setdefault(row, []).append((each, "content" if same else "id"))
        if not about:
            lost[each.id, each.hash] = each
    foreign = {each.id for each in lost.values() if each.id in of_id}
    _warn(ids, rows, len(foreign))
    return History(rows, list(lost.values()), foreign)


def _as_here(corrections: Sequence[Correction], ids: np.ndarray) -> list[Correction]:
    """Return the corrections with the ids that they mean here, as `matched` knows them."""
    names = list(dict.fromkeys(each.id for each in corrections))
    if set(names) <= set(ids.tolist()):
        return list(corrections)
    known = [str(name) for name in ids]
    matches = matched(names, known)
    if matches.loosely():
        log.warning("corrections are of images whose ids are equal: %s", matches.loosely())
    here = {name: known[place] for name, place in zip(names, matches.places, strict=True) if place >= 0}
    return [replace(each, id=here.get(each.id, each.id)) for each in corrections]


def _runs(corrections: Sequence[Correction], of_hash: Mapping[str, list[int]]) -> set[str]:
    """Return the runs that were on this data set: by the images that each corrected."""
    images: dict[str, set[tuple[str, str]]] = {}
    for each in corrections:
        images.setdefault(each.run_id, set()).add((each.id, each.hash))
    return {
        run
        for run, corrected in images.items()
        if sum(content in of_hash for _, content in corrected) >= SHARE * len(corrected)
    }


def _warn(ids: np.ndarray, rows: Mapping[int, list[tuple[Correction, str]]], foreign: int) -> None:
    torn = [
        f"{ids[row]} ({one.after!r} by its {way}, then {other.after!r} by its {another})"
        for row, lines in rows.items()
        for (one, way), (other, another) in pairwise(lines)
        if way != another and one.after != other.after
    ]
    if torn:
        log.warning("two corrections, of which the later one counts: %s", few(torn, FEW))
    changed = [str(ids[row]) for row, lines in rows.items() if lines[-1][1] == "id"]
    if changed:
        images = counted(len(changed), "corrected image has", "corrected images have")
        log.warning("%s another content now, and an unchanged label: %s", images, few(changed, FEW))
    if foreign:
        log.warning(
            "%s of the same name and another content, which are taken for another data set's: less than "
            "half of what their run corrected is here by content",
            counted(foreign, "correction is of an image", "corrections are of images"),
        )


def _rows(values: np.ndarray, wanted: set[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(np.isin(values, sorted(wanted))) if wanted else ():
        rows.setdefault(str(values[row]), []).append(int(row))
    return rows


def corrected(found: Found, path: Path, ids: np.ndarray, hashes: np.ndarray) -> Found:
    """Replace labels by their last corrections; new classes come after those that are known."""
    known = history(read(path), ids, hashes)
    last = known.last
    if found.labels is None and not any(each.after for each in last.values()):
        raise ValueError(
            f"{KEY}={path} has a label for none of the {len(ids)} samples, and they have none of their own; "
            "use the log of this data set"
        )
    labels = np.full(len(ids), -1, np.int64) if found.labels is None else np.array(found.labels)
    meant = {each.after: known_as(each.after, found.class_names) for each in last.values()} | {"": ""}
    new = set(meant.values()) - {*found.class_names, ""}
    names = (*found.class_names, *sorted(new, key=natural))
    number = {name: label for label, name in enumerate(names)} | {"": -1}
    given = changed = 0
    for row, each in last.items():
        given += int(labels[row] < 0)
        label = number[meant[each.after]]
        changed += int(labels[row] not in (-1, label))
        labels[row] = label
    log.info("%s: of %d labels %d are given, %d changed, %d confirmed",
             path.name, len(ids), given, changed, len(last) - given - changed)  # fmt: skip
    unmatched = tuple((each.id, _reason(each, path, known.foreign)) for each in known.lost)
    if unmatched:
        lines = counted(len(unmatched), "correction matches", "corrections match")
        log.warning("%s: %s no image; see unmatched_labels.csv", path.name, lines)
    return replace(found, labels=labels, class_names=names, unmatched=found.unmatched + unmatched)


def _reason(lost: Correction, path: Path, foreign: set[str]) -> str:
    correction = f"correction in {path.name} to {repr(lost.after) if lost.after else 'no label'}"
    if lost.id in foreign:
        return f"{correction} is taken for another data set's: the image has another content here"
    return f"{correction} matches no image, by content or by id"
