"""Which k? Eight methods on the reduced space, each k clustered once for all of them."""

import logging
from dataclasses import dataclass, field, fields, replace
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.k_methods.curves import curves
from experiments.evaluator.k_methods.gap import Box, gap
from experiments.evaluator.k_methods.reference import Reference
from experiments.evaluator.k_methods.trial import COLUMNS, Trial, lighter
from experiments.evaluator.k_methods.verdicts import sentence, verdicts
from experiments.metric_names import names_of
from experiments.numerics.parallel import beside
from experiments.samples import Samples
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KSelection:
    """Elbow, silhouette, gap statistic, stability, Calinski-Harabasz and Davies-Bouldin over k.

    The clusterings are kept where a run keeps its own, so that `cluster.k=<k>` afterwards reads them.

    Parameters
    ----------
    clusterers
        The one clusterer to try; its own k is not looked at.
    k_min, k_max
        The first and the last k to try.
    values
        The k to try instead, ascending; empty: all from k_min to k_max.
    references
        Of the gap statistic, drawn evenly from the box around the points along their principal axes.
    reference_redo
        Starts of a reference's fit if the clusterer breathes, which makes one as good as ten; all other
        settings, and those of other clusterers, are the data's.
    light
        Settings of the clusterer for repeated fits; those that it lacks are left out.
    seeds, bootstraps
        Light fits per k, of all points with other seeds and of bootstrap samples, that are compared.
    within
        How far below the best stability the largest k may lie that is still chosen.
    sample
        Rows whose silhouette is averaged; of more rows, so many are drawn at random.
    seed
        Of references, bootstrap samples and that draw.

    Source
    ------
    Tibshirani, Walther, Hastie, "Estimating the number of clusters via the gap statistic", 2001.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("reduced",)
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("k_selection")
    VERSION: ClassVar[int] = 4
    DERIVED: ClassVar[tuple[str, ...]] = ("clusterer",)  # of which k is not looked at

    clusterers: dict[str, Any] = field(metadata={"holds": "cluster"}, compare=False)
    k_min: int
    k_max: int
    values: tuple[int, ...]
    references: int
    reference_redo: int
    light: dict[str, Any]
    seeds: int
    bootstraps: int
    within: float
    sample: int
    seed: int

    def __post_init__(self) -> None:
        self._check_ranges()
        if len(self.clusterers) != 1:
            raise ValueError(
                f"evaluator.k_selection.clusterers names {', '.join(self.clusterers) or 'none'}; use one, "
                "such as evaluator.k_selection.clusterers={chosen: ${cluster}}"
            )
        ((name, clusterer),) = self.clusterers.items()
        if "k" not in {f.name for f in fields(clusterer)}:
            raise ValueError(
                f"evaluator.k_selection.clusterers.{name}={type(clusterer).__name__} has no k to choose; use "
                "a clusterer that has one, such as cluster=faiss_kmeans, or leave evaluator=k_selection out"
            )

    @property
    def clusterer(self) -> Any:
        """The one to try, with the largest k: so that a sweep over cluster.k selects once."""
        (clusterer,) = self.clusterers.values()
        return replace(clusterer, k=self.ks[-1])

    def _check_ranges(self) -> None:
        place = "evaluator.k_selection"
        for name in ("k_min", "references", "reference_redo", "seeds", "bootstraps", "sample"):
            lowest = 0 if name == "bootstraps" else 1
            if getattr(self, name) < lowest:
                raise ValueError(f"{place}.{name}={getattr(self, name)} is too few; use {lowest} or more")
        if not self.values and self.k_max <= self.k_min:
            raise ValueError(
                f"{place}.k_max={self.k_max} leaves nothing to choose from k_min={self.k_min}; use more"
            )
        rising = all(one < other for one, other in pairwise(self.values))
        if self.values and (len(self.values) < 2 or self.values[0] < 1 or not rising):
            raise ValueError(
                f"{place}.values={list(self.values)} is no list to choose from; use two or more from 1 on, "
                "rising, such as [2,5,10,20,50]"
            )
        if not 0 <= self.within < 1:
            raise ValueError(f"{place}.within={self.within} is no share; use 0 to 1, such as 0.01")

    @property
    def ks(self) -> tuple[int, ...]:
        """Return the k to try, ascending."""
        return self.values or tuple(range(self.k_min, self.k_max + 1))

    def check(self, samples: Samples) -> None:
        """Raise ValueError if the samples are fewer than the largest k, or too many for the clusterer."""
        if self.ks[-1] > len(samples):
            name = "values" if self.values else "k_max"
            raise ValueError(
                f"evaluator.k_selection.{name} goes up to {self.ks[-1]}, more than the {len(samples)} "
                f"samples; use {len(samples)} or less"
            )
        self.clusterer.check(len(samples))

    def evaluate(self, *, ctx: Context, reduced: np.ndarray) -> Findings:
        """Try every k; the tables tell each figure, each method's verdict, and where they disagree."""
        import pandas as pd

        table = self._table(np.ascontiguousarray(reduced, np.float32), ctx)
        found = verdicts(table, self.within)
        said = sentence(found)
        log.info("which k: %s", said)
        metrics = {f"k_{verdict.method}": float(verdict.k) for verdict in found if verdict.k is not None}
        tables = {
            "k_selection": table,
            "k_verdicts": pd.DataFrame([vars(verdict) for verdict in found]).astype({"k": "Int64"}),
            "k_agreement": pd.DataFrame({"verdict": [said], "light": [self._light()]}),
        }
        return Findings(metrics, tables, {"k_selection": curves(table, found)})

    def _table(self, points: np.ndarray, ctx: Context) -> "pd.DataFrame":
        """Return a row per k, with the columns of a trial, the gap and its s."""
        import pandas as pd

        clusterer = self.clusterer
        light = tuple(lighter(clusterer, k, self.light) for k in self.ks)
        trials = [
            Trial(replace(clusterer, k=k), fewer, self.seeds, self.bootstraps, self.sample, self.seed)
            for k, fewer in zip(self.ks, light, strict=True)
        ]
        compared = tuple(lighter(clusterer, k, self.reference_settings(clusterer)) for k in self.ks)
        references = [Reference(compared, number, self.seed) for number in range(self.references)]
        box = Box.around(points)
        alone = replace(ctx, threads=1)  # many at a time; each then finds the same, however many there are

        def draw(reference: Reference) -> np.ndarray:
            return ctx.store.array(ctx.key(reference), lambda: reference.run(box, len(points), alone))

        def attempt(trial: Trial) -> np.ndarray:
            return ctx.store.array(ctx.key(trial), lambda: trial.run(points, alone))

        work = [partial(attempt, trials[0])]  # it may find that no k can be judged
        work += [partial(draw, each) for each in references]
        work += [partial(attempt, each) for each in reversed(trials[1:])]  # the longest first
        beyond = 1 + len(references)
        # a GPU's memory is shared too, and one fit keeps it busy
        many = ctx.device != "cuda" and affordable(clusterer, len(points) * ctx.threads)
        with ctx.report.progress("choose k", len(work), "fits") as progressed:
            done = beside(work, ctx.threads if many else 1, progressed)
        table = pd.DataFrame(np.array(done[:1] + done[beyond:][::-1]), columns=list(COLUMNS))
        table.insert(0, "k", self.ks)
        table["gap"], table["gap_s"] = gap(table["log_w"].to_numpy(), np.array(done[1:beyond]))
        return table

    def reference_settings(self, clusterer: Any) -> dict[str, Any]:
        """Return what differs in a reference's fit from the data's."""
        return {"n_redo": self.reference_redo} if getattr(clusterer, "breath", 0) else {}

    def _light(self) -> str:
        """Return how repeated fits were clustered."""
        names = [name for name in self.light if name in {f.name for f in fields(self.clusterer)}]
        return ", ".join(f"{name}={self.light[name]}" for name in names) or "as the others"


def affordable(clusterer: Any, n: int) -> bool:
    """Tell whether n points can be clustered at once: if all workers' can, each worker's can beside others'.

    Where the memory grows with the pairs this asks for more than the workers need, so that some is left.
    """
    try:
        clusterer.check(n)
    except ValueError:
        return False
    return True
