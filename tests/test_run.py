"""run.py from a user's view: its output, exit code and files.

Every test has its own project root and store. The fixtures `project` and `project_copy` have a trained
CNN, so no test trains it again. Tests marked `process` start another process, as they ask for
start-up, imports, closed streams, workers or a server that dies. The others run in this process.
"""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib.externals.loky import get_reusable_executor
from PIL import Image
from tests.messages import says
from tests.project import FRAGILE, LEAN, REPOSITORY, SWEEP, Project, artifacts

import experiments
from experiments.job import context


@pytest.mark.process
def test_a_sweep_trains_once_and_records_every_job(project: Project) -> None:
    done = project.first
    assert done.returncode == 0, done.stderr
    assert re.search(r"computed \d+ values, reused \d+ from the cache$", done.stdout, re.MULTILINE)
    says(done.stdout, key="compare", use="make ui")
    runs = project.runs()
    assert [run.info.status for run in runs] == ["FINISHED"] * 4
    parent = runs[-1]
    assert parent.info.run_name == "k=10,50,233"
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert sorted(run.data.params["cluster.k"] for run in children) == ["10", "233", "50"]
    for run in children:
        tags = run.data.tags
        assert {"git.commit", "git.dirty", "data.key", "device", "threads", "host", "process"} <= set(tags)
        assert tags["version.torch"]
        assert run.inputs.dataset_inputs[0].dataset.name == "digits"
        assert {"ari", "purity_validation", "silhouette", "val_loss"} <= set(run.data.metrics)
        assert "None" not in tags.values()
        k = run.data.params["cluster.k"]
        note = tags["mlflow.note.content"]
        says(note, key=f"{k} clusters of digits: cnn → pca → faiss_kmeans, 1,797 samples", use="held_out")
        assert ("scripts/assign.py" in note, "report.html" in note) == (False, False), "the sweep's has them"
        wanted = {"config.yaml", "assignments.parquet", "centroids.parquet", "training.csv"}
        assert wanted <= artifacts(run)
    best = next(run for run in children if run.info.run_id == parent.data.tags["best.run_id"])
    note = parent.data.tags["mlflow.note.content"]
    ari, k = best.data.metrics["ari"], best.data.params["cluster.k"]
    assert note.startswith("3 of 3 jobs")
    says(note, key=f"ari ({ari:.4g}): k={k}", use=f"](#/experiments/1/runs/{best.info.run_id}?")
    assert f"/runs/{parent.info.run_id}/artifacts/report.html?" in note
    tables = {
        f"{name}.{kind}"
        for name in ("sweep", "purity_grid", "training", "agreement")
        for kind in ("csv", "md")
    }
    assert artifacts(parent) == tables | {"figures", "report.html"}
    assert f"report: file://{project.last()}/report.html" in done.stdout
    drawn = {path.name for path in (project.last() / "figures").iterdir()}
    charts = ["sweep_cluster.k", "purity_grid", "purity_over_k", "agreement"]
    charts += [f"training_{figure}" for figure in ("loss", "accuracy", "learning_rate")]
    assert drawn == {f"{name}.{kind}" for name in charts for kind in ("html", "png")}
    assert not list(project.last().glob("[0-9]*/figures")), "a job leaves them to the sweep"
    trained = [
        json.loads(path.read_text(encoding="utf-8"))["computed"]
        for path in project.last().glob("*/result.json")
    ]
    assert sum(key.startswith("cnn-") for keys in trained for key in keys) == 1


def test_the_same_again_is_kept_and_equal(project: Project, project_copy: Project) -> None:
    before = project.sweep()
    out = project_copy.succeed(*SWEEP, *LEAN)
    assert "computed 0 " in out
    after = project_copy.sweep()
    same = [name for name in before if name not in ("seconds", "run_id")]
    pd.testing.assert_frame_equal(before[same], after[same], check_exact=True)
    assert [run.data.metrics["val_loss"] for run in project_copy.runs()[:3]]


