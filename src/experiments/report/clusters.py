"""The clusters of a report: their members, the class that most of these have, and the images shown first."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.evaluator.measures.majority import Majority, majority

if TYPE_CHECKING:
    import pandas as pd

FIRST = 24  # members of a cluster that are shown before one asks for all


class Cluster(NamedTuple):
    """A cluster, and the class that most of its labelled members have.

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
    def composition(self) -> str:
        """The most frequent class in words."""
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


def _is_wrong(label: str, group: Cluster) -> bool:
    return bool(label) and group.number >= 0 and label not in group.majority.classes


def clusters(members: "pd.DataFrame") -> list[Cluster]:
    """Return the clusters of the members of a report, by number, noise last."""
    numbers = members["cluster"].to_numpy()
    labels = members["label"].to_numpy(str) if "label" in members else np.full(len(members), "")
    order = sorted(np.unique(numbers).tolist(), key=lambda number: (number < 0, number))
    members_of = {number: np.flatnonzero(numbers == number) for number in order}
    return [Cluster(number, rows.tolist(), majority(labels[rows])) for number, rows in members_of.items()]


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
        return Member(row, caption, _is_wrong(label, group))

    return [[member(row, group) for row in group.members[:FIRST]] for group in groups]
