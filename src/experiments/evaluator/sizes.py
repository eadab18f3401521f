"""How many samples each cluster has."""

from dataclasses import dataclass
from typing import ClassVar

from experiments.context import Context
from experiments.evaluator.measures.groups import cut, groups
from experiments.evaluator.pictures.naming import check_name
from experiments.figures import Bars
from experiments.samples import Samples
from experiments.types import Clustering, Findings

PLACE = "evaluator.sizes"


@dataclass(frozen=True)
class Sizes:
    """The table `cluster_sizes`, and a bar for each cluster; noise is the last, with number -1.

    Parameters
    ----------
    file
        What the picture's file is called.
    clusters
        Bars at most, beside that of noise; of more clusters the largest are shown, and the title says so.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "clustering")
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = ()
    VERSION: ClassVar[int] = 1

    file: str
    clusters: int

    def __post_init__(self) -> None:
        check_name(f"{PLACE}.file", self.file)
        if self.clusters < 1:
            raise ValueError(f"{PLACE}.clusters={self.clusters} leaves no bar; use 1 or more")

    def check(self, samples: Samples) -> None:
        """Accept any samples."""

    def evaluate(self, *, ctx: Context, samples: Samples, clustering: Clustering) -> Findings:
        """Count the members."""
        import pandas as pd

        found = groups(clustering.assignments)
        table = {"cluster": found.ids, "images": found.sizes, "share": found.sizes / len(samples)}
        shown = found.largest(self.clusters)
        title = cut(f"Images per cluster of {samples.name}", shown, found)
        names = [found.names[place] for place in shown]
        bars = Bars(title, "cluster", "images", names, found.sizes[shown].tolist())
        return Findings({}, {"cluster_sizes": pd.DataFrame(table)}, {self.file: bars})
