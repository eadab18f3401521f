"""The rows that evaluators fit on and score under a protocol, with descriptions for reports."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from experiments.metrics import ROWS, TEST, VALIDATION
from experiments.samples import Samples
from experiments.types import Encoder, UnlabelledError

PROTOCOLS = ("held_out", "published")
TEST_SHARE = 0.2  # test share in the published studies


class Subset(NamedTuple):
    """Rows of the metrics with this suffix: int64 row indices, and a description."""

    suffix: str
    rows: np.ndarray
    about: str


def scored_subsets(samples: Samples, trained: bool) -> Iterator[Subset]:
    """Yield the subsets for scoring clusters: all rows; for a trained backbone also validation and test."""
    everything = np.arange(len(samples))
    if not trained:
        yield Subset("", everything, "all rows; the backbone saw no labels")
        return
    about = f"all rows, of which the backbone was trained on {len(samples.labelled_rows('training'))}"
    yield Subset("", everything, about)
    yield from _parts(samples, trained)


def fit_rows(samples: Samples, protocol: str) -> np.ndarray:
    """Return the rows to fit scalers, axes and class means on: training rows, or all if `published`."""
    return samples.rows("training") if protocol == "held_out" else np.arange(len(samples))


def fit_and_score_rows(
    samples: Samples, encoder: Encoder, protocol: str, seed: int
) -> tuple[Subset, list[Subset]]:
    """Return the rows to fit a classifier on, and the subsets to score it on.

    held_out: fit on training rows, score on all others. published: the study's 80/20 split of all rows,
    stratified and drawn with `seed`; a class of one row is in the 80 %. As in the study, scalers and axes are
    then fitted on all rows, including the scored ones (`fit_rows`); they use no labels.
    """
    if protocol == "held_out":
        fitted, others = samples.rows("training"), samples.rows("validation", "test")
        scored = Subset(
            "", others, f"all rows except training rows{_trained_on_text(samples, encoder, others)}"
        )
        return Subset("_train", fitted, "training rows"), [scored, *_parts(samples, encoder.trained)]
    fitted, others = _published_split(np.asarray(samples.labels), seed)
    drawn = f"of all rows, stratified, drawn with seed {seed}"
    about = f"20 % {drawn}{_trained_on_text(samples, encoder, others)}"
    train = Subset("_train", fitted, f"80 % {drawn}; the scaler was fitted on all rows")
    return train, [Subset("", others, about)]


def suffixes(protocol: str) -> tuple[str, ...]:
    """Return the suffixes that the subsets of `fit_and_score_rows` can have."""
    return ROWS if protocol == "held_out" else ROWS[:1]


def check_protocol(prefix: str, protocol: str) -> None:
    """Raise ValueError for an unknown protocol; `prefix` is the evaluator, as in settings."""
    if protocol not in PROTOCOLS:
        raise ValueError(f"{prefix}.protocol={protocol} is not an option; use {' or '.join(PROTOCOLS)}")


def check_labels(samples: Samples, prefix: str, protocol: str) -> np.ndarray:
    """Return the labels; raise ValueError unless two classes have rows to fit on."""
    if samples.labels is None:
        raise UnlabelledError(
            f"{prefix} needs labels and {samples.name} has none; use evaluators that need none, such as "
            "evaluator=[internal,variance], or add labels with dataset.labels.path=..."
        )
    labels = np.asarray(samples.labels)
    classes = len(np.unique(labels[fit_rows(samples, protocol)]))
    if classes < 2:
        raise ValueError(
            f"{prefix} needs two classes and {samples.name} has {classes} to fit on; use two or more classes"
        )
    return labels


def check_scored(samples: Samples, prefix: str, protocol: str) -> None:
    """Raise ValueError if the protocol has no rows to score a classifier on."""
    labels = check_labels(samples, prefix, protocol)
    if protocol == "held_out":
        if not len(samples.rows("validation", "test")):
            raise ValueError(
                f"{prefix} has no rows to score: protocol=held_out and every row is for training; use "
                "dataset.split={train: .8, validation: .2, test: 0}, or protocol=published"
            )
        return
    sizes = np.bincount(labels)
    several = sizes[sizes > 1]
    if np.ceil(TEST_SHARE * several.sum()) < max(len(several), 1):
        raise ValueError(
            f"{prefix} cannot draw 20 % of {several.sum()} rows from each of {len(several)} classes of two "
            "or more rows; use more samples, or protocol=held_out"
        )


def _parts(samples: Samples, trained: bool) -> Iterator[Subset]:
    untrained = "; the backbone saw no labels"
    validation = ", not trained on; they decided when training stopped" if trained else untrained
    unseen = ", unseen" if trained else untrained
    for suffix, part, note in ((VALIDATION, "validation", validation), (TEST, "test", unseen)):
        rows = samples.rows(part)
        if len(rows):
            yield Subset(suffix, rows, f"{part} rows{note}")


def trained_on(samples: Samples, encoder: Encoder, rows: np.ndarray) -> int:
    """Count the rows that the backbone was trained on."""
    return len(np.intersect1d(rows, samples.labelled_rows("training"))) if encoder.trained else 0


def _trained_on_text(samples: Samples, encoder: Encoder, rows: np.ndarray) -> str:
    if not encoder.trained:
        return "; the backbone saw no labels"
    return f"; the backbone was trained on {trained_on(samples, encoder, rows) or 'none'} of them"


def _published_split(labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.model_selection import train_test_split

    several = np.bincount(labels)[labels] > 1
    rows = np.flatnonzero(several)
    fitted, scored = train_test_split(rows, test_size=TEST_SHARE, stratify=labels[rows], random_state=seed)
    return np.sort(np.concatenate([fitted, np.flatnonzero(~several)])), np.sort(scored)
