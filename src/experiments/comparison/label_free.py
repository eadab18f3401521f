"""What a sweep would have chosen without labels, beside what the labels say."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from experiments.comparison.seeds import configuration
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

ASKED = "silhouette_umap"  # of evaluator=label_free: the table is made where it is
WITHOUT = (ASKED, "stability", "silhouette")  # criteria that need no labels: higher is better
WITH = ("ari", "ami", "nmi", "purity", "acc")


def label_free(
    rows: "pd.DataFrame", swept: Sequence[str], stability: "pd.DataFrame | None" = None
) -> Findings:
    """Return a row per configuration, best without labels first, and how far each criterion agrees with them.

    `chosen_by` names the criteria without labels that are highest there, `best_by` the figures with labels.
    The second table has, of each pair of the two, Spearman's correlation over the configurations, what the
    configuration that the criterion chooses reaches, and the best that there is.

    Parameters
    ----------
    rows, swept
        As in `compare`.
    stability
        The table of that name, if there are several seeds.
    """
    import pandas as pd

    if ASKED not in rows:
        return Findings({})
    config = configuration(swept)
    done = rows[rows["status"] == "FINISHED"]
    given = [name for name in (*WITHOUT, *WITH) if name in done]
    means = done.groupby(config, sort=True)[given].mean().reset_index()
    if stability is not None:
        means = means.merge(stability[[*config, "stability"]], how="left", on=config)
    without = [name for name in WITHOUT if name in means]
    known = [name for name in WITH if name in means]
    if len(means) < 2 or means[ASKED].isna().all():
        return Findings({})
    best: dict[str, Any] = {
        name: means[name].idxmax() for name in (*without, *known) if means[name].notna().any()
    }

    def highest(names: Sequence[str]) -> list[str]:
        return [", ".join(name for name in names if best.get(name) == row) for row in means.index]

    words = {"chosen_by": highest(without)} | ({"best_by": highest(known)} if known else {})
    table = means[config].assign(**words).join(means[[*without, *known]])
    table = table.sort_values(ASKED, ascending=False, ignore_index=True)
    pairs = [
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
    ]
    more = {"label_free_agreement": pd.DataFrame(pairs)} if pairs else {}
    return Findings({}, {"label_free": table} | more)
