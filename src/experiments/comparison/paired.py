"""Two configurations of a sweep, paired by seed: difference, interval, p values, effect size."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.comparison.intervals import mean_interval
from experiments.comparison.seeds import SEED, configuration
from experiments.messages import text
from experiments.metric_names import Name
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

FLIPS = 2**14  # of signs: all of them up to 14 seeds, above so many random ones


def picked(
    rows: "pd.DataFrame", swept: Sequence[str], settings: Mapping[str, Any], typed: str
) -> "pd.DataFrame":
    """Return the finished jobs of the one configuration that the settings pick, a row per seed.

    Parameters
    ----------
    rows
        The table of a sweep.
    settings
        Values by swept keys; what is not named has one value in the sweep.
    typed
        The settings as they were typed, for the message.

    Raises
    ------
    ValueError
        The settings pick none or several; those that there are stand in the message.
    """
    if SEED not in swept:
        raise ValueError("the sweep has one seed; a paired test needs 2 or more: run it with seed='range(5)'")
    config = configuration(swept)
    done = rows[rows["status"] == "FINISHED"]
    known = _told_apart(done, swept)
    if SEED in settings:
        raise ValueError(f"{typed}: the seeds pair the runs; use {', '.join(known)} alone")
    for key in settings:
        if key not in config:
            raise ValueError(f"{typed}: {key} was not swept; use {', '.join(known) or 'no setting'}")
    found = done
    for key, value in settings.items():
        found = found[[_equals(cell, value) for cell in found[key]]]
    there = done[known].drop_duplicates()
    left = found[known].drop_duplicates()
    if len(left) != 1:
        what = "is none of the configurations" if left.empty else f"picks {len(left)} configurations"
        told = _in_words(there if left.empty else left)
        raise ValueError(f"{typed} {what}; use one of: {'; '.join(told)}")
    return found


def configurations(rows: "pd.DataFrame", swept: Sequence[str]) -> list[str]:
    """Return the configurations of a sweep as they are typed, such as cluster.k=10."""
    done = rows[rows["status"] == "FINISHED"]
    return _in_words(done[_told_apart(done, swept)].drop_duplicates())


def _told_apart(done: "pd.DataFrame", swept: Sequence[str]) -> list[str]:
    """Return the keys that the configurations differ in."""
    return [key for key in configuration(swept) if done[key].nunique() > 1]


def _in_words(rows: "pd.DataFrame") -> list[str]:
    records = rows.to_dict("records")
    return [" ".join(f"{key}={_as_typed(value)}" for key, value in row.items()) for row in records]


def _as_typed(value: Any) -> str:
    """Return a value as `picked` reads it: a text with spaces in quotes; a list is none."""
    return text(value) if " " in str(value) and str(value)[0] not in "[{" else str(value)


def _equals(cell: Any, value: Any) -> bool:
    """Tell whether a table's cell is what was typed: numbers as numbers, all else as text."""
    try:
        return float(cell) == float(value)
    except (TypeError, ValueError):
        return str(cell).lower() == str(value).lower()


def paired(a: "pd.DataFrame", b: "pd.DataFrame", metrics: Sequence[str]) -> Findings:
    """Return a row per metric: both means, b - a with Student's 95 % interval, p values, effect size.

    `p` is the paired t test's, `p_holm` that with Holm's correction over the metrics tested; `p_flip` is the
    sign-flip permutation test's, which assumes no normal distribution, and with s seeds cannot fall below
    2 / 2**s; `d_z` is the mean difference in its standard deviations. A difference that is the same for each
    seed has no p value.

    Parameters
    ----------
    a, b
        The jobs of each configuration, with `seed`.

    Raises
    ------
    ValueError
        Fewer than two seeds in common.

    Source
    ------
    Cohen, "Statistical power analysis for the behavioral sciences", 1988 (d_z); Holm, "A simple sequentially
    rejective multiple test procedure", 1979; Fisher, "The design of experiments", 1935 (sign flips).
    """
    import pandas as pd

    first, second = (jobs.groupby(SEED)[list(metrics)].mean() for jobs in (a, b))
    seeds = first.index.intersection(second.index)
    if len(seeds) < 2:
        common = f"{len(seeds)} in common ({', '.join(map(str, seeds)) or 'none'})"
        raise ValueError(
            f"{SEED}: the two configurations have {common}; a paired test needs 2 or more: run the sweep "
            f"with {SEED}='range(5)'"
        )
    found = []
    for metric in metrics:
        both = pd.DataFrame({"a": first.loc[seeds, metric], "b": second.loc[seeds, metric]}).dropna()
        if len(both) > 1:
            found.append({"metric": metric} | _tested(metric, both["a"].to_numpy(), both["b"].to_numpy()))
    table = pd.DataFrame(found)
    table.insert(list(table).index("p") + 1, "p_holm", holm(table["p"].to_numpy()))
    return Findings({}, {"paired": table})


def _tested(metric: str, a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    difference = b - a
    interval = mean_interval(difference)
    row: dict[str, Any] = {"seeds": len(a), "a": a.mean(), "b": b.mean(), "difference": interval.value}
    row |= {"low": interval.low, "high": interval.high}
    std = float(difference.std(ddof=1))
    if Name.parse(metric).row.bound or std <= 1e-12 * float(np.abs(difference).max(initial=0)):
        return row | {"p": np.nan, "p_flip": np.nan, "d_z": np.nan}
    from scipy.stats import ttest_1samp

    p = float(ttest_1samp(difference, 0).pvalue)
    return row | {"p": p, "p_flip": sign_flip(difference), "d_z": interval.value / std}


def sign_flip(differences: np.ndarray) -> float:
    """Return the two-sided p value of a mean difference under flips of signs: all, or many random ones."""
    from scipy.stats import permutation_test

    flipped = permutation_test(
        (differences,), np.mean, permutation_type="samples", n_resamples=FLIPS, rng=np.random.default_rng(0)
    )
    return float(flipped.pvalue)


def holm(p: np.ndarray) -> np.ndarray:
    """Correct p values for how many they are; nan is none."""
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested])]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
