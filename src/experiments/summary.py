"""What all jobs of a command found: one table, its charts, the last lines on the terminal, the exit code."""

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import comparison, compose, console, report, tables
from experiments.comparison.paired import BOUNDS
from experiments.comparison.seeds import SEED
from experiments.compose import ROOT
from experiments.figures import Lines
from experiments.job import Outcome
from experiments.kept import Findings

if TYPE_CHECKING:
    import pandas as pd
    from hydra.core.override_parser.types import Override

MAIN_METRICS = (
    "ari",
    "ami",
    "nmi",
    "purity",
    "purity_ceiling",
    "purity_validation",
    "acc",
    "silhouette",
    "inertia",
    "clusters",
    "noise_share",
    "silhouette_umap",
)
NOISE = ("clusters", "noise_share")  # told where there is noise; else it is the k that was asked for


ABOUT = {  # tables over all jobs that a person wants to see at once
    "seeds": "Over the seeds: mean, standard deviation, 95 % interval",
    "stability": "Stability: mean ARI of the clusterings of two seeds, 95 % interval, the least pair",
    "label_free": "Without labels: which configuration each criterion chooses, beside what the labels say",
    "probes": "Probes of the embedding: the supervised upper bound",
    "leakage": "What protocol=published adds on the same embedding: difference, 95 % interval",
}

SPREAD = "spread over the seeds: standard deviation; stability: mean ARI of the clusterings of two seeds"


def to_frame(outcomes: Sequence[Outcome], swept: Sequence[str]) -> "pd.DataFrame":
    """Return one row per job: what was swept, protocol, every metric, status, seconds, run."""
    import pandas as pd

    rows = []
    for outcome in outcomes:
        values = settings(outcome)
        row: dict[str, Any] = {key: values.get(key, "") for key in swept}
        row |= {"protocol": outcome.protocol} | outcome.metrics
        rows.append(row | {"status": outcome.status, "seconds": outcome.total, "run_id": outcome.run_id})
    table = pd.DataFrame(rows)
    first = main_columns(table, swept)
    return table[[*first, *(name for name in table if name not in first)]]


def settings(outcome: Outcome) -> dict[str, Any]:
    """Return what was typed for a job, or swept, by key."""
    typed = [override for override in compose.parse(outcome.overrides) if not override.is_delete()]
    return {override.key_or_group: _value(override) for override in typed}


def name(outcome: Outcome, swept: Sequence[str]) -> str:
    """Name a job by what was swept, as shortly as a picture's axis wants it: k=10 seed=0."""
    values = settings(outcome)
    return " ".join(f"{key.rpartition('.')[2]}={values.get(key, '')}" for key in swept) or "run"


def _value(override: "Override") -> str | float:
    """Return a number or text; lists and null as they are typed, as pandas groups by neither."""
    value = override.value()
    return value if isinstance(value, (str, int, float)) else override.get_value_element_as_str()


def main_columns(rows: "pd.DataFrame", swept: Sequence[str]) -> list[str]:
    """Name what a person reads first: what was swept, and the main metrics that there are."""
    return list(dict.fromkeys([*swept, "protocol", *main_metrics(rows)]))


def main_metrics(rows: "pd.DataFrame") -> list[str]:
    """Name the main metrics that there are."""
    shown = [name for name in MAIN_METRICS if name in rows]
    return shown if "noise_share" in rows else [name for name in shown if name not in NOISE]


def in_words(rows: "pd.DataFrame", compared: Findings, swept: Sequence[str]) -> str:
    """Return what a person reads first on a sweep's page, in Markdown."""
    repeated = "seeds" in compared.tables  # then a row per configuration stands for its jobs
    parts = [] if repeated else [tables.markdown(rows[main_columns(rows, swept)])]
    for name, title in ABOUT.items():
        if name in compared.tables:
            parts.append(f"**{title}**\n\n{tables.markdown(_readable(compared.tables[name]))}")
    return "\n".join(parts)


def _readable(table: "pd.DataFrame") -> "pd.DataFrame":
    """Leave the main metrics of a table of metrics, any other table whole."""
    return table[table["metric"].isin(MAIN_METRICS)] if "metric" in table else table


