"""A setting that is null in some jobs and a number in others, in all tables and charts of a sweep."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments import comparison
from experiments.comparison.order import in_order, sorted_by
from experiments.comparison.seed_tables import means, spread
from experiments.figures import Lines
from experiments.job import summary
from experiments.job.perform import Outcome
from experiments.job.summary import Recording
from experiments.report.best import best_configs

LIMIT, SWEPT = "dataset.limit", ["dataset.limit", "seed"]
ARI = {"null": 0.5, "100": 0.25, "20": 0.75}
JOBS = [
    Outcome(
        [f"{LIMIT}={limit}", f"seed={seed}"],
        protocol="held_out",
        status="FINISHED",
        metrics={
            "ari": ari + seed / 100,
            "silhouette_embeddings": 1 - ari,
            "probe_accuracy": ari,
            "probe_train_accuracy": 1.0,
            "probe_gap": 1 - ari,
        },
    )
    for limit, ari in ARI.items()
    for seed in (0, 1)
]
ORDER = [20, 100, "null"]
NULL = ["null", "0.5", "-0.1667"]  # not chosen: its silhouette_embeddings and its stability


@pytest.fixture
def rows() -> pd.DataFrame:
    return summary.to_frame(JOBS, SWEPT)


def clustering(row: int) -> pd.DataFrame:
    """Return equal clusterings for the jobs of a limit, but two unrelated ones for the jobs of null."""
    halves = np.arange(8) % 2 if row == 1 else np.arange(8) // 4
    names = [str(name) for name in range(8)]
    return pd.DataFrame({"id": names, "hash": names, "cluster": halves})


def test_numbers_come_before_texts_each_once() -> None:
    assert in_order(["null", 30, "a", 4, 30, 2.5]) == [2.5, 4, 30, "a", "null"]
    table = pd.DataFrame({"k": ["null", 10, 2], "seed": [0, 0, 0], "name": ["x", "y", "z"]})
    assert sorted_by(table, ["seed", "k"])["name"].to_list() == ["z", "y", "x"]


def test_seeds_are_averaged_over_each_value(rows: pd.DataFrame) -> None:
    seed_means = comparison.over_seeds(rows, LIMIT, ["ari"])["value"]
    assert seed_means.index.to_list() == ORDER
    assert seed_means["ari"].to_list() == pytest.approx([0.755, 0.255, 0.505])
    tables = comparison.compare(rows, SWEPT).tables
    assert means(tables["seeds"], ["ari"])[LIMIT].to_list() == ORDER
    assert tables["probes"][LIMIT].to_list() == [20, 20, 100, 100, "null", "null"]


def test_stability_is_shown_with_its_configuration(rows: pd.DataFrame) -> None:
    findings = comparison.stability(rows, SWEPT, clustering)
    table, chart = findings.tables["stability"], findings.figures["stability"]
    assert dict(zip(table[LIMIT], table["stability"], strict=True)) == pytest.approx(
        {20: 1.0, 100: 1.0, "null": -1 / 6}
    )
    assert isinstance(chart, Lines)
    assert (chart.x, chart.ticks, chart.log_x) == ([0, 1, 2], ["20", "100", "null"], False)
    assert chart.series["held_out"] == pytest.approx([1, 1, -1 / 6])
    table_text = spread(comparison.seeds(rows, SWEPT).tables["seeds"], ["ari"], table)
    assert dict(zip(table_text[LIMIT], table_text["stability"], strict=True)) == {
        20: "1",
        100: "1",
        "null": "-0.1667",
    }
    chosen = comparison.label_free(rows, SWEPT, table).tables["label_free"]
    assert chosen[LIMIT].to_list() == [100, "null", 20]
    assert chosen["stability"].to_list() == pytest.approx([1, -1 / 6, 1])


def test_charts_and_the_report_name_each_value(rows: pd.DataFrame) -> None:
    chart = summary.charts(rows, SWEPT)[f"sweep_{LIMIT}"]
    assert chart.ticks == ["20", "100", "null"]
    assert chart.series["ari"] == pytest.approx([0.755, 0.255, 0.505])
    (best,) = best_configs(rows, SWEPT, ["ari"], "ari")
    assert (best.config, [name for name, _ in best.runners_up]) == ("limit=20", ["limit=null", "limit=100"])


def test_the_terminal_shows_the_stability(
    rows: pd.DataFrame, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stable = comparison.stability(rows, SWEPT, clustering).tables["stability"]
    assert summary.print_summary(JOBS, SWEPT, tmp_path, Recording("sqlite:///x"), stable=stable) == 0
    lines = [" ".join(line.split("│")).split() for line in capfd.readouterr().out.splitlines()]
    assert [line[:3] for line in lines if "-0.1667" in line] == [["null", "2", "-0.1667"], NULL]
