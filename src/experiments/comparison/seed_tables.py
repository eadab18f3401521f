"""A row per configuration, over its seeds, as a person reads it: figures as 0.46 ± 0.02."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from experiments.metric_names import Name

if TYPE_CHECKING:
    import pandas as pd


def means(over: "pd.DataFrame", metrics: Sequence[str]) -> "pd.DataFrame":
    """Return the mean of each metric and half of its interval.

    Parameters
    ----------
    over
        What `comparison.seeds` makes: a row per configuration and metric.
    """
    return _wide(over, metrics, _mean_and_half)


def spread(
    over: "pd.DataFrame", metrics: Sequence[str], stable: "pd.DataFrame | None" = None
) -> "pd.DataFrame":
    """Return how many seeds there are, how far their clusterings agree, and the standard deviations.

    Parameters
    ----------
    stable
        What `comparison.stability` makes: a row per configuration.
    """
    results = [name for name in metrics if not Name.parse(name).row.bound]
    wide = _wide(over, results, lambda row: cell(row["std"]))
    config = _configuration(over)
    wide.insert(len(config), "seeds", over.groupby(config)["n"].max().to_numpy())
    if stable is None:
        return wide
    cells = [_mean_and_half(row.rename({"stability": "mean"})) for _, row in stable.iterrows()]
    told = stable[config].assign(stability=cells)
    wide = wide.merge(told, how="left", on=config).fillna({"stability": ""})
    wide.insert(len(config) + 1, "stability", wide.pop("stability"))
    return wide


def one_protocol(table: "pd.DataFrame") -> "pd.DataFrame":
    """Leave out the protocol if it is the same everywhere: a title has it."""
    if "protocol" not in table or table["protocol"].nunique() > 1:
        return table
    return table.drop(columns="protocol")


def cell(value: Any) -> str:
    """Return what stands in a cell: four figures, nothing for nan."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)


def _wide(over: "pd.DataFrame", metrics: Sequence[str], told: "Callable[[pd.Series], str]") -> "pd.DataFrame":
    """Return a row per configuration and a column per metric."""
    main = over[over["metric"].isin(metrics)].copy()
    main["text"] = [told(row) for _, row in main.iterrows()]
    wide = main.pivot(index=_configuration(over), columns="metric", values="text")
    return wide[[name for name in metrics if name in wide]].fillna("").reset_index()


def _configuration(over: "pd.DataFrame") -> list[str]:
    """Name the columns that say which configuration it is: those before the metric."""
    return list(over.columns[: list(over.columns).index("metric")])


def _mean_and_half(row: "pd.Series") -> str:
    half = row["mean"] - row["low"]  # the upper end of a stability may be cut at 1
    return f"{cell(row['mean'])} ± {half:.2g}" if half == half else cell(row["mean"])