@pytest.mark.process
def test_a_run_whose_stages_are_kept_imports_no_framework(project_copy: Project) -> None:
    command = [sys.executable, "-X", "importtime", str(REPOSITORY / "run.py")]
    env = os.environ | {"EXPERIMENTS_ROOT": str(project_copy.root)}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=True, encoding="utf-8")
    imported = set(re.findall(r"\|\s+([\w.]+)$", done.stderr, re.MULTILINE))
    assert "mlflow" in imported
    assert not imported & {"torch", "pytorch_lightning", "faiss", "sklearn.cluster", "umap"}


@pytest.mark.process
def test_from_another_folder_with_overrides_before_and_after_m_and_a_reader_that_leaves(
    project_copy: Project, tmp_path: Path
) -> None:
    """As in `run.py ... 2>&1 | head -1`."""
    process = project_copy.start("seed=0", "-m", *LEAN, "cluster.k=10,15", cwd=tmp_path)
    assert process.stdout
    assert process.stderr
    assert process.stderr.readline()
    process.stdout.close()
    process.stderr.close()
    assert process.wait(240) == 0
    assert project_copy.sweep()["status"].tolist() == ["FINISHED"] * 2
    assert sorted(project_copy.sweep()["cluster.k"]) == [10, 15]
    assert not (tmp_path / "outputs").exists()


