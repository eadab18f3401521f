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

SIGN_FLIPS = 2**14  # all sign flips for up to 14 seeds, random sign flips for more


def select_configuration(
    rows: "pd.DataFrame", swept: Sequence[str], settings: Mapping[str, Any], typed: str
) -> "pd.DataFrame":
    """Return the finished jobs of the configuration with these settings, a row per seed.

    Parameters
    ----------
    rows
        The table of a sweep.
    settings
        Values by swept keys; keys with a single value in the sweep may be missing.
    typed
        The settings as typed, for the message.

    Raises
    ------
    ValueError
        No configuration or several have these settings; the message lists them.
    """
    if SEED not in swept:
        raise ValueError("the sweep has one seed; a paired test needs 2 or more: run it with seed='range(5)'")
    config = configuration(swept)
    done = rows[rows["status"] == "FINISHED"]
    known = _distinguishing_keys(done, swept)
    if SEED in settings:
        raise ValueError(f"{typed}: seeds only pair the runs; use {', '.join(known)} alone")
    for key in settings:
        if key not in config:
            raise ValueError(f"{typed}: {key} was not swept; use {', '.join(known) or 'no setting'}")
    selected = done
    for key, value in settings.items():
        selected = selected[[_equals(cell, value) for cell in selected[key]]]
    configurations_ = done[known].drop_duplicates()
    matching = selected[known].drop_duplicates()
    if len(matching) != 1:
        fact = "matches no configuration" if matching.empty else f"picks {len(matching)} configurations"
        options = _as_settings(configurations_ if matching.empty else matching)
        raise ValueError(f"{typed} {fact}; use one of: {'; '.join(options)}")
    return selected


def configurations(rows: "pd.DataFrame", swept: Sequence[str]) -> list[str]:
    """Return the configurations of a sweep in the form to type, such as cluster.k=10."""
    done = rows[rows["status"] == "FINISHED"]
    return _as_settings(done[_distinguishing_keys(done, swept)].drop_duplicates())


def _distinguishing_keys(done: "pd.DataFrame", swept: Sequence[str]) -> list[str]:
    """Return the keys in which the configurations differ."""
    return [key for key in configuration(swept) if done[key].nunique() > 1]


def _as_settings(rows: "pd.DataFrame") -> list[str]:
    records = rows.to_dict("records")
    return [" ".join(f"{key}={_as_typed(value)}" for key, value in row.items()) for row in records]


def _as_typed(value: Any) -> str:
    """Return a value in the form to type: text with spaces is quoted, a list is not."""
    return text(value) if " " in str(value) and str(value)[0] not in "[{" else str(value)


def _equals(cell: Any, value: Any) -> bool:
    """Return True if a table's cell equals a typed value; two numbers are compared as numbers."""
    try:
        return float(cell) == float(value)
    except (TypeError, ValueError):
        return str(cell).lower() == str(value).lower()


def paired(a: "pd.DataFrame", b: "pd.DataFrame", metrics: Sequence[str]) -> Findings:
    """Return a row per metric: both means, b - a with Student's 95 % interval, p values, effect size.

    `p` is the p value of the paired t test; `p_holm` adds Holm's correction over the tested metrics. `p_flip`
    is the p value of a sign-flip permutation test, which assumes no normal distribution; with s seeds it is
    at least 2 / 2**s. `d_z` is the mean difference divided by its standard deviation. A difference without
    spread over the seeds has no p value.

    Parameters
    ----------
    a, b
        The jobs of each configuration, with `seed`.

    Raises
    ------
    ValueError
        The configurations share fewer than two seeds.

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
    table_rows = []
    for metric in metrics:
        pair = pd.DataFrame({"a": first.loc[seeds, metric], "b": second.loc[seeds, metric]}).dropna()
        if len(pair) > 1:
            table_rows.append(
                {"metric": metric} | _tested(metric, pair["a"].to_numpy(), pair["b"].to_numpy())
            )
    table = pd.DataFrame(table_rows)
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
    """Return the two-sided p value of a mean difference from a sign-flip permutation test."""
    from scipy.stats import permutation_test

    flipped = permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=SIGN_FLIPS,
        rng=np.random.default_rng(0),
    )
    return float(flipped.pvalue)


def holm(p: np.ndarray) -> np.ndarray:
    """Return p values with Holm's correction for multiple tests; nan is ignored."""
    adjusted = np.full(len(p), np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested])]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted
