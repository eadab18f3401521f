"""What every evaluator of conf/ keeps: its figures are finite, repeat, and survive being kept."""

from dataclasses import replace

import numpy as np
import pytest

from experiments import compose, config, pipeline
from experiments.cache import Store
from experiments.kept import Findings
from experiments.types import Context

NAMES = compose.options("evaluator")
NEEDS = {"samples", "encoder", "embeddings", "reduced", "clustering"}


def judged(folder, protocol: str) -> pipeline.Result:
    """Let all evaluators judge one run on 400 digits."""
    overrides = [
        "backbone=pixels", "dataset.limit=400", "reducer.n_components=8", f"protocol={protocol}",
        f"evaluator=[{','.join(NAMES)}]",
        *(f"evaluator.k_selection.{name}=2" for name in ("k_max", "references", "seeds", "bootstraps")),
    ]  # fmt: skip
    stages = config.build(compose.compose_config(overrides)).stages
    return pipeline.run(stages, Context.plain(Store(folder)))


@pytest.fixture(scope="module", params=["held_out", "published"])
def runs(request, tmp_path_factory) -> list[pipeline.Result]:
    """Give the same run twice, in stores of their own."""
    return [judged(tmp_path_factory.mktemp("cache"), request.param) for _ in range(2)]


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_finite_and_those_that_were_promised(runs, name):
    metrics = runs[0].findings[name].metrics
    assert np.isfinite(list(metrics.values())).all()
    assert all(type(value) is float for value in metrics.values())
    stage = config.build_stage(
        f"evaluator.{name}", compose.compose_config([f"evaluator=[{name}]"]).evaluator[name]
    )
    assert set(metrics) <= set(stage.METRICS)
    assert set(stage.NEEDS) <= NEEDS


@pytest.mark.parametrize("name", NAMES)
def test_the_same_run_finds_the_same(runs, name):
    one, other = (run.findings[name] for run in runs)
    assert one.metrics == other.metrics
    assert list(one.tables) == list(other.tables)
    for table, rows in one.tables.items():
        assert rows.equals(other.tables[table]), table


@pytest.mark.parametrize("name", NAMES)
def test_what_was_found_survives_being_kept(runs, name, tmp_path):
    found = runs[0].findings[name]
    found.save(tmp_path)
    again = Findings.load(tmp_path)
    assert again.metrics == found.metrics
    assert set(again.tables) == set(found.tables)
    for table, rows in found.tables.items():
        assert again.tables[table].equals(rows), table
    assert again.figures == found.figures


def test_no_two_evaluators_give_a_figure_or_a_table_of_one_name(runs):
    for kind in ("metrics", "tables", "figures"):
        names = [name for found in runs[0].findings.values() for name in getattr(found, kind)]
        assert len(names) == len(set(names)), kind


def test_the_number_of_threads_changes_nothing(tmp_path):
    chosen = "evaluator=[probe,variance,macro]"
    overrides = ["backbone=pixels", "dataset.limit=400", "reducer=identity", chosen]
    stages = config.build(compose.compose_config(overrides)).stages
    one, three = (
        pipeline.run(stages, replace(Context.plain(Store(tmp_path / str(threads))), threads=threads))
        for threads in (1, 3)
    )
    assert list(one.findings) == ["probe", "variance", "macro"]
    assert one.metrics == three.metrics