@pytest.mark.process
def test_joblib_runs_jobs_side_by_side(project_copy: Project) -> None:
    parallel = ["hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    try:
        done = project_copy.launch("-m", *LEAN, "cluster.k=10,12", *parallel)
    finally:
        get_reusable_executor().shutdown()  # its workers would wait for more jobs
    assert done.returncode == 0, done.stderr
    assert project_copy.sweep()["status"].tolist() == ["FINISHED"] * 2
    jobs = [run.data for run in project_copy.runs() if "mlflow.parentRunId" in run.data.tags]
    assert [job.tags["threads"] for job in jobs] == [str(max(1, context.cores() // 2))] * 2
    assert [job.tags["command"] for job in jobs] == [project_copy.runs()[-1].data.tags["command"]] * 2


def test_a_preset_is_a_sweep_by_itself(project_copy: Project) -> None:
    out = project_copy.succeed("experiment=digits_seeds", *LEAN, "seed=0", "cluster.k=10,50")
    assert "computed 0 " in out, "seed 0 is the default, which was run before"
    table = project_copy.sweep()
    assert table["cluster.k"].tolist() == [10, 50]
    assert table["status"].tolist() == ["FINISHED"] * 2
    assert sum("mlflow.parentRunId" in run.data.tags for run in project_copy.runs()) == 2


@pytest.mark.process
def test_a_folder_of_images_and_a_broken_one_in_a_locale_without_their_letters(
    fresh: Project, tmp_path: Path
) -> None:
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}  # ASCII
    rng = np.random.default_rng(0)
    for number in range(40):
        folder = tmp_path / "Bäume" / ("hell" if number % 2 else "düster")
        folder.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 100, (12, 10, 3), np.uint8) + np.uint8(100 * (number % 2))
        Image.fromarray(pixels).save(folder / f"{number}.png")
    whole = (folder / f"{number}.png").read_bytes()
    (folder / "broken.png").write_bytes(whole[: len(whole) // 2])
    small = ["dataset.image_size=8", "backbone=pixels", "reducer.n_components=5", "cluster.k=2"]
    done = fresh.run(
        "dataset=image_folder", "dataset.root='Bäume'", *small, *LEAN, cwd=tmp_path, cold=True, **locale
    )
    assert done.returncode == 0, done.stderr
    kept, run = fresh.last(), fresh.runs()[0]
    skipped = pd.read_csv(kept / "skipped_files.csv")
    assert skipped["id"].tolist() == ["hell/broken.png"]
    assert "decoded" in skipped["reason"][0]
    rows = pd.read_parquet(kept / "assignments.parquet")
    assert (len(rows), set(rows["label"])) == (40, {"hell", "düster"})
    assert "skipped_files.csv" in artifacts(run)
    assert run.inputs.dataset_inputs[0].dataset.name == "Bäume"


def test_python_api_gives_the_same_figures(
    project: Project, project_copy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPERIMENTS_ROOT", str(project_copy.root))
    stores = [f"tracking.uri={project_copy.uri}", f"cache.root={project_copy.root}/cache"]
    result = experiments.run([*LEAN, "cluster.k=50", *stores])
    assert len(result.clustering.assignments) == 1797
    swept = min((project.root / "outputs").glob("*/*")) / "1" / "result.json"
    assert result.metrics == json.loads(swept.read_text(encoding="utf-8"))["metrics"]


def test_plan_says_what_is_kept_and_does_nothing(project_copy: Project) -> None:
    out = project_copy.succeed("-m", "cluster.k=10,33", "plan=true")
    rows = [re.findall(r"\w+", line) for line in out.splitlines()]
    assert ["0", *["cached"] * 9] in rows
    assert ["1", *["cached"] * 6, *["compute"] * 3] in rows, "k=33 needs clustering, external and internal"
    assert re.search(r"3 distinct .*[\d.]+ MB", out)
    assert not (project_copy.root / "outputs").exists()
    assert project_copy.runs() == []


def test_one_failing_job_does_not_stop_the_others(project_copy: Project) -> None:
    done = project_copy.launch("-m", *FRAGILE, *LEAN, "cluster.accident=error", "cluster.k=2,3,4")
    assert done.returncode == 1, done.stderr
    assert project_copy.sweep()["status"].tolist() == ["FINISHED", "FAILED", "FINISHED"]
    last = done.stderr.strip().splitlines()[-1]
    assert "FAILED job 1" in last
    assert "the third law of thermodynamics" in last
    assert "Traceback" not in done.stderr
    statuses = {run.data.params.get("cluster.k"): run for run in project_copy.runs()}
    assert statuses["3"].info.status == "FAILED"
    assert "thermodynamics" in statuses["3"].data.tags["error"]
    assert statuses["2, 3, 4"].info.status == "FAILED", "the sweep's own run names all values"
    assert statuses["2"].info.status == statuses["4"].info.status == "FINISHED"


@pytest.mark.parametrize(
    ("typed", "key", "use"),
    [
        ("cluster.k=10,ten", "cluster.k", "'ten'"),
        ("cluster.k=10,5000", "cluster.k=5000", "cluster.k<=1797"),
        ("cluster.kk=3,4", "cluster.kk=3", "cluster.k?"),
    ],
)
def test_a_bad_value_stops_a_sweep_before_its_first_job(
    project_copy: Project, typed: str, key: str, use: str
) -> None:
    says(project_copy.fail("-m", typed), key=key, use=use)
    assert not (project_copy.root / "outputs").exists()


def test_a_traceback_is_for_those_who_ask(project_copy: Project) -> None:
    done = project_copy.launch("cluster.k=0", "hydra.verbose=true")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    says(done.stderr, key="cluster.k=0", use="1 or more")


def test_several_values_want_m(project_copy: Project) -> None:
    says(project_copy.fail("cluster.k=10,20"), key="cluster.k=10,20", use="type -m")


def test_a_server_that_does_not_answer_stops_at_once(project_copy: Project) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    error = project_copy.fail(f"tracking.uri=http://127.0.0.1:{port}")
    says(error, key=f"tracking.uri=http://127.0.0.1:{port}", use="leave tracking.uri out")
    assert not (project_copy.root / "outputs").exists()


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


@pytest.mark.service
def test_a_server_that_dies_half_way_loses_nothing(project_copy: Project, tmp_path: Path) -> None:
    process, uri = server(tmp_path)
    try:
        accident = ["cluster.k=2,3,4", f"cluster.accident='kill {process.pid}'"]  # at k=3
        done = project_copy.launch("-m", *FRAGILE, *accident, f"tracking.uri={uri}")
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "Retrying" not in done.stderr
    kept = project_copy.last()
    assert project_copy.sweep()["status"].tolist() == ["FINISHED"] * 3
    for number, lost in enumerate((False, True, True)):
        job = kept / str(number)
        assert len(pd.read_parquet(job / "assignments.parquet")) == 1797
        left = project_copy.result(number)
        assert left["metrics"]["ari"] > 0
        assert left["unrecorded"].startswith(f"tracking.uri={uri} ") == lost
        assert (str(job) in done.stderr) == lost
    says(done.stderr, key="2 of 3", use=str(kept))
