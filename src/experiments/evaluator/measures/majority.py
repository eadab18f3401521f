"""The most frequent class of a cluster, by one rule: equals are all named, the first by name first."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

MOSTLY = 0.5  # the share from which a cluster is "mostly" of a class
NAMED = 3  # classes that are named of those equally frequent


class Majority(NamedTuple):
    """The most frequent class of some rows.

    Parameters
    ----------
    classes
        Its name, and those of the classes that are as frequent; empty where no row has a label.
    share
        Of each of them among the labelled rows; 0 without one.
    labelled
        How many rows have a label.
    """

    classes: tuple[str, ...]
    share: float
    labelled: int

    @property
    def first(self) -> str:
        """The first of the classes, "" if there is none."""
        return self.classes[0] if self.classes else ""

    @property
    def tied(self) -> bool:
        """True if several classes are equally frequent."""
        return len(self.classes) > 1

    @property
    def name(self) -> str:
        """The class, or those that are tied for it."""
        return listed(self.classes)

    def phrase(self, rows: int) -> str:
        """Return what a cluster of so many rows holds, such as "mostly cat (80 %)"; "" without labels."""
        if not self.classes:
            return ""
        of = f" of {self.labelled:,} labelled" if self.labelled < rows else ""
        if self.tied:
            return f"tied: {self.name} ({self.share:.0%} each{of})"
        what = "mostly" if self.share >= MOSTLY else "largest class"
        return f"{what} {self.first} ({self.share:.0%}{of})"


def majority(labels: np.ndarray) -> Majority:
    """Return the most frequent of the labels, str (n,), of which "" is none."""
    known = labels[labels != ""].astype(str)
    names, counts = np.unique(known, return_counts=True)
    return of_counts(names.tolist(), counts)


def of_counts(names: Sequence[str], counts: np.ndarray) -> Majority:
    """Return the most frequent class by the number of rows of each, int (classes,)."""
    labelled = int(counts.sum())
    if not labelled:
        return Majority((), 0.0, 0)
    most = int(counts.max())
    classes = sorted(names[place] for place in np.flatnonzero(counts == most).tolist())
    return Majority(tuple(classes), most / labelled, labelled)


def listed(classes: Sequence[str]) -> str:
    """Return the names of classes, the first few of many."""
    return ", ".join(classes[:NAMED]) + " …" * (len(classes) > NAMED)
