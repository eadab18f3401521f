"""A sweep records the model of its best job, and says so where it cannot."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest

from experiments import best_model, compose, config, job, logged_model, tracking
from experiments.model import Model

FEW = [
    "backbone=pixels",
    "dataset.limit=200",
    "reducer.n_components=5",
    "evaluator=[internal]",
    "figures=none",
]


class Sweep:
    """A parent run and one finished job in a store of their own."""

    def __init__(self, root: Path, *overrides: str) -> None:
        self.folder = root / "0"
        typed = [*FEW, f"cache.root={root}/cache", f"tracking.uri=sqlite:///{root}/mlflow.db", *overrides]
        cfg = compose.compose_config(typed)
        self.plan = config.build(cfg, typed)
        self.tracker = tracking.connect(self.plan.tracking, "digits")
        self.parent = self.tracker.open("sweep", root, params={}, tags={})
        above = tracking.Parent(self.tracker.uri, self.tracker.experiment_id, self.parent.id)
        self.outcome = job.Outcome(typed, parent=self.parent.id)
        job.perform(cfg, self.folder, self.outcome, parent=above)

    def close(self, **changed: str) -> None:
        """Record the best job's model."""
        plan = replace(self.plan, settings=replace(self.plan.settings, **changed))
        best_model.record_best({self.folder: self.outcome}, plan, self.parent, self.outcome.overrides)

    def models(self) -> int:
        """Count the models that the job recorded."""
        return len(self.tracker.client.get_run(self.outcome.run_id).outputs.model_outputs)

    def best(self) -> str | None:
        """Return the tag that names the best job."""
        tags = self.tracker.client.get_run(self.parent.id).data.tags
        return tags.get(tracking.BEST)


@pytest.fixture
def root(tables: Path, tmp_path: Path) -> Path:
    """Copy an MLflow store without a run."""
    (tmp_path / "mlflow.db").write_bytes(tables.read_bytes())
    return tmp_path


def test_the_best_jobs_model_is_made_of_what_the_store_kept(root: Path) -> None:
    sweep = Sweep(root, "objective=silhouette")
    assert (sweep.models(), sweep.best()) == (0, None)
    assert not (sweep.folder / logged_model.FOLDER).exists()
    sweep.close()
    assert (sweep.models(), sweep.best()) == (1, sweep.outcome.run_id)
    model = Model.load(sweep.folder / logged_model.FOLDER / "data")
    assert len(model.clustering.assignments) == 200


def test_a_job_leaves_its_model_where_nothing_is_kept(root: Path) -> None:
    sweep = Sweep(root, "objective=silhouette", "cache.enabled=false")
    assert sweep.models() == 0
    assert (sweep.folder / logged_model.FOLDER / "data" / "model.json").exists()
    sweep.close()
    assert (sweep.models(), sweep.best()) == (1, sweep.outcome.run_id)


def test_each_job_or_none_records_its_own_if_asked(root: Path) -> None:
    for wanted, count in (("all", 1), ("none", 0)):
        sweep = Sweep(root, "objective=silhouette", f"tracking.log_model={wanted}")
        sweep.close()
        assert (sweep.models(), sweep.best()) == (count, None)
        sweep.folder.rename(root / wanted)


def test_a_sweep_without_its_objective_or_its_store_says_what_to_type(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sweep = Sweep(root)
    sweep.close(objective="ari")
    assert "no job gave objective=ari, so none is best" in caplog.text
    caplog.clear()
    (root / "cache").rename(root / "elsewhere")
    with caplog.at_level(logging.WARNING):
        sweep.close(objective="silhouette")
    assert "cache.root here does not hold the best job's model" in caplog.text
    assert (sweep.models(), sweep.best()) == (0, None)


def test_another_word_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"tracking\.log_model=some is not an option; use best or all or none"
    ):
        config.build(compose.compose_config(["tracking.log_model=some"]))
