"""The most frequent class of a cluster; equally frequent ones are all named, in alphabetical order."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

MOSTLY = 0.5  # smallest share for "mostly"
NAMED = 3  # largest number of equally frequent classes in a text


class Majority(NamedTuple):
    """The most frequent class of some rows.

    Parameters
    ----------
    classes
        Its name, and the names of equally frequent ones; empty if no row has a label.
    share
        Share of each of them among the labelled rows; 0 if no row has a label.
    labelled
        Number of rows that have a label.
    """

    classes: tuple[str, ...]
    share: float
    labelled: int

    @property
    def first(self) -> str:
        """Return the first of the classes, "" if there is none."""
        return self.classes[0] if self.classes else ""

    @property
    def tied(self) -> bool:
        """Return True if several classes are equally frequent."""
        return len(self.classes) > 1

    @property
    def name(self) -> str:
        """Return the name of the class, or of the tied classes."""
        return listed(self.classes)

    def phrase(self, rows: int) -> str:
        """Return a text on a cluster of `rows` rows, such as "mostly cat (80%)"; "" without labels."""
        if not self.classes:
            return ""
        base = f" of {self.labelled:,} labelled" if self.labelled < rows else ""
        if self.tied:
            return f"tied: {self.name} ({self.share:.0%} each{base})"
        degree = "mostly" if self.share >= MOSTLY else "largest class"
        return f"{degree} {self.first} ({self.share:.0%}{base})"


def majority(labels: np.ndarray) -> Majority:
    """Return the most frequent of the labels, str (n,); "" is no label."""
    known = labels[labels != ""].astype(str)
    names, counts = np.unique(known, return_counts=True)
    return of_counts(names.tolist(), counts)


def of_counts(names: Sequence[str], counts: np.ndarray) -> Majority:
    """Return the most frequent class, given the number of rows of each, int (classes,)."""
    labelled = int(counts.sum())
    if not labelled:
        return Majority((), 0.0, 0)
    most = int(counts.max())
    classes = sorted(names[index] for index in np.flatnonzero(counts == most).tolist())
    return Majority(tuple(classes), most / labelled, labelled)


def listed(classes: Sequence[str]) -> str:
    """Return class names as text, only the first of many."""
    return ", ".join(classes[:NAMED]) + " …" * (len(classes) > NAMED)
