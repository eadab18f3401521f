"""What belongs to all jobs of a sweep: their record, what they left, how it ends."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from omegaconf import DictConfig, OmegaConf

from experiments import compose, config, job, sweep, tracking
from experiments.cache import Store
from experiments.figures import Bars
from experiments.job import Outcome
from experiments.kept import Findings

JOBS = [[f"cluster.k={k}", "hydra/launcher=joblib"] for k in (10, 20, 30, 40)]
GONE = "its process ended without a result"


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name the store that every sweep here is recorded in."""
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture
def plan(uri: str, tmp_path: Path) -> config.Plan:
    parts: dict[str, Any] = {
        "tracking": config.Tracking(uri, log_model="none"),
        "cache": config.Cache(str(tmp_path / "cache")),
        "settings": SimpleNamespace(figures="none", report="none", objective="ari"),
        "stages": SimpleNamespace(dataset=SimpleNamespace(name="digits")),
    }
    return SimpleNamespace(**parts)  # type: ignore[return-value]


@pytest.fixture
def begun(plan: config.Plan, tmp_path: Path) -> Iterator[sweep.Sweep]:
    """Begin a sweep of four jobs."""
    yield sweep.Sweep(plan, tmp_path / "sweep", ["cluster.k"], JOBS)
    for variable in (sweep.PARENT, sweep.SWEPT):
        os.environ.pop(variable, None)


def leave(made: sweep.Sweep, number: int, place: str, status: str = "FINISHED") -> None:
    outcome = Outcome(JOBS[number][:1], number=number, parent=made.run.id, status=status)
    outcome.metrics = {"ari": 0.5} if status == "FINISHED" else {}
    outcome.save(made.folder / place)


def ends(outcomes: list[Outcome]) -> list[tuple[str, str, str]]:
    return [(" ".join(one.overrides), one.status, one.error) for one in outcomes]


def status(made: sweep.Sweep) -> str:
    client = tracking.connect(config.Tracking(made.run._tracker.uri), "digits").client
    return str(client.get_run(made.run.id).info.status)


def test_jobs_are_found_by_their_number_wherever_they_are(begun: sweep.Sweep) -> None:
    for number, place in enumerate(("zebra", "a/b", "10", "0")):
        leave(begun, number, place)
    Outcome(["cluster.k=7"], number=1, parent="an earlier sweep").save(begun.folder / "1")
    assert ends(begun.close()) == [(f"cluster.k={k}", "FINISHED", "") for k in (10, 20, 30, 40)]
    assert status(begun) == "FINISHED"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}


def test_tables_and_pictures_of_the_sweep_are_recorded_at_their_place(begun: sweep.Sweep) -> None:
    begun.plan.settings.figures = "auto"  # type: ignore[misc]
    for number in range(4):
        leave(begun, number, f"{number}/cluster.metric=l2")
    begun.close()
    client = tracking.connect(config.Tracking(begun.run._tracker.uri), "digits").client
    place = Path(client.get_run(begun.run.id).info.artifact_uri.removeprefix("file://"))
    wanted = {"sweep.csv", "sweep.md", "figures/sweep_cluster.k.html", "figures/sweep_cluster.k.png"}
    assert files(place) == wanted
    assert wanted <= files(begun.folder)


def test_a_job_that_left_no_end_failed_and_keeps_its_settings(begun: sweep.Sweep) -> None:
    for number, end in enumerate(("FINISHED", "RUNNING", "FINISHED")):
        leave(begun, number, str(number), end)
    assert ends(begun.close()) == [
        ("cluster.k=10", "FINISHED", ""),
        ("cluster.k=20", "FAILED", GONE),
        ("cluster.k=30", "FINISHED", ""),
        ("cluster.k=40", "FAILED", GONE),
    ]
    assert status(begun) == "FAILED"


def test_an_interrupted_sweep_knows_which_jobs_did_not_run(begun: sweep.Sweep) -> None:
    for number, end in enumerate(("FINISHED", "RUNNING")):
        leave(begun, number, str(number), end)
    assert ends(begun.close(KeyboardInterrupt())) == [
        ("cluster.k=10", "FINISHED", ""),
        ("cluster.k=20", "KILLED", "interrupted"),
        ("cluster.k=30", "NOT RUN", ""),
        ("cluster.k=40", "NOT RUN", ""),
    ]
    assert status(begun) == "KILLED"


