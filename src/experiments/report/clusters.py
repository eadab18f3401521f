"""The clusters of a report: their members, the class that most of these have, and the images shown first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.evaluator.measures.majority import Majority, majority

if TYPE_CHECKING:
    import pandas as pd

FIRST = 24  # members of a cluster that are shown before one asks for all


class Cluster(NamedTuple):
    """A cluster, and the most frequent label of its members.

    Parameters
    ----------
    number
        -1 for noise.
    members
        Rows of the members of a report, the nearest to the centre first.
    """

    number: int
    members: list[int]
    majority: Majority

    @property
    def label(self) -> str:
        """The most frequent label, of several the first by name; "" where no member has one."""
        return self.majority.first

    @property
    def share(self) -> float:
        """The part of the labelled members that has it."""
        return self.majority.share if self.majority.labelled else 0.0

    @property
    def labelled(self) -> int:
        """How many members have a label."""
        return self.majority.labelled

    @property
    def composition(self) -> str:
        """The most frequent label in words."""
        return self.majority.phrase(self.size)

    @property
    def size(self) -> int:
        """How many members it has."""
        return len(self.members)

    @property
    def name(self) -> str:
        """The name that a person reads."""
        return "noise" if self.number < 0 else f"cluster {self.number}"


class Member(NamedTuple):
    """A sample below its image; `wrong` if its label is not that of most of its cluster."""

    row: int
    caption: str
    wrong: bool


def clusters(members: "pd.DataFrame") -> list[Cluster]:
    """Return the clusters of the members of a report, by number, noise last."""
    numbers = members["cluster"].to_numpy()
    labels = members["label"].to_numpy(str) if "label" in members else np.full(len(members), "")
    order = sorted(np.unique(numbers).tolist(), key=lambda number: (number < 0, number))
    return [_cluster(number, np.flatnonzero(numbers == number), labels) for number in order]


def shown(members: "pd.DataFrame", groups: Sequence[Cluster], *, pictured: bool) -> list[list[Member]]:
    """Return of each cluster those that are shown first.

    Parameters
    ----------
    pictured
        Each has an image, so that its label below it is enough.
    """
    ids = members["id"].to_list()
    labels = members["label"].to_list() if "label" in members else [""] * len(ids)

    def member(row: int, group: Cluster) -> Member:
        label = labels[row]
        caption = label if label and pictured else f"{ids[row]}: {label}" if label else ids[row]
        return Member(row, caption, bool(label) and group.number >= 0 and label != group.label)

    return [[member(row, group) for row in group.members[:FIRST]] for group in groups]


def _cluster(number: int, rows: np.ndarray, labels: np.ndarray) -> Cluster:
    return Cluster(number, rows.tolist(), majority(labels[rows]))