def charts(rows: "pd.DataFrame", swept: Sequence[str]) -> dict[str, Lines]:
    """Return a chart of the main metrics over each setting that was swept: their mean over the rest.

    Where seeds repeat a configuration, it is one point with the 95 % interval over them.
    """
    done = rows[rows["status"] == "FINISHED"]
    metrics = [name for name in main_metrics(done) if name not in ("inertia", "clusters")]
    if len(done) < 2 or not metrics:
        return {}
    protocols = ", ".join(sorted(set(done["protocol"])))
    keys = [key for key in swept if key != SEED] or list(swept)
    repeated = SEED in swept and keys != [SEED]
    averaged = " (mean over the rest)" if len(keys) > 1 else " (mean over the seeds)" if repeated else ""
    return {f"sweep_{key}": _over(key, done, metrics, protocols, averaged, repeated) for key in keys}


def _over(
    key: str, done: "pd.DataFrame", metrics: Sequence[str], protocols: str, averaged: str, repeated: bool
) -> Lines:
    ends = comparison.over_seeds(done, key, metrics) if repeated else {}
    means = ends["value"] if repeated else done.groupby(key, sort=True)[list(metrics)].mean()
    values = list(means.index)
    numeric = all(isinstance(value, (int, float)) for value in values)
    places = [float(value) for value in values] if numeric else [float(n) for n in range(len(values))]
    low, high = (
        {metric: ends[end][metric].tolist() for metric in metrics if ends[end][metric].notna().any()}
        if repeated
        else {}
        for end in ("low", "high")
    )
    return Lines(
        f"Main metrics, protocol {protocols}" + ("; bands: 95 % interval over the seeds" if low else ""),
        f"{key}{averaged}",
        "",
        places,
        {metric: means[metric].tolist() for metric in metrics},
        log_x=min(places) > 0 and max(places) / min(places) >= 10,
        ticks=[str(value) for value in values],
        dashed=["purity_ceiling"],
        low=low,
        high=high,
    )


def show(
    outcomes: Sequence[Outcome],
    swept: Sequence[str],
    folder: Path,
    uri: str,
    before: Sequence[str] = (),
    lost: str = "",
) -> int:
    """Print tables, failures and how to compare; return the exit code.

    Parameters
    ----------
    before
        Keys of what was computed before the first job.
    lost
        Why the parent run of a sweep is not recorded, if so.
    """
    done = [(number, outcome) for number, outcome in enumerate(outcomes) if outcome.status == "FINISHED"]
    if done:
        _show_figures(done, swept, folder)
        _show_seconds(done)
        counts = Counter([*before, *(key for outcome in outcomes for key in outcome.computed)])
        twice = [key for key, count in counts.items() if count > 1]
        again = f"; more than once: {', '.join(twice)}" if twice else ", each once"
        kept = len({key for outcome in outcomes for key in outcome.kept} - set(counts))
        console.say(f"computed {len(counts)} distinct values{again if counts else ''}; read {kept} kept ones")
    for _, outcome in done:
        if outcome.stopped:
            console.complain(f"not finished: training stopped {outcome.stopped}")
            break
    failures = [(number, outcome) for number, outcome in enumerate(outcomes) if outcome.status != "FINISHED"]
    for number, outcome in failures:
        reason = f": {outcome.error}" if outcome.error else ""
        console.complain(f"{outcome.status} job {number} {' '.join(outcome.overrides)}{reason}")
    unrecorded = [outcome.lost for outcome in outcomes if outcome.lost]
    if unrecorded or lost:
        reason, count = (unrecorded or [lost])[0], len(unrecorded)
        console.complain(
            f"{reason}; {count} of {len(outcomes)} results are not recorded, all are in {folder}"
        )
    run = outcomes[0].parent or outcomes[0].run_id if outcomes else ""
    if run:
        console.say(f"run: {run}")
    console.say(f"results: {folder}")
    if (folder / report.NAME).exists():
        console.say(f"report: {(folder / report.NAME).as_uri()}")
    console.say(f"compare: {_how_to_compare(uri)}")
    return 1 if failures or unrecorded or lost else 0


def _how_to_compare(uri: str) -> str:
    if uri == f"sqlite:///{ROOT / 'mlflow' / 'mlflow.db'}":
        return "make ui" if Path.cwd() == ROOT else f"make -C {ROOT} ui"
    return f"mlflow server --backend-store-uri {uri}" if "://" in uri and not uri.startswith("http") else uri


