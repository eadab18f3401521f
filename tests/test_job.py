"""What a job leaves in its folder."""

from pathlib import Path

import pytest

from experiments import compose, config, job

FEW = ["backbone=pixels", "dataset.limit=200", "reducer.n_components=5", "evaluator=[data_report]"]


@pytest.mark.parametrize(
    ("typed", "alone", "in_a_sweep"),
    [
        ([], True, False),
        (["figures=all"], True, True),
        (["figures=none"], False, False),
        (["cache.enabled=false"], True, True),  # nothing is kept that the sweep could draw
    ],
)
def test_who_draws(typed: list[str], alone: bool, in_a_sweep: bool) -> None:
    plan = config.build(compose.compose_config(typed), typed)
    assert job.draws(plan, "") == alone
    assert job.draws(plan, "the parent run's id") == in_a_sweep


def test_tables_and_pictures_are_written_twice(tmp_path: Path) -> None:
    cfg = compose.compose_config(
        [*FEW, f"cache.root={tmp_path}/cache", f"tracking.uri=sqlite:///{tmp_path}/mlflow.db"]
    )
    outcome = job.Outcome([])
    result = job.perform(cfg, tmp_path / "run", outcome)
    files = {path.relative_to(tmp_path / "run").as_posix() for path in (tmp_path / "run").rglob("*.*")}
    found = result.findings["data_report"]
    assert files >= {f"{name}.{kind}" for name in found.tables for kind in ("csv", "md")}
    assert files >= {f"figures/{name}.{kind}" for name in found.figures for kind in ("html", "png")}
    assert outcome.found == job.Outcome.load(tmp_path / "run").found
    assert (tmp_path / "cache" / outcome.found["data_report"] / "figures.json").exists()
