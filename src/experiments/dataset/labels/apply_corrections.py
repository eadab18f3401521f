"""Match logged label corrections to samples and apply them.

A correction matches the image of equal id and content, else the image of equal content (a renamed file), else
the image of equal id (an edited file). Another data set may use the same ids, so a match by id counts only if
at least `SHARE` of the run's corrected images match by content. An image's last correction counts.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from experiments.dataset.labels.correction_log import KEY, Correction, read_log
from experiments.dataset.labels.joining import JoinedLabels, natural_order
from experiments.dataset.tables.matching import match_names, resolve_name
from experiments.messages import DataError, counted, join_few

log = logging.getLogger(__name__)

SHARE = 0.5
LISTED = 3  # largest number of examples in a warning


@dataclass(frozen=True, eq=False)
class History:
    """The corrections of n samples.

    Parameters
    ----------
    rows
        The corrections of each corrected row, oldest first, with the kind of match: `content` or `id`.
    unmatched
        The last correction of each image without a sample.
    foreign
        Ids of samples whose corrections seem to belong to another data set.
    """

    rows: dict[int, list[tuple[Correction, str]]]
    unmatched: list[Correction]
    foreign: set[str]

    @property
    def last(self) -> dict[int, Correction]:
        """Return the last correction of each corrected row."""
        return {row: lines[-1][0] for row, lines in self.rows.items()}


def match_corrections(corrections: Sequence[Correction], ids: np.ndarray, hashes: np.ndarray) -> History:
    """Match corrections to rows; warn of conflicts and of changed files."""
    corrections = _with_sample_ids(corrections, ids)
    of_id = _rows(ids, {correction.id for correction in corrections})
    of_hash = _rows(hashes, {correction.hash for correction in corrections})
    both = {
        row
        for correction in corrections
        for row in of_id.get(correction.id, ())
        if str(hashes[row]) == correction.hash
    }
    runs = _runs_of_this_data(corrections, of_hash)
    rows: dict[int, list[tuple[Correction, str]]] = {}
    unmatched: dict[tuple[str, str], Correction] = {}
    for correction in corrections:
        same, named = of_hash.get(correction.hash, []), of_id.get(correction.id, [])
        exact = [row for row in same if row in named]
        copies = [row for row in same if row not in both]  # skip copies with a correction of their own
        matches = exact or copies or same or (named if correction.run_id in runs else [])
        for row in matches:
            rows.setdefault(row, []).append((correction, "content" if same else "id"))
        if not matches:
            unmatched[correction.id, correction.hash] = correction
    foreign = {correction.id for correction in unmatched.values() if correction.id in of_id}
    _warn(ids, rows, len(foreign))
    return History(rows, list(unmatched.values()), foreign)


def _with_sample_ids(corrections: Sequence[Correction], ids: np.ndarray) -> list[Correction]:
    """Return the corrections with the samples' spelling of ids, by the rules of `match_names`."""
    names = list(dict.fromkeys(correction.id for correction in corrections))
    if set(names) <= set(ids.tolist()):
        return list(corrections)
    known = [str(name) for name in ids]
    matches = match_names(names, known)
    if matches.loosely():
        log.warning("ids of corrections match ids of images only approximately: %s", matches.loosely())
    sample_id = {name: known[row] for name, row in zip(names, matches.positions, strict=True) if row >= 0}
    return [replace(correction, id=sample_id.get(correction.id, correction.id)) for correction in corrections]


def _runs_of_this_data(corrections: Sequence[Correction], of_hash: Mapping[str, list[int]]) -> set[str]:
    """Return the ids of runs with at least `SHARE` of their corrected images matched by content."""
    images: dict[str, set[tuple[str, str]]] = {}
    for correction in corrections:
        images.setdefault(correction.run_id, set()).add((correction.id, correction.hash))
    return {
        run
        for run, corrected in images.items()
        if sum(content in of_hash for _, content in corrected) >= SHARE * len(corrected)
    }


def _warn(ids: np.ndarray, rows: Mapping[int, list[tuple[Correction, str]]], foreign: int) -> None:
    conflicts = [
        f"{ids[row]} ({old.after!r} by its {old_match}, then {new.after!r} by its {new_match})"
        for row, lines in rows.items()
        for (old, old_match), (new, new_match) in pairwise(lines)
        if old_match != new_match and old.after != new.after
    ]
    if conflicts:
        log.warning("conflicting corrections, the later one is used: %s", join_few(conflicts, LISTED))
    changed = [str(ids[row]) for row, lines in rows.items() if lines[-1][1] == "id"]
    if changed:
        images = counted(len(changed), "corrected image has", "corrected images have")
        log.warning(
            "%s new content but the same id, and the label stays: %s", images, join_few(changed, LISTED)
        )
    if foreign:
        log.warning(
            "%s ignored, as they seem to belong to another data set: the ids match, but most images that the "
            "same run corrected have other content here",
            counted(foreign, "correction is", "corrections are"),
        )


def _rows(values: np.ndarray, wanted: set[str]) -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row in np.flatnonzero(np.isin(values, sorted(wanted))) if wanted else ():
        rows.setdefault(str(values[row]), []).append(int(row))
    return rows


def apply_corrections(
    labelled: JoinedLabels, path: Path, ids: np.ndarray, hashes: np.ndarray
) -> JoinedLabels:
    """Replace labels by their last corrections; new classes come after the existing ones."""
    history = match_corrections(read_log(path), ids, hashes)
    last = history.last
    if labelled.labels is None and not any(correction.after for correction in last.values()):
        raise DataError(
            KEY,
            path,
            f" matches none of the {len(ids)} samples, and the data set has no labels",
            "use the log of this data set",
        )
    labels = np.full(len(ids), -1, np.int64) if labelled.labels is None else np.array(labelled.labels)
    resolved = {
        correction.after: resolve_name(correction.after, labelled.class_names) for correction in last.values()
    } | {"": ""}
    new = set(resolved.values()) - {*labelled.class_names, ""}
    names = (*labelled.class_names, *sorted(new, key=natural_order))
    number = {name: label for label, name in enumerate(names)} | {"": -1}
    added = changed = 0
    for row, correction in last.items():
        added += int(labels[row] < 0)
        label = number[resolved[correction.after]]
        changed += int(labels[row] not in (-1, label))
        labels[row] = label
    log.info("%s: of %d labels, %d added, %d changed, %d confirmed",
             path.name, len(ids), added, changed, len(last) - added - changed)  # fmt: skip
    unmatched = tuple(
        (correction.id, _reason(correction, path, history.foreign)) for correction in history.unmatched
    )
    if unmatched:
        lines = counted(len(unmatched), "correction matches", "corrections match")
        log.warning("%s: %s no image; see unmatched_labels.csv", path.name, lines)
    return replace(labelled, labels=labels, class_names=names, unmatched=labelled.unmatched + unmatched)


def _reason(unmatched: Correction, path: Path, foreign: set[str]) -> str:
    correction = f"correction in {path.name} to {repr(unmatched.after) if unmatched.after else 'no label'}"
    if unmatched.id in foreign:
        return f"{correction} seems to belong to another data set: the image has other content here"
    return f"{correction} matches no image, neither by content nor by id"