def _show_figures(done: Sequence[tuple[int, Outcome]], swept: Sequence[str], folder: Path) -> None:
    """Print the main metrics: a row per job, or per configuration if the jobs repeat it with other seeds."""
    rows = to_frame([outcome for _, outcome in done], swept)
    compared = comparison.compare(rows, swept).tables
    metrics = main_metrics(rows)
    title = f"figures, protocol {', '.join(sorted(set(rows['protocol'])))}"
    if "purity_validation" in metrics:
        title += "; _validation: rows that the backbone was not trained on"
    if "seeds" in compared:
        title += "; mean over the seeds and half of its 95 % interval"
        over, stable = compared["seeds"], _stability(folder)
        _print(title, _one_protocol(_over_seeds(over, metrics, _mean_and_half)))
        results = [name for name in metrics if name not in BOUNDS]
        spread = _over_seeds(over, results, lambda row: _cell(row["std"]))
        _print(SPREAD, _one_protocol(_spread(spread, over, stable)))
    elif metrics:
        if not swept:
            rows.insert(0, "run", [str(number) for number, _ in done])
        _print(title, rows[[*(swept or ["run"]), *metrics]])
    if len(chosen := comparison.label_free(rows, swept, _stability(folder)).tables) > 0:
        _print(ABOUT["label_free"], _one_protocol(chosen["label_free"]))
    if "leakage" in compared:
        _print(ABOUT["leakage"], compared["leakage"])
    elif "probes" in compared:
        _print(ABOUT["probes"], compared["probes"])


def _over_seeds(
    table: "pd.DataFrame", metrics: Sequence[str], told: "Callable[[pd.Series], str]"
) -> "pd.DataFrame":
    """Return a row per configuration and a column per metric."""
    main = table[table["metric"].isin(metrics)].copy()
    config = list(main.columns[: list(main.columns).index("metric")])
    main["text"] = [told(row) for _, row in main.iterrows()]
    wide = main.pivot(index=config, columns="metric", values="text")
    return wide[[name for name in metrics if name in wide]].fillna("").reset_index()


def _mean_and_half(row: "pd.Series") -> str:
    half = row["mean"] - row["low"]  # the upper end of a stability may be cut at 1
    return f"{_cell(row['mean'])} ± {half:.2g}" if half == half else _cell(row["mean"])


def _spread(wide: "pd.DataFrame", over: "pd.DataFrame", stable: "pd.DataFrame | None") -> "pd.DataFrame":
    """Put beside the standard deviations how many seeds there are, and how far their clusterings agree."""
    config = list(over.columns[: list(over.columns).index("metric")])
    wide.insert(len(config), "seeds", over.groupby(config)["n"].max().to_numpy())
    if stable is None:
        return wide
    cells = [_mean_and_half(row.rename({"stability": "mean"})) for _, row in stable.iterrows()]
    told = stable[config].assign(stability=cells)
    wide = wide.merge(told, how="left", on=config).fillna({"stability": ""})
    wide.insert(len(config) + 1, "stability", wide.pop("stability"))
    return wide


def _one_protocol(table: "pd.DataFrame") -> "pd.DataFrame":
    """Leave out the protocol if it is the same everywhere: the title has it."""
    return table if table["protocol"].nunique() > 1 else table.drop(columns="protocol")


def _stability(folder: Path) -> "pd.DataFrame | None":
    """Read the table that the sweep left: it comes from the clusterings, which are not here."""
    import pandas as pd

    path = folder / "stability.csv"
    return pd.read_csv(path) if path.exists() else None


def _print(title: str, table: "pd.DataFrame") -> None:
    rows = [[_cell(value) for value in row] for row in table.itertuples(index=False, name=None)]
    console.table(title, [str(column) for column in table.columns], rows)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if value != value else f"{value:.4g}"
    return str(value)


def _show_seconds(done: Sequence[tuple[int, Outcome]]) -> None:
    steps = list(done[0][1].seconds)
    rows = []
    for number, outcome in done:
        times = [outcome.seconds.get(step) for step in steps]
        spent = ["kept" if value is None else f"{value:.2f}" for value in times]
        rows.append([str(number), *spent, f"{outcome.total:.2f}"])
    console.table("seconds", ["job", *steps, "in all"], rows)
