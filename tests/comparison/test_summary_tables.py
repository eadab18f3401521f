"""The main tables of a sweep, in the same order everywhere."""

import pandas as pd

from experiments.comparison.summary_tables import summary_tables
from experiments.comparison.titles import ABOUT, MEANS, SPREAD

ROWS = pd.DataFrame({"cluster.k": [10, 50], "protocol": "held_out", "ari": [0.9, 0.4], "secondary": [1, 2]})
MAIN = ["cluster.k", "protocol", "ari"]
SEEDS = pd.DataFrame(
    {
        "cluster.k": [10], "protocol": ["held_out"], "metric": ["ari"], "n": [3], "mean": [0.5],
        "std": [0.01], "low": [0.4], "high": [0.6],
    }
)  # fmt: skip


def test_jobs_are_shown_by_their_main_columns() -> None:
    (table,) = summary_tables(ROWS, MAIN, {})
    assert (table.name, table.title) == ("sweep", "")
    assert list(table.rows) == ["cluster.k", "ari"]
    (mixed,) = summary_tables(ROWS.assign(protocol=["held_out", "published"]), MAIN, {})
    assert list(mixed.rows) == MAIN


def test_means_over_seeds_replace_the_jobs() -> None:
    tables = summary_tables(ROWS, MAIN, {"seeds": SEEDS})
    assert [(table.name, table.title) for table in tables] == [("seeds", MEANS), ("seeds", SPREAD)]
    assert tables[0].rows["ari"].to_list() == ["0.5 ± 0.1"]
    assert tables[1].rows[["seeds", "ari"]].values.tolist() == [[3, "0.01"]]


def test_leakage_replaces_the_probes() -> None:
    tables_by_name = {
        name: pd.DataFrame({"a": [1]}) for name in ("probes", "leakage", "agreement", "label_free")
    }
    assert [table.name for table in summary_tables(ROWS, MAIN, tables_by_name)] == [
        "sweep",
        "label_free",
        "leakage",
    ]
    del tables_by_name["leakage"]
    tables = summary_tables(ROWS, MAIN, tables_by_name)
    assert [table.title for table in tables[1:]] == [ABOUT["label_free"], ABOUT["probes"]]
