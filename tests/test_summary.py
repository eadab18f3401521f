"""What all jobs found: table, chart, last lines, exit code."""

from pathlib import Path

import pytest

from experiments import summary
from experiments.job import Outcome


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
    rows = summary.to_frame([outcome(k, 0.01 * k) for k in (10, 50, 250, 10)], ["cluster.k", "seed"])
    charts = summary.charts(rows, ["cluster.k", "seed"])
    assert list(charts) == ["sweep_cluster.k", "sweep_seed"]
    chart = charts["sweep_cluster.k"]
    assert (chart.x, chart.ticks, chart.log_x) == ([10, 50, 250], ["10", "50", "250"], True)
    assert chart.series["ari"] == pytest.approx([0.1, 0.5, 2.5])
    assert chart.x_label == "cluster.k (mean over the rest)"


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
    code = summary.show([outcome(10, 0.25), failed], ["cluster.k"], tmp_path, "sqlite:///x")
    out, err = capfd.readouterr()
    assert code == 1
    assert "FAILED job 1 cluster.k=20 seed=0: too cold" in err
    assert "0.25" in out
    assert "kept" in out
    assert summary.show([outcome(10, 0.25)], ["cluster.k"], tmp_path, "sqlite:///x") == 0


def test_a_key_computed_twice_is_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    twice = [outcome(k, 0.5, computed=["cnn-1", f"kmeans-{k}"]) for k in (10, 20)]
    summary.show(twice, ["cluster.k"], tmp_path, "sqlite:///x")
    assert "computed 3 distinct values; more than once: cnn-1" in capfd.readouterr().out


def test_results_that_the_server_lost_are_no_success(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lost = outcome(10, 0.5, lost="tracking.uri=http://server stopped answering")
    assert summary.show([lost], [], tmp_path, "http://server") == 1
    assert f"1 of 1 results are not recorded, all are in {tmp_path}" in capfd.readouterr().err
