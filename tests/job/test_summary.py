"""Summary of all jobs: table, chart, last lines, exit code."""

import math
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats
from tests.messages import says

from experiments.config import commands
from experiments.job import summary
from experiments.job.perform import Outcome
from experiments.job.summary import Recording


def outcome(k: object, ari: float, **changed: object) -> Outcome:
    values: dict[str, object] = {"status": "FINISHED", "metrics": {"ari": ari}, "seconds": {"cluster": None}}
    return Outcome([f"cluster.k={k}", "seed=0"], **(values | changed))  # type: ignore[arg-type]


def test_the_table_has_numbers_and_every_metric() -> None:
    failed = outcome(20, 0.0, status="FAILED", metrics={})
    rows = summary.to_frame([outcome(10, 0.25), failed, outcome("x", 0.5)], ["cluster.k", "seed"])
    assert rows["cluster.k"].tolist() == [10, 20, "x"]
    assert rows["ari"].tolist()[0] == 0.25
    assert rows["ari"].isna().tolist() == [False, True, False]
    assert rows["status"].tolist() == ["FINISHED", "FAILED", "FINISHED"]


def test_a_chart_over_numbers_has_the_means_over_the_rest() -> None:
    rows = summary.to_frame([outcome(k, 0.01 * k) for k in (10, 50, 250, 10)], ["cluster.k", "protocol"])
    charts = summary.charts(rows, ["cluster.k", "protocol"])
    assert list(charts) == ["sweep_cluster.k", "sweep_protocol"]
    chart = charts["sweep_cluster.k"]
    assert (chart.x, chart.ticks, chart.log_x) == ([10, 50, 250], ["10", "50", "250"], True)
    assert chart.series["ari"] == pytest.approx([0.1, 0.5, 2.5])
    assert chart.x_label == "cluster.k (mean over the rest)"


def over_seeds(*values: tuple[int, int, float]) -> pd.DataFrame:
    """Make the table of a sweep over k and seed."""
    jobs = [
        replace(outcome(k, ari), overrides=[f"cluster.k={k}", f"seed={seed}"], protocol="held_out")
        for k, seed, ari in values
    ]
    return summary.to_frame(jobs, ["cluster.k", "seed"])


def test_seeds_make_one_point_with_its_interval() -> None:
    rows = over_seeds((10, 0, 0.1), (10, 1, 0.2), (10, 2, 0.3), (50, 0, 0.5), (50, 1, 0.5), (50, 2, 0.5))
    charts = summary.charts(rows, ["cluster.k", "seed"])
    assert list(charts) == ["sweep_cluster.k"]
    chart = charts["sweep_cluster.k"]
    assert chart.series["ari"] == pytest.approx([0.2, 0.5])
    low, high = stats.t.interval(0.95, 2, 0.2, stats.sem([0.1, 0.2, 0.3]))
    assert chart.low["ari"] == pytest.approx([low, 0.5])
    assert chart.high["ari"] == pytest.approx([high, 0.5])
    assert chart.title.endswith("bands: 95 % interval")


def test_a_seed_that_has_one_configuration_alone_gives_no_interval() -> None:
    chart = summary.charts(over_seeds((10, 0, 0.1), (50, 0, 0.5)), ["cluster.k", "seed"])["sweep_cluster.k"]
    assert chart.low == {}
    assert "interval" not in chart.title


def test_over_seeds_alone_the_chart_shows_each() -> None:
    rows = over_seeds((10, 0, 0.1), (10, 1, 0.2)).drop(columns="cluster.k")
    chart = summary.charts(rows, ["seed"])["sweep_seed"]
    assert chart.series["ari"] == [0.1, 0.2]
    assert chart.low == {}


