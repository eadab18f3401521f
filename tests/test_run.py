"""run.py as a person meets it: a process of its own, its output, its exit code, and what is left behind.

Every test works in a project root of its own store; `project` has one CNN trained in it already, so that no
later test trains it again.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from experiments import config, tracking

REPOSITORY = Path(__file__).parents[1]
SHORT = ["backbone.max_epochs=2", "reducer.n_components=10"]
FRAGILE = ["--config-dir", str(REPOSITORY / "tests" / "user_conf"), "cluster=fragile"]
pytestmark = pytest.mark.process


class Project:
    """A project root: its own cache, outputs and MLflow store."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        if not (root / "conf").exists():
            (root / "conf").symlink_to(REPOSITORY / "conf")

    def start(self, *words: str, cwd: Path | None = None) -> "subprocess.Popen[str]":
        """Start run.py with these arguments."""
        env = os.environ | {"EXPERIMENTS_ROOT": str(self.root), "PYTHONPATH": str(REPOSITORY / "tests")}
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        command = [sys.executable, str(REPOSITORY / "run.py"), *words]
        return subprocess.Popen(command, env=env, cwd=cwd or self.root, **pipes)

    def run(self, *words: str, cwd: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Run run.py to its end."""
        process = self.start(*words, cwd=cwd)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def succeed(self, *words: str, cwd: Path | None = None) -> str:
        """Run run.py, which has to succeed; return its standard output."""
        done = self.run(*words, cwd=cwd)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fail(self, *words: str) -> str:
        """Run run.py, which has to fail with one clear line; return its standard error."""
        done = self.run(*words)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def last(self) -> Path:
        """Return the newest run's or sweep's folder."""
        return max((self.root / "outputs").glob("*/*"), key=lambda path: path.stat().st_mtime_ns)

    def sweep(self) -> pd.DataFrame:
        """Return the newest sweep's table."""
        return pd.read_csv(self.last() / "sweep.csv")

    def runs(self) -> list[Any]:
        """Return every MLflow run, newest first."""
        from mlflow.tracking import MlflowClient

        client = MlflowClient(f"sqlite:///{self.root}/mlflow/mlflow.db")
        return list(client.search_runs([found.experiment_id for found in client.search_experiments()]))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a project in which a sweep over k was run: one CNN is trained."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.first = made.run("-m", *SHORT, "cluster.k=10,20")  # type: ignore[attr-defined]
    return made


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an MLflow store without a run, which takes seconds."""
    path = tmp_path_factory.mktemp("tables") / "mlflow.db"
    tracking.connect(config.Tracking(f"sqlite:///{path}"), "empty")
    return path


@pytest.fixture
def beside(project: Project, tables: Path, tmp_path: Path) -> Project:
    """Make a fresh project with a copy of the trained store."""
    made = Project(tmp_path / "beside")
    shutil.copytree(project.root / "cache", made.root / "cache")
    (made.root / "mlflow").mkdir()
    shutil.copy(tables, made.root / "mlflow")
    return made


def wait_for(happened: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    """Wait until something happened, as long as the process lives."""
    deadline = time.monotonic() + 120
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_sweep_trains_once_and_records_every_job(project: Project) -> None:
    done = project.first  # type: ignore[attr-defined]
    assert done.returncode == 0, done.stderr
    assert re.search(r"computed \d+ distinct values, each once", done.stdout)
    assert "compare: make ui" in done.stdout
    runs = project.runs()
    assert [run.info.status for run in runs] == ["FINISHED"] * 3
    parent = runs[-1]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert sorted(run.data.params["cluster.k"] for run in children) == ["10", "20"]
    for run in children:
        tags = run.data.tags
        assert {"git.commit", "git.dirty", "data.key", "device", "threads", "host", "process"} <= set(tags)
        assert tags["version.torch"]
        assert run.inputs.dataset_inputs[0].dataset.name == "digits"
        assert {"ari", "purity_validation", "silhouette", "val_loss"} <= set(run.data.metrics)
        files = {path.name for path in Path(run.info.artifact_uri.removeprefix("file://")).iterdir()}
        assert {"config.yaml", "assignments.parquet", "centroids.parquet", "training.csv"} <= files
    files = {path.name for path in Path(parent.info.artifact_uri.removeprefix("file://")).iterdir()}
    assert files == {"sweep.csv", "sweep.md", "purity_grid.csv", "purity_grid.md", "figures"}
    drawn = {path.name for path in (project.last() / "figures").iterdir()}
    charts = ["sweep_cluster.k", "purity_grid", "purity_over_k"]
    charts += [f"training_{figure}" for figure in ("loss", "accuracy", "learning_rate")]
    assert drawn == {f"{name}.{kind}" for name in charts for kind in ("html", "png")}
    assert not list(project.last().glob("[0-9]*/figures")), "a job leaves them to the sweep"
    trained = [json.loads(path.read_text())["computed"] for path in project.last().glob("*/result.json")]
    assert sum(key.startswith("cnn-") for keys in trained for key in keys) == 1


def test_the_same_again_is_kept_and_equal(project: Project) -> None:
    before = project.sweep()
    out = project.succeed("-m", *SHORT, "cluster.k=10,20")
    assert "computed 0 distinct values" in out
    after = project.sweep()
    same = [name for name in before if name not in ("seconds", "run_id")]
    pd.testing.assert_frame_equal(before[same], after[same], check_exact=True)
    assert [run.data.metrics["val_loss"] for run in project.runs()[:2]]


def test_a_run_whose_stages_are_kept_imports_no_framework(project: Project) -> None:
    command = [sys.executable, "-X", "importtime", str(REPOSITORY / "run.py"), *SHORT]
    env = os.environ | {"EXPERIMENTS_ROOT": str(project.root)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True)
    imported = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    assert "mlflow" in imported
    assert not imported & {"torch", "pytorch_lightning", "faiss", "sklearn.cluster", "umap"}


def test_from_another_folder_with_overrides_before_and_after_m(beside: Project, tmp_path: Path) -> None:
    out = beside.succeed("seed=0", "-m", *SHORT, "cluster.k=10,15", cwd=tmp_path)
    assert "cluster.k" in out
    assert sorted(beside.sweep()["cluster.k"]) == [10, 15]
    assert not (tmp_path / "outputs").exists()


def test_joblib_runs_jobs_side_by_side(beside: Project) -> None:
    beside.succeed(
        "-m", *SHORT, "cluster.k=10,12", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2", "threads=1"
    )
    assert beside.sweep()["status"].tolist() == ["FINISHED"] * 2
    assert sum("mlflow.parentRunId" in run.data.tags for run in beside.runs()) == 2


def test_python_api_gives_the_same_figures(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        f"import experiments, json; result = experiments.run({[*SHORT, 'cluster.k=20']!r});"
        "print(json.dumps(result.metrics), len(result.clustering.assignments))"
    )
    env = os.environ | {"EXPERIMENTS_ROOT": str(project.root)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    metrics, _, n = done.stdout.strip().rpartition(" ")
    assert int(n) == 1797
    swept = json.loads((min((project.root / "outputs").glob("*/*")) / "1" / "result.json").read_text())
    assert json.loads(metrics) == swept["metrics"]


def test_plan_says_what_is_kept_and_does_nothing(beside: Project) -> None:
    out = beside.succeed("-m", *SHORT, "cluster.k=10,33", "plan=true")
    assert "kept" in out
    assert "compute" in out
    assert re.search(r"\d+ distinct values to compute, about [\d.]+ MB of disk; nothing was done", out)
    assert not (beside.root / "outputs").exists()
    assert beside.runs() == []


def test_one_failing_job_does_not_stop_the_others(beside: Project) -> None:
    done = beside.run("-m", *SHORT, *FRAGILE, "cluster.accident=error", "cluster.k=2,3,4")
    assert done.returncode == 1, done.stderr
    assert beside.sweep()["status"].tolist() == ["FINISHED", "FAILED", "FINISHED"]
    last = done.stderr.strip().splitlines()[-1]
    assert "FAILED job 1" in last
    assert "the third law of thermodynamics" in last
    assert "Traceback" not in done.stderr
    statuses = {run.data.params.get("cluster.k"): run for run in beside.runs()}
    assert statuses["3"].info.status == "FAILED"
    assert "thermodynamics" in statuses["3"].data.tags["error"]
    assert statuses[None].info.status == "FAILED"
    assert statuses["2"].info.status == statuses["4"].info.status == "FINISHED"


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        ("cluster.k=10,0", r"cluster\.k=0 is less than one"),
        ("cluster.k=10,ten", r"cluster\.k: Value 'ten'"),
        ("cluster.k=10,5000", r"cluster\.k=5000 exceeds the 1797 samples; use cluster\.k<=1797"),
        ("reducer.n_components=10,300", r"reducer\.n_components=300 exceeds"),
        ("cluster.kk=3,4", r"cluster\.kk"),
    ],
)
def test_a_bad_value_stops_a_sweep_before_its_first_job(beside: Project, typed: str, answer: str) -> None:
    error = beside.fail("-m", typed)
    assert re.search(answer, error), error
    assert not (beside.root / "outputs").exists()


def test_several_values_want_m(beside: Project) -> None:
    assert "type -m before it" in beside.fail("cluster.k=10,20")


def test_a_server_that_does_not_answer_stops_at_once(beside: Project) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    start = time.monotonic()
    error = beside.fail(f"tracking.uri=http://127.0.0.1:{port}")
    assert time.monotonic() - start < 60
    assert f"tracking.uri=http://127.0.0.1:{port} does not answer" in error
    assert not (beside.root / "outputs").exists()


def interrupted(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "the same command goes on from there" in err
    return err


def test_ctrl_c_during_training_keeps_the_epochs(tmp_path: Path) -> None:
    fresh = Project(tmp_path / "fresh")
    words = ["backbone.max_epochs=3", "dataset.limit=400", "reducer.n_components=5"]
    process = fresh.start(*words, "backbone.max_epochs=300", "backbone.patience=300")
    wait_for(lambda: list((fresh.root / "cache" / ".work").glob("cnn-*/*")), process)
    interrupted(process)
    assert [run.info.status for run in fresh.runs()] == ["KILLED"]
    assert list((fresh.root / "cache" / ".work").glob("cnn-*/*"))
    assert not list((fresh.root / "cache").glob("cnn-*"))


def stalled(project: Project, sign: Path, *words: str) -> "subprocess.Popen[str]":
    accident = ["cluster.accident=stall", f"cluster.sign={sign}", "cluster.k=2,3"]
    process = project.start(*words, *SHORT, *FRAGILE, *accident)
    wait_for(sign.exists, process)
    return process


def test_ctrl_c_during_clustering_keeps_what_was_finished(beside: Project, tmp_path: Path) -> None:
    process = stalled(beside, tmp_path / "sign", "-m")
    interrupted(process)
    statuses = {run.data.params.get("cluster.k"): run.info.status for run in beside.runs()}
    assert statuses == {"2": "FINISHED", "3": "KILLED", None: "KILLED"}
    assert beside.sweep()["status"].tolist() == ["FINISHED", "KILLED"]


def test_kill_9_and_the_same_again(beside: Project, tmp_path: Path) -> None:
    process = stalled(beside, tmp_path / "sign", "-m")
    process.kill()
    process.communicate(timeout=60)
    assert "RUNNING" in {run.info.status for run in beside.runs()}
    out = beside.succeed("-m", *SHORT, "cluster.k=10,20")
    assert "computed 0 distinct values" in out
    assert {run.info.status for run in beside.runs()} == {"KILLED", "FINISHED"}
    assert not list((beside.root / "cache").glob(".partial/*"))


def test_two_sweeps_at_once_in_one_folder(beside: Project) -> None:
    both = [beside.start("-m", *SHORT, "cluster.k=10,20,31") for _ in "ab"]
    ended = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    tables = [pd.read_csv(path) for path in (beside.root / "outputs").glob("*/*/sweep.csv")]
    assert len(tables) == 2
    assert tables[0]["ari"].tolist() == tables[1]["ari"].tolist()
    results = [json.loads(path.read_text()) for path in (beside.root / "outputs").glob("*/*/*/result.json")]
    computed = [key for result in results for key in result["computed"]]
    assert len(computed) == len(set(computed)) > 0


def server(root: Path) -> tuple["subprocess.Popen[bytes]", str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words: Sequence[str] = ["server", "--workers", "1", "--port", str(port), "--backend-store-uri"]
    command = [sys.executable, "-m", "mlflow", *words, f"sqlite:///{root}/server.db"]
    env = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, cwd=root, env=env, start_new_session=True, **quiet)  # type: ignore[call-overload]
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return process, f"http://127.0.0.1:{port}"
        time.sleep(0.2)
    raise AssertionError("the MLflow server did not start")


def test_a_server_that_dies_half_way_loses_nothing(beside: Project, tmp_path: Path) -> None:
    process, uri = server(tmp_path)
    try:
        accident = ["cluster.k=3", f"cluster.accident='kill {process.pid}'"]
        done = beside.run(*SHORT, *FRAGILE, *accident, f"tracking.uri={uri}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert done.returncode == 1, done.stderr
    assert f"tracking.uri={uri} stopped answering" in done.stderr
    kept = beside.last()
    assert str(kept) in done.stderr
    assert len(pd.read_parquet(kept / "assignments.parquet")) == 1797
    assert json.loads((kept / "result.json").read_text())["metrics"]["ari"] > 0
