"""The size of each cluster."""

from dataclasses import dataclass
from typing import ClassVar

from experiments.context import Context
from experiments.evaluator.measures.groups import group_rows, title_of_largest
from experiments.evaluator.pictures.naming import check_name
from experiments.figures import Bars
from experiments.samples import Samples
from experiments.types import Clustering, Findings

PREFIX = "evaluator.sizes"


@dataclass(frozen=True)
class Sizes:
    """The table `cluster_sizes` and a bar chart; noise is last, as cluster -1.

    Parameters
    ----------
    file
        File name of the figure.
    clusters
        Largest number of bars, without noise; if there are more clusters, the largest are shown, with a note
        in the title.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 1

    file: str
    clusters: int

    def __post_init__(self) -> None:
        check_name(f"{PREFIX}.file", self.file)
        if self.clusters < 1:
            raise ValueError(f"{PREFIX}.clusters={self.clusters} leaves no bar; use 1 or more")

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, samples: Samples, clustering: Clustering) -> Findings:
        """Count the rows of each cluster."""
        import pandas as pd

        groups = group_rows(clustering.assignments)
        table = {"cluster": groups.ids, "images": groups.sizes, "share": groups.sizes / len(samples)}
        shown = groups.largest(self.clusters)
        title = title_of_largest(f"Images per cluster of {samples.name}", shown, groups)
        names = [groups.names[group] for group in shown]
        bars = Bars(title, "cluster", "images", names, groups.sizes[shown].tolist())
        return Findings({}, {"cluster_sizes": pd.DataFrame(table)}, {self.file: bars})
