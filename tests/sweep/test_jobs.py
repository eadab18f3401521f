"""A job of a sweep under Hydra."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from omegaconf import DictConfig, OmegaConf
from tests.messages import says

from experiments import launch, sweep, tracking
from experiments.config import compose
from experiments.config.invocation import Invocation
from experiments.config.plan import Tracking
from experiments.job import composed as job
from experiments.job import run_folder
from experiments.job.perform import Job, Outcome
from experiments.store.locks import Lock

pytestmark = pytest.mark.slow

TASK = ["backbone=pixels", "dataset.limit=200", "reducer.n_components=5", "cluster.k=4"]

PLAIN = ["figures=none", "report=none", "tracking.log_model=none"]


@pytest.fixture
def composed(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> DictConfig:
    """Compose a small run as Hydra does for a job."""
    storage = [f"tracking.uri={uri}", f"cache.root={tmp_path / 'cache'}"]
    cfg = compose.compose_config([*TASK, *PLAIN, "objective=nmi", *storage], hydra=True)
    runtime = SimpleNamespace(output_dir=str(tmp_path / "job"), choices=cfg.hydra.runtime.choices)
    at_work = {
        "runtime": runtime,
        "overrides": SimpleNamespace(task=TASK),
        "job": OmegaConf.create({"num": 3, "chdir": False}),
    }
    monkeypatch.setattr(job.HydraConfig, "get", lambda: SimpleNamespace(**at_work))
    return compose.without_hydra(cfg)


@pytest.fixture
def invocation(begun: sweep.Sweep) -> Invocation:
    return begun.for_jobs(Invocation())


def test_a_job_returns_its_objective_and_leaves_its_number(
    composed: DictConfig, tmp_path: Path, begun: sweep.Sweep
) -> None:
    with begun.for_jobs(Invocation()).passed_to_jobs():
        objective = launch.run_job(composed)
    left = Outcome.load(tmp_path / "job")
    assert (left.status, left.number, left.parent) == ("FINISHED", 3, begun.run.id)
    assert objective == left.metrics["nmi"]
    assert 0 < left.metrics["nmi"] != left.metrics["ari"]


def test_a_single_run_has_no_parent_and_the_number_0(composed: DictConfig, tmp_path: Path) -> None:
    composed.objective = "unknown"
    assert launch.run_job(composed) is None
    left = Outcome.load(tmp_path / "job")
    assert (left.status, left.number, left.parent) == ("FINISHED", 0, "")


def test_a_job_without_a_server_keeps_its_results(
    composed: DictConfig, tmp_path: Path, invocation: Invocation
) -> None:
    sweep.run_job(composed, replace(invocation, parent=("http://127.0.0.1:9", "1", "lost")))
    left = Outcome.load(tmp_path / "job")
    assert (left.status, left.run_id) == ("FINISHED", "")
    says(left.unrecorded, key="tracking.uri=http://127.0.0.1:9")
    assert (tmp_path / "job" / "assignments.parquet").exists()


def test_two_jobs_of_a_sweep_do_not_share_a_folder(
    composed: DictConfig, tmp_path: Path, invocation: Invocation, caplog: pytest.LogCaptureFixture
) -> None:
    assert invocation.parent
    other = Outcome([], number=2, parent=invocation.parent[2], status="FINISHED")
    other.save(tmp_path / "job")
    assert sweep.run_job(composed, invocation).metrics == {}
    assert Outcome.load(tmp_path / "job") == other
    says(caplog.text, key="hydra.sweep.subdir", use="2 and 3")


def test_a_job_leaves_a_folder_alone_that_another_works_in(
    composed: DictConfig, tmp_path: Path, invocation: Invocation, caplog: pytest.LogCaptureFixture
) -> None:
    lock = Lock(tmp_path / "job" / run_folder.FILES)
    assert sweep.run_job(composed, invocation).metrics == {}
    assert not (tmp_path / "job" / "result.json").exists()
    key = "hydra.sweep.subdir"
    says(caplog.text, key=f"{key}={tmp_path / 'job'}", use=f"use {key}=")
    lock.release()


def test_a_job_is_recorded_next_to_its_parent(
    composed: DictConfig, tmp_path: Path, begun: sweep.Sweep
) -> None:
    composed.tracking.experiment = "another"
    left = sweep.run_job(composed, begun.for_jobs(Invocation()))
    assert left == Outcome.load(tmp_path / "job")
    client = tracking.connect(Tracking(begun.run._experiment.uri), "digits").client
    run, parent = client.get_run(left.run_id), client.get_run(begun.run.id)
    assert run.info.experiment_id == parent.info.experiment_id
    assert run.data.tags["mlflow.parentRunId"] == left.parent == parent.info.run_id


@pytest.mark.parametrize("k", [0, 201], ids=["before it begins", "at work"])
def test_a_failed_job_has_no_objective(
    composed: DictConfig, tmp_path: Path, invocation: Invocation, k: int
) -> None:
    composed.cluster.k = k
    with invocation.passed_to_jobs():
        assert launch.run_job(composed) is None
    left = Outcome.load(tmp_path / "job")
    assert left.status == "FAILED"
    assert left.error.startswith(f"cluster.k={k} ")
    assert bool(left.run_id) == (k == 201), "what began is recorded"


def test_paths_are_those_of_what_was_typed(
    composed: DictConfig, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """hydra.overrides.task also has a preset's sweep list, which is not typed."""
    monkeypatch.chdir(tmp_path)
    composed.cache.root = "mine"

    def root(typed: tuple[str, ...] | None) -> str:
        own = Job([*TASK, "cache.root=mine"])
        return job.build_plan(composed.copy(), own, Invocation(typed=typed)).cache.root

    assert root(None) == root(("cache.root=mine",)) == str(tmp_path / "mine")
    assert root(("seed=1",)) == str(compose.ROOT / "mine")
