"""What a sweep would have chosen without labels, beside what the labels say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.comparison.seeds import configuration
from experiments.metric_names import MAIN
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

ASKED, STABILITY = "silhouette_umap", "stability"  # of evaluator=label_free, where it is; and over the seeds
CHOOSING = [name for name in MAIN if name.row.chooses and not name.rows]
WITH = [str(name) for name in CHOOSING if name.row.labels]
WITHOUT = list(dict.fromkeys([ASKED, STABILITY, *(str(name) for name in CHOOSING if not name.row.labels)]))


def label_free(
    rows: "pd.DataFrame", swept: Sequence[str], stability: "pd.DataFrame | None" = None
) -> Findings:
    """Return a row per configuration, best without labels first, and how far each criterion agrees with them.

    `chosen_by` names the criteria without labels that are highest there, `best_by` the metrics with labels.
    The second table has, of each pair of the two, Spearman's correlation over the configurations, what the
    configuration that the criterion chooses reaches, and the best that there is.

    Parameters
    ----------
    rows, swept
        As in `compare`.
    stability
        The table of that name, if there are several seeds.
    """
    if ASKED not in rows:
        return Findings({})
    config = configuration(swept)
    means = _means(rows, config, stability)
    if len(means) < 2 or means[ASKED].isna().all():
        return Findings({})
    without, known = ([name for name in kind if name in means] for kind in (WITHOUT, WITH))
    best = {name: means[name].idxmax() for name in (*without, *known) if means[name].notna().any()}
    table = _table(means, config, without, known, best)
    pairs = _agreement(means, without, known, best)
    return Findings({}, {"label_free": table} | ({} if pairs.empty else {"label_free_agreement": pairs}))


def _means(rows: "pd.DataFrame", config: list[str], stability: "pd.DataFrame | None") -> "pd.DataFrame":
    """Return the mean of every criterion for each configuration."""
    done = rows[rows["status"] == "FINISHED"]
    given = [name for name in (*WITHOUT, *WITH) if name in done]
    means = done.groupby(config, sort=True)[given].mean().reset_index()
    if stability is None:
        return means
    return means.merge(stability[[*config, STABILITY]], how="left", on=config)


def _table(
    means: "pd.DataFrame",
    config: list[str],
    without: Sequence[str],
    known: Sequence[str],
    best: dict[str, Any],
) -> "pd.DataFrame":
    """Return the configurations, and by which criteria each is the best."""

    def highest(names: Sequence[str]) -> list[str]:
        return [", ".join(name for name in names if best.get(name) == row) for row in means.index]

    words = {"chosen_by": highest(without)} | ({"best_by": highest(known)} if known else {})
    table = means[config].assign(**words).join(means[[*without, *known]])
    return table.sort_values(ASKED, ascending=False, ignore_index=True)


def _agreement(
    means: "pd.DataFrame", without: Sequence[str], known: Sequence[str], best: dict[str, Any]
) -> "pd.DataFrame":
    """Return how far each criterion without labels agrees with each metric that needs them."""
    import pandas as pd

    return pd.DataFrame(
        {
            "without_labels": one,
            "with_labels": other,
            "spearman": means[one].corr(means[other], method="spearman"),
            "chosen": means.loc[best[one], other],
            "best": means[other].max(),
        }
        for one in without
        for other in known
        if one in best and other in best
    )
