"""A job of a sweep, as Hydra runs it."""

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf
from tests.messages import says

from experiments import sweep, tracking
from experiments.config import build as config
from experiments.config import compose
from experiments.job import run_folder
from experiments.job.perform import Outcome
from experiments.store.locks import Lock
from experiments.sweep import jobs

PLAIN = ["figures=none", "report=none", "tracking.log_model=none"]


@pytest.fixture
def composed(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> DictConfig:
    """Compose a small run, as Hydra hands it to a job."""
    words = ["backbone=pixels", "dataset.limit=200", "reducer.n_components=5", "cluster.k=4"]
    with compose.output_folder():
        cfg = compose.compose_config(
            [*words, *PLAIN, "objective=nmi", f"tracking.uri={uri}", f"cache.root={tmp_path / 'cache'}"],
            hydra=True,
        )
    runtime = SimpleNamespace(output_dir=str(tmp_path / "job"), choices=cfg.hydra.runtime.choices)
    at_work = {
        "runtime": runtime,
        "overrides": SimpleNamespace(task=words),
        "job": OmegaConf.create({"num": 3}),
    }
    monkeypatch.setattr(jobs.HydraConfig, "get", lambda: SimpleNamespace(**at_work))
    return compose.without_hydra(cfg)


def test_a_job_returns_its_objective_and_leaves_its_number(composed: DictConfig, tmp_path: Path) -> None:
    objective = sweep.run_job(composed)
    left = Outcome.load(tmp_path / "job")
    assert (left.status, left.number, left.parent) == ("FINISHED", 3, "")
    assert objective == left.metrics["nmi"]
    assert 0 < left.metrics["nmi"] != left.metrics["ari"]


def test_a_job_without_a_server_keeps_its_results(composed: DictConfig, tmp_path: Path, begun: Any) -> None:
    os.environ[sweep.PARENT] = json.dumps(["http://127.0.0.1:9", "1", "lost"])
    assert sweep.run_job(composed) is not None
    left = Outcome.load(tmp_path / "job")
    assert (left.status, left.run_id) == ("FINISHED", "")
    says(left.lost, key="tracking.uri=http://127.0.0.1:9")
    assert (tmp_path / "job" / "assignments.parquet").exists()


def test_two_jobs_of_a_sweep_do_not_share_a_folder(
    composed: DictConfig, tmp_path: Path, begun: sweep.Sweep, caplog: pytest.LogCaptureFixture
) -> None:
    other = Outcome([], number=2, parent=begun.run.id, status="FINISHED")
    other.save(tmp_path / "job")
    assert sweep.run_job(composed) is None
    assert Outcome.load(tmp_path / "job") == other
    says(caplog.text, key="hydra.sweep.subdir", use="2 and 3")


def test_a_job_leaves_a_folder_alone_that_another_works_in(
    composed: DictConfig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    lock = Lock(tmp_path / "job" / run_folder.FILES)
    assert sweep.run_job(composed) is None
    assert not (tmp_path / "job" / "result.json").exists()
    says(caplog.text, key=f"hydra.run.dir={tmp_path / 'job'}", use="set hydra.run.dir=")
    lock.release()


def test_a_job_is_recorded_beside_its_parent(
    composed: DictConfig, tmp_path: Path, begun: sweep.Sweep
) -> None:
    composed.tracking.experiment = "another"
    sweep.run_job(composed)
    left = Outcome.load(tmp_path / "job")
    client = tracking.connect(config.Tracking(begun.run._place.uri), "digits").client
    found, parent = client.get_run(left.run_id), client.get_run(begun.run.id)
    assert found.info.experiment_id == parent.info.experiment_id
    assert found.data.tags["mlflow.parentRunId"] == left.parent == parent.info.run_id


def test_a_failed_job_has_no_objective(
    composed: DictConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*words: Any, **named: Any) -> None:
        assert Outcome.load(tmp_path / "job").status == "RUNNING"
        raise ValueError("cluster.k=4 is a bad number")

    monkeypatch.setattr("experiments.sweep.jobs.perform", fail)
    assert sweep.run_job(composed) is None
    left = Outcome.load(tmp_path / "job")
    assert (left.status, left.error) == ("FAILED", "cluster.k=4 is a bad number")


def test_paths_are_those_of_what_was_typed(
    composed: DictConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A preset's sweep list stands in hydra.overrides.task as well, and is not typed."""
    given: list[Any] = []

    def build(cfg: DictConfig, typed: Any) -> None:
        given.append(list(typed))
        raise ValueError("enough")

    monkeypatch.setattr("experiments.job.perform.build", build)
    sweep.run_job(composed)
    monkeypatch.setenv(sweep.TYPED, json.dumps(["seed=1"]))
    sweep.run_job(composed)
    task = ["backbone=pixels", "dataset.limit=200", "reducer.n_components=5", "cluster.k=4"]
    assert given == [task, ["seed=1"]]
    assert Outcome.load(tmp_path / "job").overrides == task
