"""Readable tables with a row per configuration over its seeds, and cells such as 0.46 ± 0.02."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from experiments.metric_names import Name

if TYPE_CHECKING:
    import pandas as pd


def means(seed_rows: "pd.DataFrame", metrics: Sequence[str]) -> "pd.DataFrame":
    """Return the mean of each metric and half of its interval.

    Parameters
    ----------
    seed_rows
        Table from `comparison.seeds`: a row per configuration and metric.
    """
    return _wide(seed_rows, metrics, _mean_and_half)


def spread(
    seed_rows: "pd.DataFrame", metrics: Sequence[str], stability: "pd.DataFrame | None" = None
) -> "pd.DataFrame":
    """Return the number of seeds, the stability and the standard deviation of each metric.

    Parameters
    ----------
    seed_rows
        As in `means`.
    stability
        Table from `comparison.stability`: a row per configuration.
    """
    results = [name for name in metrics if not Name.parse(name).row.bound]
    wide = _wide(seed_rows, results, lambda row: cell(row["std"]))
    config = _configuration(seed_rows)
    wide.insert(len(config), "seeds", seed_rows.groupby(config)["n"].max().to_numpy())
    if stability is None:
        return wide
    cells = [_mean_and_half(row.rename({"stability": "mean"})) for _, row in stability.iterrows()]
    stability_cells = stability[config].assign(stability=cells)
    wide = wide.merge(stability_cells, how="left", on=config).fillna({"stability": ""})
    wide.insert(len(config) + 1, "stability", wide.pop("stability"))
    return wide


def one_protocol(table: "pd.DataFrame") -> "pd.DataFrame":
    """Drop the column `protocol` if it has a single value, which the title shows."""
    if "protocol" not in table or table["protocol"].nunique() > 1:
        return table
    return table.drop(columns="protocol")


def cell(value: Any) -> str:
    """Return the text of a cell: four significant digits of a float, "" for nan."""
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)


def _wide(
    seed_rows: "pd.DataFrame", metrics: Sequence[str], format_row: "Callable[[pd.Series], str]"
) -> "pd.DataFrame":
    """Return a row per configuration and a column per metric."""
    main = seed_rows[seed_rows["metric"].isin(metrics)].copy()
    main["text"] = [format_row(row) for _, row in main.iterrows()]
    wide = main.pivot(index=_configuration(seed_rows), columns="metric", values="text")
    return wide[[name for name in metrics if name in wide]].fillna("").reset_index()


def _configuration(seed_rows: "pd.DataFrame") -> list[str]:
    """Return the columns that define a configuration: those before `metric`."""
    return list(seed_rows.columns[: list(seed_rows.columns).index("metric")])


def _mean_and_half(row: "pd.Series") -> str:
    half = row["mean"] - row["low"]  # the upper end of stability is clipped at 1
    return f"{cell(row['mean'])} ± {half:.2g}" if half == half else cell(row["mean"])