def test_the_terminal_has_a_row_a_configuration_with_its_spread(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    jobs = [
        Outcome([f"cluster.k={k}", f"seed={seed}"], protocol="held_out", status="FINISHED", metrics=values)
        for k in (10, 50)
        for seed, values in enumerate([{"ari": k / 100}, {"ari": k / 100 + 0.2}])
    ]
    stable = pd.DataFrame({"cluster.k": [10], "protocol": "held_out", "seeds": 2, "stability": 0.75})
    summary.print_summary(
        jobs, ["cluster.k", "seed"], tmp_path, Recording("sqlite:///x"), stable=stable.assign(low=math.nan)
    )
    lines = [" ".join(line.split("│")).split() for line in capfd.readouterr().out.splitlines()]
    assert ["10", "0.2", "±", "1.3"] in lines
    assert ["50", "0.6", "±", "1.3"] in lines
    assert ["10", "2", "0.75", "0.1414"] in lines, "seeds, stability, standard deviation"
    assert ["50", "2", "0.1414"] in lines


def test_a_chart_over_names_has_them_on_its_axis() -> None:
    rows = summary.to_frame([outcome(value, 0.5) for value in ("pca", "identity")], ["cluster.k"])
    chart = summary.charts(rows, ["cluster.k"])["sweep_cluster.k"]
    assert (chart.x, chart.ticks, chart.log_x) == ([0, 1], ["identity", "pca"], False)
    assert chart.x_label == "cluster.k"


@pytest.mark.parametrize("values", [["[1,2]", "[3]"], ["null", "5"], ["true", "false"]])
def test_a_chart_over_lists_and_null_shows_each(values: list[str]) -> None:
    rows = summary.to_frame([outcome(value, 0.5) for value in values], ["cluster.k"])
    assert len(summary.charts(rows, ["cluster.k"])["sweep_cluster.k"].x) == 2


def test_there_is_no_chart_of_one_point_or_of_failures() -> None:
    failed = outcome(20, 0.0, status="FAILED", metrics={})
    assert summary.charts(summary.to_frame([outcome(10, 0.5), failed], ["cluster.k"]), ["cluster.k"]) == {}


def test_the_last_lines_name_each_failure(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    failed = outcome(20, 0.0, status="FAILED", metrics={}, error="too cold")
    code = summary.print_summary(
        [outcome(10, 0.25), failed], ["cluster.k"], tmp_path, Recording("sqlite:///x")
    )
    out, err = capfd.readouterr()
    assert code == 1
    says(err, key="FAILED job 1 cluster.k=20", use="too cold")
    assert "0.25" in out
    assert "reused" in out
    assert summary.print_summary([outcome(10, 0.25)], ["cluster.k"], tmp_path, Recording("sqlite:///x")) == 0


def test_a_key_computed_twice_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    twice = [outcome(k, 0.5, computed=["cnn-1", f"kmeans-{k}"]) for k in (10, 20)]
    summary.print_summary(twice, ["cluster.k"], tmp_path, Recording("sqlite:///x"))
    line = next(line for line in capfd.readouterr().out.splitlines() if line.startswith("computed "))
    says(line, key="computed 3 values, reused 0", use="more than once: cnn-1")


def test_values_are_counted_once_over_all_jobs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    jobs = [
        outcome(10, 0.5, computed=["cnn-1"]),
        outcome(20, 0.5, computed=["kmeans-20"], reused=["cnn-1", "pca-1"]),
    ]
    summary.print_summary(jobs, ["cluster.k"], tmp_path, Recording("sqlite:///x"), before=["digits-1"])
    assert "computed 3 values, reused 1 from the cache" in capfd.readouterr().out.splitlines()


def test_results_that_the_server_lost_are_no_success(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lost = outcome(10, 0.5, unrecorded="tracking.uri=http://server stopped answering")
    assert summary.print_summary([lost], [], tmp_path, Recording("http://server")) == 1
    says(capfd.readouterr().err, key="1 of 1", use=str(tmp_path))


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://server:5000/", "http://server:5000/#/experiments/7/runs?viewStateShareKey=figures&"),
        ("sqlite:////tmp/x.db", "/mlflow/serve.sh, then open http://127.0.0.1:5000/#/"),
        ("https://me:secret@server/ml/", "compare: https://server/ml/#/experiments/7/runs?"),
        ("postgresql://me:secret@server/db", "--backend-store-uri <this store>, then open http://127."),
        ("postgresql://server/db?password=secret", "--backend-store-uri <this store>, then open http://127."),
        ("sqlite:////tmp/a b@c.db", "compare: STORE='/tmp/a b@c.db' sh "),
        (commands.DEFAULT_STORE, "ui, then open http://127.0.0.1:5000/#/experiments/7/"),
    ],
)
def test_the_last_line_says_what_to_open(
    uri: str, shown: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    summary.print_summary([outcome(10, 0.25)], ["cluster.k"], tmp_path, Recording(uri, "7"))
    (line,) = (line for line in capfd.readouterr().out.splitlines() if line.startswith("compare: "))
    assert shown in line
    assert "secret" not in line


def test_seconds_stand_a_row_per_configuration_where_seeds_repeat_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def job(k: int, seed: int, training: float | None, clustering: float) -> Outcome:
        seconds = {"backbone": training, "cluster": clustering}
        made = outcome(k, 0.5, seconds=seconds, total=3.0)
        return replace(made, overrides=[f"cluster.k={k}", f"seed={seed}"])

    jobs = [job(10, 0, 8.0, 1.0), job(50, 0, None, 2.0), job(10, 1, 4.0, 2.0), job(50, 1, None, 4.0)]
    summary.print_summary(jobs, ["seed", "cluster.k"], tmp_path, Recording("http://localhost:5000"))
    _, _, shown = capsys.readouterr().out.partition("seconds, mean over the jobs that computed the step\n")
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in shown.splitlines() if "│" in line]
    assert cells == [["10", "2", "6.00", "1.50", "3.00"], ["50", "2", "cached", "3.00", "3.00"]]
    summary.print_summary(jobs[:2], ["cluster.k"], tmp_path, Recording("http://localhost:5000"))
    assert "seconds\n" in capsys.readouterr().out
