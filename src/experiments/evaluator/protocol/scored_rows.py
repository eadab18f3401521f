"""Which rows an evaluator fits on and scores, and what is to be said of them."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from experiments.metrics import ROWS, TEST, VALIDATION
from experiments.samples import Samples
from experiments.types import Encoder, UnlabelledError

PROTOCOLS = ("held_out", "published")
TEST_SHARE = 0.2  # of the study's own split


class View(NamedTuple):
    """Rows that figures with this suffix are about: int64 row numbers, and what they are."""

    suffix: str
    rows: np.ndarray
    about: str


def views(samples: Samples, trained: bool) -> Iterator[View]:
    """Give what clusters are scored on: all rows, and those alone that a trained backbone was not shown."""
    everything = np.arange(len(samples))
    if not trained:
        yield View("", everything, "all rows; the backbone saw no labels")
        return
    about = f"all rows, of which the backbone was trained on {len(samples.labelled_rows('training'))}"
    yield View("", everything, about)
    yield from _parts(samples, trained)


def visible(samples: Samples, protocol: str) -> np.ndarray:
    """Return the rows that scalers, axes and class means may see: training rows, or all if `published`."""
    return samples.rows("training") if protocol == "held_out" else np.arange(len(samples))


def sides(samples: Samples, encoder: Encoder, protocol: str, seed: int) -> tuple[View, list[View]]:
    """Return the rows that a classifier is fitted on, and the views that it is scored on.

    held_out: the training rows, against all others. published: the study's own 80/20 split of all rows,
    stratified and drawn with `seed`; a class of one row is fitted on. As in the study, scalers and axes come
    from all rows then, the scored ones too (`visible`); no label reaches them.
    """
    if protocol == "held_out":
        fitted, others = samples.rows("training"), samples.rows("validation", "test")
        scored = View("", others, f"all rows that are not for training{_seen(samples, encoder, others)}")
        return View("_train", fitted, "training rows"), [scored, *_parts(samples, encoder.trained)]
    fitted, others = _own_split(np.asarray(samples.labels), seed)
    drawn = f"of all rows, stratified, drawn with seed {seed}"
    about = f"20 % {drawn}{_seen(samples, encoder, others)}"
    return View("_train", fitted, f"80 % {drawn}; the scaler saw all rows"), [View("", others, about)]


def suffixes(protocol: str) -> tuple[str, ...]:
    """Return those that the views of `sides` may have."""
    return ROWS if protocol == "held_out" else ROWS[:1]


def check_protocol(place: str, protocol: str) -> None:
    """Raise ValueError for a protocol that there is not."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"{place}.protocol={protocol} is not an option; use {' or '.join(PROTOCOLS)}")


def check_labels(samples: Samples, place: str, protocol: str) -> np.ndarray:
    """Return the labels; raise ValueError unless two classes have rows that may be fitted on."""
    if samples.labels is None:
        raise UnlabelledError(
            f"{place} needs labels and {samples.name} has none; choose evaluators that need none, such as "
            "evaluator=[internal,variance], or bring labels with dataset.labels.path=..."
        )
    labels = np.asarray(samples.labels)
    classes = len(np.unique(labels[visible(samples, protocol)]))
    if classes < 2:
        raise ValueError(
            f"{place} needs two classes and {samples.name} has {classes} to fit on; use data of two or more"
        )
    return labels


def check_scored(samples: Samples, place: str, protocol: str) -> None:
    """Raise ValueError if the protocol leaves no row to score a classifier on."""
    labels = check_labels(samples, place, protocol)
    if protocol == "held_out":
        if not len(samples.rows("validation", "test")):
            raise ValueError(
                f"{place} has no rows to score: protocol=held_out and every row is for training; use "
                "dataset.split={train: .8, validation: .2, test: 0}, or protocol=published"
            )
        return
    sizes = np.bincount(labels)
    several = sizes[sizes > 1]
    if np.ceil(TEST_SHARE * several.sum()) < max(len(several), 1):
        raise ValueError(
            f"{place} cannot draw 20 % of {several.sum()} rows from each of {len(several)} classes of two "
            "or more rows; use more samples, or protocol=held_out"
        )


def _parts(samples: Samples, trained: bool) -> Iterator[View]:
    untrained = "; the backbone saw no labels"
    chose = ", not trained on; they chose when training stopped" if trained else untrained
    unseen = ", unseen" if trained else untrained
    for suffix, part, note in ((VALIDATION, "validation", chose), (TEST, "test", unseen)):
        rows = samples.rows(part)
        if len(rows):
            yield View(suffix, rows, f"{part} rows{note}")


def trained_on(samples: Samples, encoder: Encoder, rows: np.ndarray) -> int:
    """Count the rows that the backbone was trained on."""
    return len(np.intersect1d(rows, samples.labelled_rows("training"))) if encoder.trained else 0


def _seen(samples: Samples, encoder: Encoder, rows: np.ndarray) -> str:
    if not encoder.trained:
        return "; the backbone saw no labels"
    return f"; the backbone was trained on {trained_on(samples, encoder, rows) or 'none'} of them"


def _own_split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    several = np.bincount(labels)[labels] > 1
    rows = np.flatnonzero(several)
    fitted, scored = train_test_split(rows, test_size=TEST_SHARE, stratify=labels[rows], random_state=seed)
    return np.sort(np.concatenate([fitted, np.flatnonzero(~several)])), np.sort(scored)
