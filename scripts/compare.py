"""Compare two configurations of a recorded sweep over its seeds: paired tests of the main metrics.

python scripts/compare.py SWEEP cluster.k=10 cluster.k=50
python scripts/compare.py SWEEP 'cluster.k=10 reducer=pca' 'cluster.k=10 reducer=umap'
python scripts/compare.py SWEEP cluster.k=10 cluster.k=50 tracking.uri=http://localhost:5000

SWEEP is the id of the sweep's run, or its folder. The difference is b - a, of the same seeds: its mean and
95 % interval; the paired t test's p value, and Holm's correction of it over the metrics; the sign-flip
permutation test's, which assumes no normal distribution; and the effect size d_z. All is recorded on the
sweep's run.
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
from experiments.metric_names import Name, main_metrics
from experiments.recorded import Recorded
from experiments.report import tables
from experiments.sweep.state import SWEPT_TAG, recorded_sweep

if TYPE_CHECKING:
    import pandas as pd

PLACE = "comparisons"  # among the artifacts of the sweep's run
COLUMNS = ["metric", "a", "b", "b - a", "95 % interval", "p", "p (Holm)", "p (sign flips)", "d_z", "seeds"]
MEANING = (
    "p: paired t test over the seeds; Holm: corrected over the metrics; sign flips: permutation test; "
    "interval: Student's t, n - 1 degrees of freedom; d_z: effect size, mean difference / standard deviation"
)


def find(word: str, uri: str) -> Recorded:
    """Return the run of a sweep; raise ValueError if it is none, or an old one."""
    run = recorded_sweep(word, uri, "SWEEP", "", "run it with -m and several seeds")
    if SWEPT_TAG not in run.info.data.tags:
        raise ValueError(
            f"SWEEP={word} does not say what was swept: it is an optimiser's, or older than that; run the "
            "configurations again with -m and several seeds"
        )
    return run


def separated(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the configurations, two at most, and the settings after them."""
    named = [word for word in words if not compose.key_of(word).startswith(compose.PLACE_KEYS)][:2]
    rest = list(words)
    for word in named:
        rest.remove(word)
    return named, rest


def is_configuration(word: str) -> bool:
    """Return True for key=value, or several."""
    return all("=" in part for part in overrides.words_of(word))


def settings(typed: str) -> dict[str, Any]:
    """Read a configuration: one or several key=value."""
    parsed = compose.parse(overrides.words_of(typed))
    several = [o.input_line for o in parsed if o.is_sweep_override()]
    if several:
        raise ValueError(
            f"{several[0]} gives several values; name one configuration, and the other beside it"
        )
    places = [o.input_line for o in parsed if o.key_or_group.startswith(compose.PLACE_KEYS)]
    if places:
        raise ValueError(f"{places[0]} is no configuration; name two of them before it")
    return {o.key_or_group: overrides.plain_value(o) for o in parsed}


def readable(table: "pd.DataFrame") -> list[list[str]]:
    """Put the table into words, a row per metric."""

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


def record(run: Recorded, table: "pd.DataFrame", a: str, b: str) -> None:
    """Keep the table with the sweep's run, as CSV and Markdown."""
    name = re.sub(r"[^\w.=-]+", "_", f"{a} and {b}")
    with tempfile.TemporaryDirectory() as folder:
        tables.write(table, Path(folder), name)
        with (Path(folder) / f"{name}.md").open("a", encoding="utf-8") as note:
            note.write(f"\n{MEANING}\n")
        for kind in ("csv", "md"):
            path = str(Path(folder) / f"{name}.{kind}")
            try:
                tracking.ask(run.uri, partial(_keep, run.id, path))
            except LookupError as error:
                raise ValueError(f"SWEEP={run.id} takes no table ({error}); use its own store") from error
    console.print_line(f"recorded: {PLACE}/{name}.csv and .md of run {run.id}")


def _keep(run_id: str, path: str, client: Any) -> None:
    client.log_artifact(run_id, path, PLACE)


def two(words: Sequence[str], there: Sequence[str]) -> tuple[str, str]:
    """Return the two configurations that were named; raise ValueError that lists those there are."""
    use = f"use one of: {'; '.join(there)}"
    for word in words:
        if not is_configuration(word):
            raise ValueError(f"{word!r} is no configuration; {use}")
    if len(words) < len("ab"):
        named = words[0] if words else "none"
        raise ValueError(f"two configurations are compared, and {named} is named; {use}")
    return words[0], words[1]


def compare(args: argparse.Namespace) -> int:
    """Read, test, print and record."""
    import pandas as pd

    typed, others = separated([*args.words, *args.settings])
    read = {each: settings(each) for each in typed if is_configuration(each)}
    run = find(args.sweep, script.plan(others).tracking.uri)
    with tempfile.TemporaryDirectory() as folder:
        path = run.file("sweep.csv", Path(folder))
        rows = pd.read_csv(path, keep_default_na=False, na_values=[""])  # null is a value that was swept
    swept = json.loads(run.info.data.tags[SWEPT_TAG])
    a, b = two(typed, comparison.configurations(rows, swept))
    first, second = (comparison.picked(rows, swept, read[each], each) for each in (a, b))
    if first.index.equals(second.index):
        raise ValueError(f"{a} and {b} are the same configuration; name two")
    table = comparison.paired(first, second, main_metrics(rows)).tables["paired"]
    protocols = ", ".join(sorted({*first["protocol"], *second["protocol"]}))
    console.table(f"a: {a}; b: {b}; protocol {protocols}", COLUMNS, readable(table))
    console.print_line(MEANING)
    if "cluster.k" in swept and set(first["cluster.k"]) != set(second["cluster.k"]):
        rows_of = {name: Name.parse(name).row for name in table["metric"]}
        drifting = ", ".join(name for name, row in rows_of.items() if row.drifts)
        comparable = " or ".join(name for name, row in rows_of.items() if row.across_k == "comparable")
        use = f"; compare {comparable}" if comparable else ""
        console.print_line(f"k differs: {drifting} change with it by themselves{use}")
    record(run, table, a, b)
    return 0


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = script.parser(__doc__)
    made.add_argument("sweep", metavar="SWEEP", help="run id, which MLflow's page shows, or folder")
    made.add_argument(
        "words",
        metavar="CONFIGURATION",
        nargs="*",
        default=[],
        help="two that are compared, such as cluster.k=10 cluster.k=50; what follows is a setting",
    )
    return made


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), compare)


if __name__ == "__main__":
    sys.exit(main())
