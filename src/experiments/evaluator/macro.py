"""Macro-categories: Ward's tree over the class means, and the accuracy of a probe on its groups."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.evaluator.measures.logistic import Logistic, Predictions
from experiments.evaluator.measures.macro_categories import (
    ClassTree,
    check_classes,
    check_granularities,
    class_tree,
    too_fine,
)
from experiments.evaluator.protocol.scored_rows import (
    Subset,
    check_protocol,
    check_scored,
    fit_and_score_rows,
    fit_rows,
    suffixes,
)
from experiments.figures import Dendrogram, Heatmap, Lines
from experiments.metric_names import names_of, spelled
from experiments.numerics.axes import Scaled
from experiments.samples import Samples
from experiments.types import Encoder, Findings

if TYPE_CHECKING:
    import pandas as pd

PREFIX = "evaluator.macro"
FIT_ROWS = {"held_out": "training", "published": "all"}


@dataclass(frozen=True)
class Macro:
    """Group the classes by their means in the reduced space; fit a probe on the groups of each cut.

    Parameters
    ----------
    granularities
        Numbers of groups to cut the tree into; numbers above the class count are skipped, with the reason in
        a table.
    cuts
        Shares of the tree's height at which the groups are counted.
    line
        Height of the line in the dendrogram, as a share of the tree's height.
    heatmap_classes
        Largest number of classes in the heat map of distances; the first classes in the tree's order are
        shown.
    C, max_iter, tolerance
        Settings of the probes; see `Logistic`.
    seed
        Seed of the published protocol's 80/20 split.
    """

    NEEDS: ClassVar[tuple[str, ...]] = ("samples", "encoder", "embeddings", "reduced")
    LABELLED: ClassVar[bool] = True
    VERSION: ClassVar[int] = 3

    protocol: str
    granularities: tuple[int, ...]
    cuts: tuple[float, ...]
    line: float
    heatmap_classes: int
    C: float
    max_iter: int
    tolerance: float
    seed: int

    def __post_init__(self) -> None:
        check_protocol(PREFIX, self.protocol)
        check_granularities(PREFIX, self.granularities)
        self._logistic.check(PREFIX)
        for share in (*self.cuts, self.line):
            if not 0 < share < 1:
                raise ValueError(f"{PREFIX} cannot cut at {share} of the height; use shares between 0 and 1")
        if self.heatmap_classes < 1:
            raise ValueError(f"{PREFIX}.heatmap_classes={self.heatmap_classes} shows no class; use 1 or more")

    @property
    def METRICS(self) -> tuple[str, ...]:  # noqa: N802 (a constant in other evaluators)
        """Return the names of all possible metrics."""
        return names_of("macro", [*self.granularities, "fine"], suffixes(self.protocol))

    @property
    def _logistic(self) -> Logistic:
        return Logistic(self.C, "none", None, self.max_iter, self.tolerance, self.seed)

    def check(self, samples: Samples) -> None:
        """Raise ValueError if there are no labels, a class has no mean, or there is nothing to score."""
        check_classes(samples, PREFIX, self.protocol)
        check_scored(samples, PREFIX, self.protocol)

    def evaluate(
        self,
        *,
        ctx: Context,
        samples: Samples,
        encoder: Encoder,
        embeddings: np.ndarray,
        reduced: np.ndarray,
    ) -> Findings:
        """Build the tree of the class means, cut it, and fit a probe on each cut and on the classes."""
        import pandas as pd

        self.check(samples)
        tree = class_tree(samples, reduced, self.protocol)
        train, scored = fit_and_score_rows(samples, encoder, self.protocol, self.seed)
        mean_rows = fit_rows(samples, self.protocol)
        features = Scaled.of(embeddings, mean_rows)
        metrics, probes, warnings = self._probes(ctx, samples, tree, features, [train, *scored])
        cuts = {
            "share_of_height": self.cuts,
            "height": [share * tree.height for share in self.cuts],
            "groups": [tree.groups_below(share) for share in self.cuts],
        }
        about = [{"suffix": v.suffix, "rows": len(v.rows), "about": v.about} for v in (train, *scored)]
        about.append(
            {"suffix": "class means", "rows": len(mean_rows), "about": f"{FIT_ROWS[self.protocol]} rows"}
        )
        order = tree.order[: self.heatmap_classes]
        names = np.array(samples.class_names)[tree.classes]
        distances = pd.DataFrame(tree.distances(order), columns=names[order])
        distances.insert(0, "distance to", names[order])  # not the name of a class
        tables = {
            "macro_groups": self._groups(samples, tree),
            "macro_cuts": pd.DataFrame(cuts),
            "macro_distances": distances,
            "macro_probes": probes,
            "macro_rows": pd.DataFrame(about),
        }
        return Findings(metrics, tables, self._figures(names, tree, probes), warnings)

    def _predictions(
        self, ctx: Context, features: Scaled, targets: list[np.ndarray], fitted: np.ndarray
    ) -> list[Predictions]:
        """Fit a probe on each target, in parallel."""
        from threadpoolctl import threadpool_limits

        def probe(target: np.ndarray) -> Predictions:
            return self._logistic.predict(PREFIX, features, target, fitted, ctx)

        with threadpool_limits(1), ThreadPoolExecutor(ctx.threads) as pool:  # each fit has one thread of BLAS
            return list(pool.map(probe, targets))

    def _probes(
        self, ctx: Context, samples: Samples, tree: ClassTree, features: Scaled, subsets: list[Subset]
    ) -> "tuple[dict[str, float], pd.DataFrame, tuple[str, ...]]":
        """Return metrics, table and warnings of the probes on the groups of each cut and on the classes."""
        import pandas as pd

        train, first, *_ = subsets
        labels = np.asarray(samples.labels)
        usable = [g for g in self.granularities if not too_fine(g, len(tree.classes))]
        targets = [*(tree.categories(labels, g) for g in usable), labels]
        predictions = self._predictions(ctx, features, targets, train.rows)
        hits = [probe.predicted == target for probe, target in zip(predictions, targets, strict=True)]
        warnings = tuple(warning for probe in predictions for warning in probe.warnings(PREFIX))
        fine = float(hits[-1][first.rows].mean())
        metrics: dict[str, float] = {}
        rows: list[dict[str, Any]] = []
        for name, target, correct in zip([*map(str, usable), "fine"], targets, hits, strict=True):
            groups = len(tree.classes) if name == "fine" else int(name)
            largest = np.bincount(target[first.rows]).max() / len(first.rows)
            row = {"categories": name, "groups": groups, "random": 1 / groups, "largest": largest}
            row["train_accuracy"] = float(correct[train.rows].mean())
            metrics[spelled("macro_train_accuracy_{groups}", name)] = row["train_accuracy"]
            for subset in subsets[1:]:
                row[f"accuracy{subset.suffix}"] = accuracy = float(correct[subset.rows].mean())
                metrics[spelled("macro_accuracy_{groups}", name, rows=subset.suffix)] = accuracy
            rows.append(row | {"fine_accuracy": fine, "note": ""})
        for g in (g for g in self.granularities if g not in usable):
            rows.append({"categories": str(g), "groups": g, "note": too_fine(g, len(tree.classes))})
        return metrics, pd.DataFrame(rows), warnings

    def _groups(self, samples: Samples, tree: ClassTree) -> "pd.DataFrame":
        """Return a table of the classes: number of rows, and group at each granularity."""
        import pandas as pd

        counts = np.bincount(np.asarray(samples.labels), minlength=len(samples.class_names))
        columns = {"class": np.array(samples.class_names)[tree.classes], "n": counts[tree.classes]}
        usable = [g for g in self.granularities if not too_fine(g, len(tree.classes))]
        return pd.DataFrame(columns | {f"macro_{g}": tree.cut(g) for g in usable})

    def _figures(self, names: np.ndarray, tree: ClassTree, probes: "pd.DataFrame") -> dict[str, Any]:
        order = tree.order[: self.heatmap_classes]
        shown = names[order].tolist()
        shown_probes = probes.dropna(subset="accuracy").query("categories != 'fine'").sort_values("groups")
        curves = {
            "macro-categories": shown_probes["accuracy"].tolist(),
            "fine classes": shown_probes["fine_accuracy"].tolist(),
            "random": shown_probes["random"].tolist(),
        }
        title = f"Probe of the macro-categories, C={self.C:g}"
        distances = "Distances between class means"
        figures: dict[str, Any] = {
            "macro_tree": Dendrogram(
                "Classes by their means", names.tolist(), tree.linkage, self.line * tree.height
            ),
            "macro_distances": Heatmap(distances, shown, shown, tree.distances(order), "Euclidean distance"),
        }
        if len(shown_probes):
            x = shown_probes["groups"].tolist()
            figures["macro_probes"] = Lines(
                title, "macro-categories", "accuracy", x, curves, dashed=["fine classes", "random"]
            )
        return figures
