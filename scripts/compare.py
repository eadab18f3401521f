"""Compare two configurations of a recorded sweep over its seeds: paired tests of the main metrics.

python scripts/compare.py SWEEP cluster.k=10 cluster.k=50
python scripts/compare.py SWEEP 'cluster.k=10 reducer=pca' 'cluster.k=10 reducer=umap'
python scripts/compare.py SWEEP cluster.k=10 cluster.k=50 tracking.uri=http://localhost:5000

SWEEP is the id of the sweep's run, or its folder. The table is recorded in that run. It has for each metric

- the mean of b - a over equal seeds, and its 95 % interval;
- the p value of the paired t test, also with Holm's correction over the metrics;
- the p value of the sign-flip permutation test, which does not assume a normal distribution;
- the effect size d_z.
"""

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments import comparison, script, tracking
from experiments.config import compose, overrides
from experiments.job import console
from experiments.metric_names import Name, comparable, main_metrics
from experiments.recorded import PastRun
from experiments.report import tables
from experiments.sweep.state import SWEPT_TAG, recorded_sweep

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "comparisons"  # among the artifacts of the sweep's run
COLUMNS = ["metric", "a", "b", "b - a", "95 % interval", "p", "p (Holm)", "p (sign flips)", "d_z", "seeds"]
MEANING = (
    "p: paired t test over the seeds; Holm: corrected over the metrics; sign flips: permutation test; "
    "interval: Student's t, n - 1 degrees of freedom; d_z: effect size, mean difference / standard deviation"
)


def find_sweep(word: str, uri: str) -> PastRun:
    """Return the run of a sweep; raise ValueError if its swept settings are not recorded."""
    run = recorded_sweep(word, uri, "SWEEP", "", "run it with -m and several seeds")
    if SWEPT_TAG not in run.info.data.tags:
        raise ValueError(
            f"SWEEP={word} has no record of its swept settings, as an optimiser or an old version ran it; "
            "run the configurations again with -m and several seeds"
        )
    return run


def separated(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return at most two configurations, and the remaining settings."""
    configurations = [
        word for word in words if not compose.key_of(word).startswith(compose.STORAGE_AND_HYDRA)
    ][:2]
    rest = list(words)
    for word in configurations:
        rest.remove(word)
    return configurations, rest


def is_configuration(word: str) -> bool:
    """Return True for one or several key=value."""
    return all("=" in part for part in overrides.words_of(word))


def settings(typed: str) -> dict[str, Any]:
    """Return the settings of a configuration: one or several key=value."""
    parsed = compose.parse(overrides.words_of(typed))
    sweeps = [o.input_line for o in parsed if o.is_sweep_override()]
    if sweeps:
        raise ValueError(f"{sweeps[0]} has several values; type each configuration as a separate word")
    others = [o.input_line for o in parsed if o.key_or_group.startswith(compose.STORAGE_AND_HYDRA)]
    if others:
        raise ValueError(f"{others[0]} is not a configuration; type two configurations before it")
    return {o.key_or_group: overrides.plain_value(o) for o in parsed}


def readable(table: "pd.DataFrame") -> list[list[str]]:
    """Return the table as texts, a row per metric."""

    def number(value: float, digits: int = 4) -> str:
        return "" if value != value else f"{value:.{digits}g}"

    return [
        [
            row["metric"],
            *(number(row[name]) for name in ("a", "b")),
            number(row["difference"], 3),
            f"{number(row['low'], 3)} to {number(row['high'], 3)}",
            *(number(row[name], 2) for name in ("p", "p_holm", "p_flip")),
            number(row["d_z"], 3),
            str(row["seeds"]),
        ]
        for row in table.to_dict("records")
    ]


def record(run: PastRun, table: "pd.DataFrame", a: str, b: str) -> None:
    """Record the table in the sweep's run, as CSV and Markdown."""
    name = re.sub(r"[^\w.=-]+", "_", f"{a} and {b}")
    with tempfile.TemporaryDirectory() as folder:
        tables.write(table, Path(folder), name)
        with (Path(folder) / f"{name}.md").open("a", encoding="utf-8") as note:
            note.write(f"\n{MEANING}\n")
        for kind in ("csv", "md"):
            path = str(Path(folder) / f"{name}.{kind}")
            try:
                tracking.query(run.uri, partial(_log_artifact, run.id, path))
            except LookupError as error:
                raise ValueError(
                    f"SWEEP={run.id} cannot be changed ({error}); use a tracking.uri that you may write to"
                ) from error
    console.print_line(f"recorded: {FOLDER}/{name}.csv and .md of run {run.id}")


def _log_artifact(run_id: str, path: str, client: Any) -> None:
    client.log_artifact(run_id, path, FOLDER)


def two_configurations(words: Sequence[str], valid: Sequence[str]) -> tuple[str, str]:
    """Return the two typed configurations; raise ValueError with the valid ones otherwise."""
    use = f"use one of: {'; '.join(valid)}"
    for word in words:
        if not is_configuration(word):
            raise ValueError(f"{word!r} is not a configuration; {use}")
    if len(words) < len("ab"):
        typed = f"only {words[0]} is" if words else "none is"
        raise ValueError(f"two configurations are needed, {typed} typed; {use}")
    return words[0], words[1]


def compare(args: argparse.Namespace) -> int:
    """Compare two configurations; print and record the table."""
    import pandas as pd

    typed, others = separated([*args.words, *args.settings])
    parsed = {word: settings(word) for word in typed if is_configuration(word)}
    run = find_sweep(args.sweep, script.plan(others).tracking.uri)
    with tempfile.TemporaryDirectory() as folder:
        path = run.file("sweep.csv", Path(folder))
        rows = pd.read_csv(path, keep_default_na=False, na_values=[""])  # null can be a swept value
    swept = json.loads(run.info.data.tags[SWEPT_TAG])
    a, b = two_configurations(typed, comparison.configurations(rows, swept))
    first, second = (comparison.select_configuration(rows, swept, parsed[word], word) for word in (a, b))
    if first.index.equals(second.index):
        raise ValueError(f"{a} and {b} are the same configuration; use two different ones")
    differing = [key for key in swept if set(first[key]) != set(second[key])]
    metrics = [name for name in main_metrics(rows) if comparable(name, differing)]
    table = comparison.paired(first, second, metrics).tables["paired"]
    protocols = ", ".join(sorted({*first["protocol"], *second["protocol"]}))
    console.table(f"a: {a}; b: {b}; protocol {protocols}", COLUMNS, readable(table))
    console.print_line(MEANING)
    if "cluster.k" in swept and set(first["cluster.k"]) != set(second["cluster.k"]):
        rows_of = {name: Name.parse(name).row for name in table["metric"]}
        drifting = ", ".join(name for name, row in rows_of.items() if row.drifts)
        names = " or ".join(name for name, row in rows_of.items() if row.across_k == "comparable")
        use = f"; compare {names}" if names else ""
        console.print_line(f"k differs, and {drifting} depend on k itself{use}")
    if excluded := [name for name in main_metrics(rows) if name not in metrics]:
        console.print_line(
            f"not compared: {', '.join(excluded)}, as reducers and backbones change distances by themselves"
        )
    record(run, table, a, b)
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    arguments = script.parser(__doc__)
    arguments.add_argument("sweep", metavar="SWEEP", help="id of the sweep's run, or the sweep's folder")
    arguments.add_argument(
        "words",
        metavar="CONFIGURATION",
        nargs="*",
        default=[],
        help="two configurations, such as cluster.k=10 cluster.k=50; later words are settings",
    )
    return arguments


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), compare)


if __name__ == "__main__":
    sys.exit(main())
