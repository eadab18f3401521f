"""What a report tells, and nothing of how it looks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from experiments.figures import ImageSheets
from experiments.figures.specs import Figure

if TYPE_CHECKING:
    import pandas as pd

LEVELS = ("chance", "ceiling", "supervised")  # what a metric may be compared with


@dataclass(frozen=True)
class Headline:
    """A metric and what it may be compared with; None where that is not known.

    Parameters
    ----------
    about
        What it measures, and of which rows.
    chance
        What clusters get that know nothing.
    ceiling
        The best that so many clusters can get.
    supervised
        What a classifier gets that was told the labels.
    """

    name: str
    value: float
    about: str
    chance: float | None = None
    ceiling: float | None = None
    supervised: float | None = None

    @property
    def levels(self) -> dict[str, float]:
        """The levels that are known, by name."""
        levels = zip(LEVELS, (self.chance, self.ceiling, self.supervised), strict=True)
        return {name: level for name, level in levels if level is not None}


@dataclass(frozen=True, eq=False)
class Contents:
    """What the report of a run tells.

    Parameters
    ----------
    summary
        The run in one sentence.
    facts
        What was run, by name: data, stages, commit, device, times.
    config
        All settings, as YAML.
    members
        A row for each sample that is shown, by cluster, noise last, and the nearest to the centre first:
        `id`, `cluster`, and `label` if there are labels.
    maps
        Where each of the members is in the plane, float (m, 2), by the map's name, the first shown first.
    left_out
        Samples that are not shown.
    images
        uint8 (m, S, S, 3): one for each of the members, or none.
    classes, clusters
        How each class and each cluster came out, the worst first; empty without labels.
    notes
        What a figure leaves out, by the figure's name; of `map` why it is PCA's.
    pictures
        Further images that evaluators show.
    verdict
        Which k most methods choose; empty if that was not asked.
    unseen
        Names of figures that stand nowhere in the report.
    tables
        Every table as CSV, by the name of its file.
    """

    title: str
    summary: str
    facts: Mapping[str, str]
    config: str
    headlines: Sequence[Headline]
    upper: Sequence[Headline]
    members: "pd.DataFrame"
    maps: Mapping[str, np.ndarray]
    left_out: int
    images: np.ndarray
    classes: "pd.DataFrame"
    clusters: "pd.DataFrame"
    figures: Mapping[str, Figure]
    notes: Mapping[str, str]
    pictures: Mapping[str, ImageSheets]
    unseen: Sequence[str]
    tables: Mapping[str, str]
    verdict: str = ""
    warnings: Sequence[str] = field(default=())
