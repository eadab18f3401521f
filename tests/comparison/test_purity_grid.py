"""Purity over k and granularity, from the jobs of a sweep."""

from dataclasses import replace

import numpy as np
import pytest
from tests.messages import numbers

from experiments.comparison.purity_grid import purity_grid
from experiments.figures import Heatmap, Lines
from experiments.job import summary
from experiments.job.perform import Outcome
from experiments.types import Findings


def job(k: int, seed: int = 0, protocol: str = "held_out", **more: float) -> Outcome:
    """Return a job whose purity is k / 1000 against the classes, and higher against fewer groups."""
    purity = {f"purity_macro_{g}": k / 1000 + 1 / g + seed / 10 for g in (10, 5, 30)}
    metrics = {"purity": k / 1000 + seed / 10, "purity_macro_5_validation": 0.9, "nmi_macro_5": 0.9} | purity
    overrides = [f"cluster.k={k}", f"seed={seed}"]
    return Outcome(overrides, protocol=protocol, status="FINISHED", metrics=metrics | more)


def grid(*jobs: Outcome) -> Findings:
    return purity_grid(summary.to_frame(jobs, ["cluster.k", "seed"]))


def test_the_grid_has_a_row_per_k_and_a_column_per_granularity() -> None:
    findings = grid(job(233), job(10), job(50))
    heat = findings.figures["purity_grid"]
    assert isinstance(heat, Heatmap)
    assert heat.rows == ["k=10", "k=50", "k=233"]
    assert heat.columns == ["5", "10", "30", "fine"]
    np.testing.assert_allclose(heat.values[1], [0.25, 0.15, 0.05 + 1 / 30, 0.05])
    assert "held_out" in heat.title
    table = findings.tables["purity_grid"]
    assert table.columns.to_list() == ["k", "5", "10", "30", "fine"]
    assert table["k"].to_list() == [10, 50, 233]


def test_the_lines_include_ceiling_and_chance() -> None:
    lines = grid(*(job(k, purity_ceiling=0.9, purity_chance=0.1) for k in (10, 50))).figures["purity_over_k"]
    assert isinstance(lines, Lines)
    assert lines.log_x
    assert lines.x == [10, 50]
    assert list(lines.series) == ["5", "10", "30", "fine", "ceiling of fine", "chance of fine"]
    assert lines.series["fine"] == pytest.approx([0.01, 0.05])
    assert lines.dashed == ["ceiling of fine", "chance of fine"]


def test_jobs_of_equal_k_are_averaged_and_the_title_says_so() -> None:
    findings = grid(*(job(k, seed) for k in (10, 50) for seed in (0, 1, 2)))
    heat = findings.figures["purity_grid"]
    assert isinstance(heat, Heatmap)
    np.testing.assert_allclose(heat.values[:, -1], [0.11, 0.15])
    assert numbers(heat.title) == ["3"]


def test_jobs_whose_k_was_found_are_not_on_the_axis_of_k() -> None:
    automatic = replace(job(20), overrides=["cluster.k=auto", "seed=0"])
    assert grid(job(50), automatic, job(10)).tables["purity_grid"]["k"].to_list() == [10, 50]


def test_each_protocol_has_a_grid() -> None:
    jobs = [job(k, protocol=protocol) for k in (10, 50) for protocol in ("held_out", "published")]
    assert set(grid(*jobs).figures) == {
        f"purity_{kind}_{protocol}" for kind in ("grid", "over_k") for protocol in ("held_out", "published")
    }


def test_a_failed_job_has_no_row() -> None:
    failed = Outcome(["cluster.k=20", "seed=0"], protocol="held_out", status="FAILED")
    assert grid(job(10), failed, job(50)).tables["purity_grid"]["k"].to_list() == [10, 50]


@pytest.mark.parametrize(
    "jobs",
    [
        [job(10)],
        [job(10, 0), job(10, 1)],
        [Outcome([f"cluster.k={k}"], status="FINISHED", metrics={"silhouette": 0.1}) for k in (10, 20)],
        [Outcome([f"cluster.k={k}"], status="FAILED") for k in (10, 20)],
    ],
    ids=["one job", "one k", "no labels", "all failed"],
)
def test_without_purity_over_k_there_is_no_grid(jobs: list[Outcome]) -> None:
    findings = grid(*jobs)
    assert not findings.figures
    assert not findings.tables


def test_without_a_swept_k_there_is_no_grid() -> None:
    assert not purity_grid(summary.to_frame([job(10), job(20)], ["seed"])).figures


def test_repeated_seeds_give_curves_intervals() -> None:
    findings = grid(*(job(k, seed) for k in (10, 50) for seed in range(3)))
    chart = findings.figures["purity_over_k"]
    assert isinstance(chart, Lines)
    assert chart.series["fine"] == pytest.approx([0.11, 0.15])
    half = 4.302653 * 0.1 / np.sqrt(3)  # Student's with two degrees of freedom
    assert chart.low["fine"] == pytest.approx([0.11 - half, 0.15 - half])
    assert chart.high["10"] == pytest.approx([0.21 + half, 0.25 + half])
    assert grid(job(10), job(50)).figures["purity_over_k"].low == {}  # type: ignore[attr-defined]
