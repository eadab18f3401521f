"""The contents of a report, without their presentation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from experiments.figures import ImageSheets
from experiments.figures.specs import Figure

if TYPE_CHECKING:
    import pandas as pd

LEVELS = ("chance", "ceiling", "supervised")  # reference levels of a metric


@dataclass(frozen=True)
class Headline:
    """A metric with its reference levels; None for unknown levels.

    Parameters
    ----------
    about
        Meaning of the metric, and the rows that it is computed on.
    chance
        Expected value of random clusters of the same sizes.
    ceiling
        Best possible value with this number of clusters.
    supervised
        Accuracy of a supervised classifier on the same images.
    """

    name: str
    value: float
    about: str
    chance: float | None = None
    ceiling: float | None = None
    supervised: float | None = None

    @property
    def levels(self) -> dict[str, float]:
        """The known levels, by name."""
        levels = zip(LEVELS, (self.chance, self.ceiling, self.supervised), strict=True)
        return {name: level for name, level in levels if level is not None}


@dataclass(frozen=True, eq=False)
class Contents:
    """The contents of a run's report.

    Parameters
    ----------
    summary
        The run in one sentence.
    facts
        Data, stages, commit, device, times and more, by name.
    config
        All settings, as YAML.
    members
        A row for each shown sample, sorted by cluster (noise last) and distance to the centre:
        `id`, `cluster`, and `label` if there are labels.
    maps
        Coordinates of the members, float (m, 2), by the map's name; the first map is shown first.
    omitted
        Number of samples that are not shown.
    images
        uint8 (m, S, S, 3): an image of each member; empty for no images.
    nearest
        uint16 (m, 12 or fewer): the members nearest to each, the nearest first.
    worst_classes, worst_clusters
        Results of each class and cluster, the worst first; empty without labels.
    notes
        Remarks by figure name, such as omitted classes; `map` explains why the map is a PCA.
    image_sheets
        Contact sheets of evaluators, by figure name.
    verdict
        The k that most methods choose; empty without the evaluator k_selection.
    not_shown
        Names of figures that are not in the report.
    tables
        All tables as CSV, by file name.
    names
        Name of each cluster; empty without the evaluator names.
    """

    title: str
    summary: str
    facts: Mapping[str, str]
    config: str
    headlines: Sequence[Headline]
    upper_bounds: Sequence[Headline]
    members: "pd.DataFrame"
    maps: Mapping[str, np.ndarray]
    omitted: int
    images: np.ndarray
    nearest: np.ndarray
    worst_classes: "pd.DataFrame"
    worst_clusters: "pd.DataFrame"
    figures: Mapping[str, Figure]
    notes: Mapping[str, str]
    image_sheets: Mapping[str, ImageSheets]
    not_shown: Sequence[str]
    tables: Mapping[str, str]
    verdict: str = ""
    warnings: Sequence[str] = field(default=())
    names: Mapping[int, str] = field(default_factory=dict)
