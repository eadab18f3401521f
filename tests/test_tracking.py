"""The record: runs, their ends, and a server that stops answering."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from experiments import tracking
from experiments.config import Tracking


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> tracking.Tracker:
    place = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    return tracking.connect(Tracking(f"sqlite:///{place}"), "trials")


def open_run(tracker: tracking.Tracker, folder: Path, **params: object) -> Any:
    return tracker.run("trial", folder, params=params, tags={})


def recorded(tracker: tracking.Tracker, run: tracking.Run) -> Any:
    return tracker.client.get_run(run.id)


def test_a_run_ends_finished_with_what_was_logged(tracker: tracking.Tracker, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n")
    with open_run(tracker, tmp_path, **{"cluster.k": 10, "long": "x" * 7000}) as run:
        run.epoch(1, {"val_loss": 2.0})
        run.history([{"val_loss": 9.0}, {"val_loss": 1.0}])
        run.log(metrics={"ari": 0.5}, tags={"data.key": "abc"})
        run.artifacts()
    found = recorded(tracker, run)
    assert found.info.status == "FINISHED"
    assert found.data.params["cluster.k"] == "10"
    assert len(found.data.params["long"]) == 6000
    assert found.data.metrics == {"ari": 0.5, "val_loss": 1.0}
    epochs = tracker.client.get_metric_history(run.id, "val_loss")
    assert [(entry.step, entry.value) for entry in epochs] == [(1, 2.0), (2, 1.0)]
    assert found.data.tags["version.numpy"]
    assert [file.path for file in tracker.client.list_artifacts(run.id)] == ["table.csv"]


def test_a_file_is_recorded_at_its_place_below_the_folder(tracker: tracking.Tracker, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "one.png").write_text("a picture")
    (tmp_path / "table.csv").write_text("a table")
    with open_run(tracker, tmp_path) as run:
        run.artifact(tmp_path / "figures" / "one.png")
        run.artifact(tmp_path / "table.csv")
    assert [file.path for file in tracker.client.list_artifacts(run.id)] == ["figures", "table.csv"]
    assert [file.path for file in tracker.client.list_artifacts(run.id, "figures")] == ["figures/one.png"]


def test_an_error_ends_a_run_failed_and_is_its_tag(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="k=0"), open_run(tracker, tmp_path) as run:
        raise ValueError("k=0 is nothing")
    found = recorded(tracker, run)
    assert (found.info.status, found.data.tags["error"]) == ("FAILED", "k=0 is nothing")


def test_an_interruption_ends_a_run_killed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_run(tracker, tmp_path) as run:
        raise KeyboardInterrupt
    assert recorded(tracker, run).info.status == "KILLED"


def test_runs_of_processes_that_are_gone_are_ended(tracker: tracking.Tracker, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    name = f"{gone.pid}@{psutil.Process(gone.pid).create_time():.0f}"
    gone.wait()
    dead = tracker.client.create_run(tracker.experiment_id, tags=tracking.environment() | {"process": name})
    reused = tracker.client.create_run(
        tracker.experiment_id, tags=tracking.environment() | {"process": f"{os.getpid()}@1"}
    )
    elsewhere = tracker.client.create_run(
        tracker.experiment_id, tags=tracking.environment() | {"process": name, "host": "another"}
    )
    with open_run(tracker, tmp_path) as mine:
        assert tracker.end_the_dead() == 2
        assert recorded(tracker, mine).info.status == "RUNNING"
    status = {run: tracker.client.get_run(run.info.run_id).info.status for run in (dead, reused, elsewhere)}
    assert list(status.values()) == ["KILLED", "KILLED", "RUNNING"]


class Deaf:
    """A client that answers until it is told to stop."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.silent = False
        self.asked = 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            from mlflow.exceptions import MlflowException

            if self.silent:
                self.asked += 1
                raise MlflowException("connection refused\nand more")
            return getattr(self.client, name)(*words, **named)

        return call


def test_a_server_that_stops_answering_is_asked_once_and_the_folder_named(
    tracker: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deaf = Deaf(tracker.client)
    with open_run(tracking.Tracker(deaf, "http://server", tracker.experiment_id), tmp_path) as run:
        deaf.silent = True
        for step in range(3):
            run.epoch(step, {"loss": 1.0})
    assert deaf.asked == 1
    assert run.lost == "tracking.uri=http://server stopped answering (connection refused)"
    assert f"the results are kept in {tmp_path}" in caplog.text


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"tracking\.uri=http://127\.0\.0\.1:9 does not answer"):
        tracking.connect(Tracking("http://127.0.0.1:9"), "x")
    with pytest.raises(ConnectionError, match=r"tracking\.uri=nonsense:// cannot be used"):
        tracking.connect(Tracking("nonsense://"), "x")


def test_a_deleted_experiment_says_so(tracker: tracking.Tracker) -> None:
    doomed = tracker.client.create_experiment("doomed")
    tracker.client.delete_experiment(doomed)
    with pytest.raises(ValueError, match=r"tracking\.experiment=doomed was deleted; restore it"):
        tracking.connect(Tracking(tracker.uri, "doomed"), "x")


def test_the_environment_names_the_commit() -> None:
    tags = tracking.environment()
    assert set(tags) >= {"git.commit", "git.dirty", "host", "process", "python", "version.scikit-learn"}
    assert tags["git.dirty"] in ("true", "false", "unknown")
