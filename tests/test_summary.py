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


@pytest.mark.parametrize("values", [[10, 50, 233], ["pca", "identity"]])
def test_the_chart_is_drawn_over_numbers_and_names(tmp_path: Path, values: list[object]) -> None:
    rows = summary.to_frame([outcome(value, 0.1 * n) for n, value in enumerate(values)], ["cluster.k"])
    summary.draw(rows, ["cluster.k"], tmp_path / "sweep.png")
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")


def test_there_is_no_chart_of_one_point(tmp_path: Path) -> None:
    summary.draw(summary.to_frame([outcome(10, 0.5)], ["cluster.k"]), ["cluster.k"], tmp_path / "sweep.png")
    assert not (tmp_path / "sweep.png").exists()


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
