"""The clusters of a report: their members, majority classes and first images."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.majority import Majority, majority
from experiments.evaluator.pictures.naming import NO_NAMES, cluster_name
from experiments.numerics.nearest import nearest
from experiments.store.keys import cache_key

if TYPE_CHECKING:
    import pandas as pd

SHOWN_MEMBERS = 24  # members of a cluster that are shown before a click on `show all`
NEAREST = 12  # members that are shown with one
MAX_PRODUCTS = 5e11  # of numbers, for the nearest of all members: 10,000 members of 5,000 values


class Cluster(NamedTuple):
    """A cluster with its majority class.

    Parameters
    ----------
    number
        -1 for noise.
    members
        Row numbers in `Contents.members`, the nearest to the centre first.
    name
        The name in the report.
    """

    number: int
    members: list[int]
    majority: Majority
    name: str

    @property
    def composition(self) -> str:
        """The majority class in words."""
        return self.majority.phrase(self.size)

    @property
    def size(self) -> int:
        """Number of members."""
        return len(self.members)


class Member(NamedTuple):
    """A sample with its caption; `wrong` if its label is not a majority class of its cluster."""

    row: int
    caption: str
    wrong: bool


def _is_wrong(label: str, group: Cluster) -> bool:
    return bool(label) and group.number >= 0 and label not in group.majority.classes


def clusters(members: "pd.DataFrame", names: Mapping[int, str] = NO_NAMES) -> list[Cluster]:
    """Return the clusters of a report's members, sorted by number, noise last."""
    numbers = members["cluster"].to_numpy()
    labels = members["label"].to_numpy(str) if "label" in members else np.full(len(members), "")
    order = sorted(np.unique(numbers).tolist(), key=lambda number: (number < 0, number))
    members_of = {number: np.flatnonzero(numbers == number) for number in order}
    return [
        Cluster(number, rows.tolist(), majority(labels[rows]), cluster_name(number, names))
        for number, rows in members_of.items()
    ]


def shown_members(
    members: "pd.DataFrame", groups: Sequence[Cluster], *, with_images: bool
) -> list[list[Member]]:
    """Return the first members of each cluster.

    Parameters
    ----------
    with_images
        Members have images, so the caption is the label alone, or the file's name without its extension.
    """
    ids = members["id"].to_list()
    labels = members["label"].to_list() if "label" in members else [""] * len(ids)

    def member(row: int, group: Cluster) -> Member:
        label = labels[row]
        name = Path(ids[row]).stem if with_images else ids[row]
        caption = label if label and with_images else f"{name}: {label}" if label else name
        return Member(row, caption, _is_wrong(label, group))

    return [[member(row, group) for row in group.members[:SHOWN_MEMBERS]] for group in groups]


def nearest_members(points: np.ndarray, ctx: Context) -> np.ndarray:
    """Return the rows nearest to each of the points, float32 (m, p), without itself.

    Returns
    -------
    uint16 (m, 12), or fewer columns: of few points, or none if comparing all would take minutes.
    """

    def compute() -> np.ndarray:
        rows, _ = nearest(points, points, count, threads=ctx.threads)
        itself = rows == np.arange(m)[:, None]
        itself[~itself.any(axis=1), -1] = True  # of many equal points, others are listed first
        return np.asarray(rows[~itself].reshape(m, count - 1), np.uint16)

    m, width = points.shape
    count = min(NEAREST + 1, m)
    if m * m * width > MAX_PRODUCTS:
        return np.empty((m, 0), np.uint16)
    return ctx.store.array(cache_key("nearest members", points=points, count=count), compute)
