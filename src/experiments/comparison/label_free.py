"""Choice of a configuration without labels, compared with metrics that need labels."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.comparison.seeds import configuration
from experiments.metric_names import MAIN, comparable
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

CRITERION, STABILITY = "silhouette_embeddings", "stability"  # evaluator=label_free and stability.py
REDUCED = "silhouette"  # a metric of the reduced space
RANKING_METRICS = [name for name in MAIN if name.row.chooses and not name.rows]
WITH_LABELS = [str(name) for name in RANKING_METRICS if name.row.labels]
INTERNAL = [str(name) for name in RANKING_METRICS if not name.row.labels]
WITHOUT_LABELS = list(dict.fromkeys([CRITERION, STABILITY, *INTERNAL]))


def label_free(
    rows: "pd.DataFrame", swept: Sequence[str], stability: "pd.DataFrame | None" = None
) -> Findings:
    """Return a row per configuration, best first, and the agreement of criteria with metrics.

    `chosen_by` lists the criteria without labels, and `best_by` the metrics with labels, that have their
    highest value for the configuration. If reducers are swept, silhouette_embeddings is the only criterion:
    the others are higher for some reducers by themselves. The second table has a row for each criterion and
    metric: Spearman's correlation over the configurations, the metric of the configuration that the criterion
    chooses, and the metric's best value.

    Parameters
    ----------
    rows, swept
        As in `compare`.
    stability
        Table from `comparison.stability`, if there are several seeds.
    """
    if CRITERION not in rows or not comparable(CRITERION, swept):
        return Findings({})
    config = configuration(swept)
    means = _means(rows, config, stability)
    if len(means) < 2 or means[CRITERION].isna().all():
        return Findings({})
    usable = WITHOUT_LABELS if comparable(REDUCED, swept) else [CRITERION]
    criteria, metrics = ([name for name in kind if name in means] for kind in (usable, WITH_LABELS))
    best = {name: means[name].idxmax() for name in (*criteria, *metrics) if means[name].notna().any()}
    table = _table(means, config, criteria, metrics, best)
    pairs = _agreement(means, criteria, metrics, best)
    return Findings({}, {"label_free": table} | ({} if pairs.empty else {"label_free_agreement": pairs}))


def _means(rows: "pd.DataFrame", config: list[str], stability: "pd.DataFrame | None") -> "pd.DataFrame":
    """Return the mean of every criterion and metric for each configuration."""
    done = rows[rows["status"] == "FINISHED"]
    columns = [name for name in (*WITHOUT_LABELS, *WITH_LABELS) if name in done]
    means = done.groupby(config, sort=True)[columns].mean().reset_index()
    if stability is None:
        return means
    return means.merge(stability[[*config, STABILITY]], how="left", on=config)


def _table(
    means: "pd.DataFrame",
    config: list[str],
    criteria: Sequence[str],
    metrics: Sequence[str],
    best: dict[str, Any],
) -> "pd.DataFrame":
    """Return the configurations, each with the criteria and metrics that rank it first."""

    def highest(names: Sequence[str]) -> list[str]:
        return [", ".join(name for name in names if best.get(name) == row) for row in means.index]

    best_columns = {"chosen_by": highest(criteria)} | ({"best_by": highest(metrics)} if metrics else {})
    table = means[config].assign(**best_columns).join(means[[*criteria, *metrics]])
    return table.sort_values(CRITERION, ascending=False, ignore_index=True)


def _agreement(
    means: "pd.DataFrame", criteria: Sequence[str], metrics: Sequence[str], best: dict[str, Any]
) -> "pd.DataFrame":
    """Return the agreement of each label-free criterion with each metric that needs labels."""
    import pandas as pd

    return pd.DataFrame(
        {
            "without_labels": criterion,
            "with_labels": metric,
            "spearman": means[criterion].corr(means[metric], method="spearman"),
            "chosen": means.loc[best[criterion], metric],
            "best": means[metric].max(),
        }
        for criterion in criteria
        for metric in metrics
        if criterion in best and metric in best
    )
