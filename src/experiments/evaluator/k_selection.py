"""Choice of k by eight methods on the reduced space; each k is clustered once for all of them."""

import logging
from collections.abc import Sequence
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
from experiments.numerics.parallel import run_in_threads
from experiments.samples import Samples
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class KSelection:
    """Elbow, silhouette, gap statistic, stability, Calinski-Harabasz and Davies-Bouldin over k.

    The clusterings are cached as those of a run, so `cluster.k=<k>` reuses them afterwards.

    Parameters
    ----------
    clusterers
        The clusterer, exactly one; its own k is ignored.
    k_min, k_max
        The smallest and the largest k.
    values
        List of k instead, ascending; empty: all from k_min to k_max.
    references
        Number of reference data sets of the gap statistic, drawn uniformly from the box around the points
        along their principal axes.
    reference_redo
        Number of starts of a reference's fit if the clusterer has `breath`: with breathing, one start is as
        good as ten. All other settings are those of the clusterer.
    light
        Cheaper settings of the clusterer for repeated fits; settings that it does not have are ignored.
    seeds, bootstraps
        Number of light fits per k whose agreement is the stability: with other seeds, and of bootstrap
        samples.
    within
        Stability chooses the largest k whose stability is at most this far below the best.
    sample
        Largest number of rows whose silhouette is averaged; with more rows, a random sample.
    seed
        Seed of references, bootstrap samples and the random sample.

    Source
    ------
    Tibshirani, Walther, Hastie, "Estimating the number of clusters via the gap statistic", 2001.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("reduced",)
    LABELLED: ClassVar[bool] = False
    METRICS: ClassVar[tuple[str, ...]] = names_of("k_selection")
    VERSION: ClassVar[int] = 4
    DERIVED: ClassVar[tuple[str, ...]] = ("clusterer",)  # the clusterer without its k

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
                "a clusterer with k, such as cluster=faiss_kmeans, or remove evaluator=k_selection"
            )

    @property
    def clusterer(self) -> Any:
        """The clusterer with the largest k, so that a sweep over cluster.k selects once."""
        (clusterer,) = self.clusterers.values()
        return replace(clusterer, k=self.ks[-1])

    def _check_ranges(self) -> None:
        prefix = "evaluator.k_selection"
        for name in ("k_min", "references", "reference_redo", "seeds", "bootstraps", "sample"):
            lowest = 0 if name == "bootstraps" else 1
            if getattr(self, name) < lowest:
                raise ValueError(f"{prefix}.{name}={getattr(self, name)} is too few; use {lowest} or more")
        if not self.values and self.k_max <= self.k_min:
            raise ValueError(
                f"{prefix}.k_max={self.k_max} leaves no choice with k_min={self.k_min}; use a larger k_max"
            )
        ascending = all(smaller < larger for smaller, larger in pairwise(self.values))
        if self.values and (len(self.values) < 2 or self.values[0] < 1 or not ascending):
            raise ValueError(
                f"{prefix}.values={list(self.values)} is not an ascending list; use two or more k from 1 on, "
                "such as [2,5,10,20,50]"
            )
        if not 0 <= self.within < 1:
            raise ValueError(f"{prefix}.within={self.within} is not a share; use 0 to 1, such as 0.01")

    @property
    def ks(self) -> tuple[int, ...]:
        """Return all k, ascending."""
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
        """Cluster with every k; tables of the metrics by k, the k of each method, and their agreement."""
        findings = self._findings(self._table(np.ascontiguousarray(reduced, np.float32), ctx))
        log.info("choice of k: %s", findings.tables["k_agreement"]["verdict"].iloc[0])
        return findings

    def over_seeds(self, tables: "Sequence[pd.DataFrame]") -> Findings:
        """Return the findings of the mean of each metric over the tables `k_selection` of several seeds."""
        import pandas as pd

        means = pd.concat(tables).groupby("k", as_index=False).mean()
        return self._findings(means, f"means over {len(tables)} seeds")

    def _findings(self, table: "pd.DataFrame", about: str = "") -> Findings:
        import pandas as pd

        choices = verdicts(table, self.within)
        summary = ": ".join(filter(None, [about, sentence(choices, self.ks[-1])]))
        figure = curves(table, choices)
        figure = replace(figure, title=", ".join(filter(None, [figure.title, about])))
        metrics = {f"k_{verdict.method}": float(verdict.k) for verdict in choices if verdict.k is not None}
        tables = {
            "k_selection": table,
            "k_verdicts": pd.DataFrame([vars(verdict) for verdict in choices]).astype({"k": "Int64"}),
            "k_agreement": pd.DataFrame({"verdict": [summary], "light": [self._light()]}),
        }
        return Findings(metrics, tables, {"k_selection": figure})

    def _table(self, points: np.ndarray, ctx: Context) -> "pd.DataFrame":
        """Return a table with a row per k: the columns of a trial, the gap and its s."""
        import pandas as pd

        clusterer = self.clusterer
        light = tuple(lighter(clusterer, k, self.light) for k in self.ks)
        trials = [
            Trial(replace(clusterer, k=k), cheap, self.seeds, self.bootstraps, self.sample, self.seed)
            for k, cheap in zip(self.ks, light, strict=True)
        ]
        reference_clusterers = tuple(
            lighter(clusterer, k, self.reference_settings(clusterer)) for k in self.ks
        )
        references = [Reference(reference_clusterers, number, self.seed) for number in range(self.references)]
        box = Box.around(points)
        single = replace(ctx, threads=1)  # fits run in parallel; the number of workers changes no result

        def draw(reference: Reference) -> np.ndarray:
            return ctx.store.array(ctx.key(reference), lambda: reference.run(box, len(points), single))

        def attempt(trial: Trial) -> np.ndarray:
            return ctx.store.array(ctx.key(trial), lambda: trial.run(points, single))

        work = [partial(attempt, trials[0])]  # fails early if the clusterer cannot be judged
        work += [partial(draw, reference) for reference in references]
        work += [partial(attempt, trial) for trial in reversed(trials[1:])]  # longest fits first
        first_trial = 1 + len(references)
        # one fit uses the whole GPU, and its memory is shared
        parallel = ctx.device != "cuda" and fits_in_memory(clusterer, len(points) * ctx.threads)
        with ctx.report.progress("choose k", len(work), "fits") as progressed:
            results = run_in_threads(work, ctx.threads if parallel else 1, progressed)
        table = pd.DataFrame(np.array(results[:1] + results[first_trial:][::-1]), columns=list(COLUMNS))
        table.insert(0, "k", self.ks)
        table["gap"], table["gap_s"] = gap(table["log_w"].to_numpy(), np.array(results[1:first_trial]))
        return table

    def reference_settings(self, clusterer: Any) -> dict[str, Any]:
        """Return the settings of a reference's fit that differ from the fit of the data."""
        return {"n_redo": self.reference_redo} if getattr(clusterer, "breath", 0) else {}

    def _light(self) -> str:
        """Return the settings of repeated fits as text."""
        names = [name for name in self.light if name in {f.name for f in fields(self.clusterer)}]
        return ", ".join(f"{name}={self.light[name]}" for name in names) or "as the others"


def fits_in_memory(clusterer: Any, n: int) -> bool:
    """Return True if n points, the total of all workers, fit into memory.

    If memory grows with the number of pairs, the workers need less than this estimate.
    """
    try:
        clusterer.check(n)
    except ValueError:
        return False
    return True
