"""The record: runs, their ends, and a server that stops answering."""

import logging
import os
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from experiments import tracking
from experiments.config import Tracking
from experiments.environment import environment

REPOSITORY = Path(__file__).parents[1]


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
    dead = tracker.client.create_run(tracker.experiment_id, tags=environment() | {"process": name})
    reused = tracker.client.create_run(
        tracker.experiment_id, tags=environment() | {"process": f"{os.getpid()}@1"}
    )
    elsewhere = tracker.client.create_run(
        tracker.experiment_id, tags=environment() | {"process": name, "host": "another"}
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
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            from mlflow.exceptions import MlflowException

            if self.silent:
                self.asked.append(name)
                raise MlflowException("connection refused\nand more")
            return getattr(self.client, name)(*words, **named)

        return call


@pytest.fixture
def deaf(tracker: tracking.Tracker) -> tracking.Tracker:
    """Make a tracker whose client is a Deaf one."""
    made = tracking.Tracker("http://server", tracker.experiment_id)
    made.client = Deaf(tracker.client)
    return made


STOPPED = "tracking.uri=http://server stopped answering (connection refused)"


def test_a_server_that_stops_answering_is_asked_once_and_the_folder_named(
    deaf: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_run(deaf, tmp_path) as run:
        deaf.client.silent = True
        for step in range(3):
            run.epoch(step, {"loss": 1.0})
    assert deaf.client.asked == ["log_batch", "set_terminated"], "the end is tried once more"
    assert run.lost == STOPPED
    assert caplog.text.count(f"the results are kept in {tmp_path}") == 1


def test_a_server_that_is_back_at_the_end_ends_the_run(deaf: tracking.Tracker, tmp_path: Path) -> None:
    with open_run(deaf, tmp_path) as run:
        deaf.client.silent = True
        run.epoch(1, {"loss": 1.0})
        deaf.client.silent = False
    assert run.lost == STOPPED
    assert recorded(deaf, run).info.status == "FINISHED"


def test_a_run_goes_on_without_a_server(
    deaf: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deaf.client.silent = True
    with open_run(deaf, tmp_path, k=1) as run:
        run.epoch(1, {"loss": 1.0})
        run.artifacts()
    assert (run.id, run.lost) == ("", STOPPED)
    assert deaf.client.asked == ["create_run"]
    assert f"the results are kept in {tmp_path}" in caplog.text


def test_a_refused_value_is_named_and_the_others_are_recorded(
    tracker: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_run(tracker, tmp_path) as run:
        run.log(metrics={"p@10": 1, "ari": 0.5}, tags={"device": "cpu"})
        run.log(metrics={"nmi": 0.6})
    found = recorded(tracker, run)
    assert run.lost == ""
    assert found.info.status == "FINISHED"
    assert found.data.metrics == {"ari": 0.5, "nmi": 0.6}
    assert found.data.tags["device"] == "cpu"
    (warning,) = [record.getMessage() for record in caplog.records]
    assert "refused p@10=1.0 (" in warning
    assert "\n" not in warning


def test_children_that_did_not_end_are_killed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with open_run(tracker, tmp_path) as parent, open_run(tracker, tmp_path) as other:
        jobs = tracking.join(tracking.Parent(tracker.uri, tracker.experiment_id, parent.id))
        with open_run(jobs, tmp_path) as finished:
            pass
        left = jobs.open("trial", tmp_path, params={}, tags={})
        parent.end_children()
        ends = [recorded(tracker, run).info.status for run in (finished, left, other)]
    assert ends == ["FINISHED", "KILLED", "RUNNING"]


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConnectionError, match=r"tracking\.uri=http://127\.0\.0\.1:9 does not answer"):
        tracking.connect(Tracking("http://127.0.0.1:9"), "x")
    with pytest.raises(ConnectionError, match=r"tracking\.uri=nonsense:// cannot be used"):
        tracking.connect(Tracking("nonsense://"), "x")


def test_a_database_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ConnectionError, match=r'psycopg.*; for postgresql: pip install "psycopg\[binary\]"'):
        tracking.connect(Tracking("postgresql://127.0.0.1:9/x"), "x")


def test_a_listener_that_never_answers_is_given_up_in_one_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tracking, "SECONDS_TO_ANSWER", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        uri = f"http://127.0.0.1:{mute.getsockname()[1]}"
        with pytest.raises(ConnectionError) as told:
            tracking.connect(Tracking(uri), "x")
    assert str(told.value).startswith(f"tracking.uri={uri} does not answer (timed out); start that server")
    assert not caplog.records


@pytest.mark.parametrize("status", [200, 302, 403, 500])
def test_any_answer_is_one(status: int) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:9")
            self.end_headers()

    asked: list[str] = []
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        tracking._reach(f"http://127.0.0.1:{server.server_port}/")
    assert asked == ["/health"]


def test_an_untrusted_server_is_left_to_mlflow_to_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def distrust(place: str, **named: Any) -> None:
        asked.append(place)
        raise requests.exceptions.SSLError("self-signed certificate")

    monkeypatch.setattr(requests, "get", distrust)
    tracking._reach("https://127.0.0.1:9")
    assert asked == ["https://127.0.0.1:9/health"]


def test_retries_are_not_for_the_terminal(tracker: tracking.Tracker) -> None:
    assert logging.getLogger("urllib3.connectionpool").getEffectiveLevel() == logging.ERROR


def test_a_deleted_experiment_says_so(tracker: tracking.Tracker) -> None:
    doomed = tracker.client.create_experiment("doomed")
    tracker.client.delete_experiment(doomed)
    with pytest.raises(ValueError, match=r"tracking\.experiment=doomed was deleted; restore it"):
        tracking.connect(Tracking(tracker.uri, "doomed"), "x")


def served(**variables: str) -> dict[str, str]:
    """Return the options that serve.sh gives to the server."""
    env = os.environ | {"PYTHON": "/bin/echo"} | variables
    script = ["sh", str(REPOSITORY / "mlflow" / "serve.sh")]
    words = subprocess.run(script, env=env, capture_output=True, text=True, check=True).stdout.split()
    return dict(zip(words[3::2], words[4::2], strict=True))


def test_a_served_store_answers_by_name(tmp_path: Path) -> None:
    from mlflow.server.security_utils import is_allowed_host_header, should_block_cors_request

    name = platform.node()
    for names, variables in {
        ("localhost", "127.0.0.1", name): {},
        ("tracker.lab", "tracker"): {"ALLOWED_HOSTS": "tracker.lab,tracker"},
    }.items():
        options = served(**variables)
        hosts, origins = (options[key].split(",") for key in ("--allowed-hosts", "--cors-allowed-origins"))
        for asked in (*names, *(f"{name}:5000" for name in names)):
            assert is_allowed_host_header(hosts, asked)
            assert not should_block_cors_request(f"http://{asked}", "POST", origins)
        assert not is_allowed_host_header(hosts, f"{names[0]}.evil.com")
        assert should_block_cors_request(f"http://{names[0]}.evil.com", "POST", origins)


def test_a_team_serves_a_store_of_its_own(tmp_path: Path) -> None:
    assert served()["--backend-store-uri"] == f"sqlite:///{REPOSITORY}/mlflow/mlflow.db"
    assert served(STORE="team.db")["--backend-store-uri"] == f"sqlite:///{REPOSITORY}/mlflow/team.db"
    options = served(STORE=f"{tmp_path}/far/team.db")
    assert options["--backend-store-uri"] == f"sqlite:///{tmp_path}/far/team.db"
    assert options["--artifacts-destination"] == f"{tmp_path}/far/artifacts"