def test_a_launcher_that_broke_down_is_the_callers_to_raise(begun: sweep.Sweep) -> None:
    leave(begun, 0, "0")
    found = begun.close(RuntimeError("a worker was killed"))
    assert [one.status for one in found] == ["FINISHED", "FAILED", "FAILED", "FAILED"]
    assert status(begun) == "FAILED"


def test_an_optimiser_has_the_jobs_that_it_ran(plan: config.Plan, tmp_path: Path) -> None:
    made = sweep.Sweep(plan, tmp_path, [], None)
    for number in (2, 0):
        leave(made, number, f"{number}")
    assert [one.number for one in made.close()] == [0, 2]
    assert sweep.Sweep(plan, tmp_path, [], None).close() == [], "not one job, and the files of another sweep"


def test_a_job_that_was_stopped_ends_killed_in_the_record(begun: sweep.Sweep, tmp_path: Path) -> None:
    tracker = tracking.join(tracking.Parent(*json.loads(os.environ[sweep.PARENT])))
    child = tracker.open("job", tmp_path, params={}, tags={})
    begun.close()
    assert tracker.client.get_run(child.id).info.status == "KILLED"


def test_a_sweep_that_cannot_be_recorded_does_not_begin(
    plan: config.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = tracking.Tracker("http://127.0.0.1:9", "1")
    monkeypatch.setattr(tracking, "connect", lambda *words: tracker)
    with pytest.raises(ConnectionError, match=r"^tracking\.uri=http://127\.0\.0\.1:9 stopped answering"):
        sweep.Sweep(plan, tmp_path / "sweep", [], JOBS)
    assert not (tmp_path / "sweep").exists()
    assert sweep.PARENT not in os.environ


def test_a_sweep_says_that_its_table_is_not_recorded(begun: sweep.Sweep) -> None:
    assert begun.lost == ""
    begun.run._tracker = tracking.Tracker("http://127.0.0.1:9", "1")
    for number in range(4):
        leave(begun, number, str(number))
    begun.close()
    assert "stopped answering" in begun.lost
    assert (begun.folder / "sweep.csv").exists()


@pytest.fixture
def composed(tmp_path: Path, uri: str, monkeypatch: pytest.MonkeyPatch) -> DictConfig:
    """Compose a small run, as Hydra hands it to a job."""
    words = ["backbone=pixels", "dataset.limit=200", "reducer.n_components=5", "cluster.k=4"]
    with compose.output_folder():
        cfg = compose.compose_config(
            [*words, "objective=nmi", f"tracking.uri={uri}", f"cache.root={tmp_path / 'cache'}"], hydra=True
        )
    runtime = SimpleNamespace(output_dir=str(tmp_path / "job"), choices=cfg.hydra.runtime.choices)
    at_work = {
        "runtime": runtime,
        "overrides": SimpleNamespace(task=words),
        "job": OmegaConf.create({"num": 3}),
    }
    monkeypatch.setattr(sweep.HydraConfig, "get", lambda: SimpleNamespace(**at_work))
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
    assert left.lost.startswith("tracking.uri=http://127.0.0.1:9 stopped answering")
    assert (tmp_path / "job" / "assignments.parquet").exists()


def test_a_job_is_recorded_beside_its_parent(
    composed: DictConfig, tmp_path: Path, begun: sweep.Sweep
) -> None:
    composed.tracking.experiment = "another"
    sweep.run_job(composed)
    left = Outcome.load(tmp_path / "job")
    client = tracking.connect(config.Tracking(begun.run._tracker.uri), "digits").client
    found, parent = client.get_run(left.run_id), client.get_run(begun.run.id)
    assert found.info.experiment_id == parent.info.experiment_id
    assert found.data.tags["mlflow.parentRunId"] == left.parent == parent.info.run_id


def test_a_failed_job_has_no_objective(
    composed: DictConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*words: Any, **named: Any) -> None:
        assert Outcome.load(tmp_path / "job").status == "RUNNING"
        raise ValueError("cluster.k=4 is a bad number")

    monkeypatch.setattr(job, "perform", fail)
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

    monkeypatch.setattr(config, "build", build)
    sweep.run_job(composed)
    monkeypatch.setenv(sweep.TYPED, json.dumps(["seed=1"]))
    sweep.run_job(composed)
    task = ["backbone=pixels", "dataset.limit=200", "reducer.n_components=5", "cluster.k=4"]
    assert given == [task, ["seed=1"]]
    assert Outcome.load(tmp_path / "job").overrides == task


def judged(store: Store, seed: int, k: int) -> Outcome:
    """Keep what three evaluators found: of the data, of the seed's embedding, and of its clusters."""
    found = {"variance": f"variance-{seed}", "clusters": f"clusters-{seed}-{k}", "data": "data-0"}
    for name, key in found.items():
        picture = Bars(f"{name} of {key}", "x", "y", ["a"], [1])
        made = Findings({}, {f"{name}_rows": pd.DataFrame({"key": [key]})}, {name: picture})
        store.fitted(key, lambda made=made: made)  # type: ignore[misc]
    return Outcome([f"seed={seed}", f"cluster.k={k}", "threads=1"], status="FINISHED", found=found)


def test_a_sweep_draws_what_jobs_have_in_common(store: Store) -> None:
    jobs = [judged(store, seed, k) for seed in (0, 1) for k in (10, 20)]
    failed = Outcome([], status="FAILED")
    found = sweep.shared([failed, *jobs], store)
    assert {name: figure.title for name, figure in found.figures.items()} == {
        "variance": "variance of variance-0 (seed=0)",
        "data": "data of data-0",
    }
    assert {name: rows["key"].item() for name, rows in found.tables.items()} == {
        "variance_rows": "variance-0",
        "data_rows": "data-0",
    }


def test_a_sweep_of_one_job_draws_all_of_it(store: Store) -> None:
    assert set(sweep.shared([judged(store, 0, 10)], store).figures) == {"variance", "clusters", "data"}


def test_what_is_no_longer_kept_is_not_drawn(store: Store, tmp_path: Path) -> None:
    jobs = [judged(store, 0, k) for k in (10, 20)]
    store.remove("data-0")
    looking = Store(store.root, compute=False)
    assert set(sweep.shared(jobs, looking).figures) == {"variance"}
    assert not sweep.shared(jobs, Store(tmp_path / "other", enabled=False, compute=False)).figures
    assert not sweep.shared([], looking).figures


def learn(folder: Path, number: int, loss: float, *overrides: str) -> None:
    """Leave a finished job with a training of two epochs."""
    Outcome([*overrides], number=number, status="FINISHED").save(folder / str(number))
    rows = f"epoch,train_loss,val_loss,learning_rate\n1,2.0,3.0,0.5\n2,{loss},2.5,0.25\n"
    (folder / str(number) / "training.csv").write_text(rows)


def test_a_training_that_jobs_have_in_common_is_drawn(tmp_path: Path) -> None:
    for number in range(11):
        learn(tmp_path, number, 1.5, f"cluster.k={number}")
    left = sweep.trained(tmp_path, "")
    assert left.tables["training"]["train_loss"].to_list() == [2.0, 1.5]
    found = left.figures
    assert list(found) == ["training_loss", "training_learning_rate"]
    assert found["training_loss"].title == "Loss of the training"
    assert found["training_loss"].series == {"training rows": [2.0, 1.5], "validation rows": [3.0, 2.5]}  # type: ignore[attr-defined]
    assert not sweep.trained(tmp_path, "another sweep").figures
    learn(tmp_path, 10, 1.0, "seed=1")
    assert sweep.trained(tmp_path, "").figures["training_loss"].title == "Loss of the training"


def test_of_several_trainings_the_first_is_drawn_and_named_or_none(tmp_path: Path) -> None:
    for number, seed in enumerate((0, 0, 1, 1)):
        learn(tmp_path, number, 1.5 - seed, f"seed={seed}", f"cluster.k={number % 2}")
    assert sweep.trained(tmp_path, "").figures["training_loss"].title == "Loss of the training (seed=0)"
    learn(tmp_path, 1, 1.25, "seed=0", "cluster.k=1")
    assert not sweep.trained(tmp_path, "").tables
    assert not sweep.trained(tmp_path / "nowhere", "").tables
