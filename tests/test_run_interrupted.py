"""run.py interrupted, killed, or run twice in parallel: no partial files, and finished work stays cached."""

import json
import shutil
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from benchmarks import crash, crowd
from tests import warm
from tests.messages import says
from tests.project import FRAGILE, LEAN, Project, wait_for

pytestmark = pytest.mark.process


def interrupted(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=240)
    assert process.returncode == 130, err
    says(err, key="interrupted", use="resume=true")
    return err


def test_ctrl_c_during_training_keeps_the_epochs(fresh: Project) -> None:
    process = fresh.start("backbone.max_epochs=300", "backbone.patience=300", "dataset.limit=400")
    wait_for(lambda: list((fresh.root / "cache" / ".work").glob("cnn-*/*")), process)
    interrupted(process)
    assert [run.info.status for run in fresh.runs()] == ["KILLED"]
    assert list((fresh.root / "cache" / ".work").glob("cnn-*/*"))
    assert not list((fresh.root / "cache").glob("cnn-*"))


def stalling(sign: Path, *more: str) -> list[str]:
    """Return the arguments of a sweep that finishes k=2, then makes `sign` and stalls at k=3, once."""
    return ["-m", *FRAGILE, "cluster.accident=stall", f"cluster.sign={sign}", "cluster.k=2,3", *more]


def test_ctrl_c_during_clustering_keeps_what_was_finished(project_copy: Project, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    process = project_copy.start(*stalling(sign, *LEAN))
    wait_for(sign.exists, process)
    interrupted(process)
    statuses = {run.data.params.get("cluster.k"): run.info.status for run in project_copy.runs()}
    assert statuses == {"2": "FINISHED", "3": "KILLED", "2, 3": "KILLED"}
    assert project_copy.sweep()["status"].tolist() == ["FINISHED", "KILLED"]


def test_kill_9_and_the_same_again(project_copy: Project, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    process = project_copy.start(*stalling(sign, *LEAN))
    wait_for(sign.exists, process)
    process.kill()
    process.communicate(timeout=60)
    assert "RUNNING" in {run.info.status for run in project_copy.runs()}
    finished = set(project_copy.result(0)["computed"])
    assert any(key.startswith("fragile-") for key in finished)
    project_copy.succeed(*stalling(sign, *LEAN))
    assert project_copy.sweep()["status"].tolist() == ["FINISHED"] * 2
    assert project_copy.result(0)["computed"] == []
    assert finished <= set(project_copy.result(0)["reused"])
    assert any(key.startswith("fragile-") for key in project_copy.result(1)["computed"])
    assert {run.info.status for run in project_copy.runs()} == {"KILLED", "FINISHED"}
    assert not list((project_copy.root / "cache").glob(".partial/*"))


def test_kill_9_and_resume_repeats_what_is_missing_in_the_same_run(
    project_copy: Project, tmp_path: Path
) -> None:
    sign = tmp_path / "sign"
    process = project_copy.start(*stalling(sign, *LEAN))
    wait_for(sign.exists, process)
    says(
        project_copy.fail(*stalling(sign, *LEAN), "resume=true"),
        key="resume",
        use=f"process {process.pid} on ",
    )
    process.kill()
    process.communicate(timeout=60)
    (folder,) = (project_copy.root / "outputs").glob("*/*")
    before = project_copy.result(0)
    done = project_copy.run(*stalling(sign, *LEAN), "resume=true")
    assert done.returncode == 0, done.stderr
    says(done.stderr, use="1 of 2 jobs")
    assert project_copy.last() == folder
    assert project_copy.sweep()["status"].tolist() == ["FINISHED"] * 2
    assert project_copy.result(0) == before
    runs = project_copy.runs()
    (parent,) = [run for run in runs if run.data.tags.get("sweep") == "parent"]
    ended = sorted((run.data.params["cluster.k"], run.info.status) for run in runs if run is not parent)
    assert ended == [("2", "FINISHED"), ("3", "FINISHED"), ("3", "KILLED")]
    assert parent.info.status == "FINISHED"
    assert parent.info.run_id in project_copy.succeed(*stalling(sign, *LEAN), "resume=true"), (
        "nothing to resume"
    )
    assert len(project_copy.runs()) == len(runs)


def test_a_kill_of_a_whole_sweep_ends_in_the_table_of_an_undisturbed_one(
    tables: Path, tmp_path: Path
) -> None:
    """A short form of benchmarks/crash.py, with the tables of the store made before."""

    def root(name: str) -> crash.Root:
        (tmp_path / name / "mlflow").mkdir(parents=True)
        shutil.copy(tables, tmp_path / name / "mlflow")
        return crash.Root(tmp_path / name, warm.popen)

    words = ["-m", "backbone=pixels", "dataset.limit=200", "reducer.n_components=4", *LEAN, "cluster.k=3,4"]
    undisturbed = root("undisturbed")
    code, lines = undisturbed.run(*words)
    length = lines[-1].seconds
    assert code == 0, lines
    assert undisturbed.left_behind() == []
    moment = 0.7 * length
    where, wrong = crash.crash(root("killed"), moment, lines, words, undisturbed.table())
    assert wrong == [], f"killed after {moment:.1f} of {length:.1f} s: {where}"


def test_a_job_is_told_by_all_that_its_sweep_swept() -> None:
    job = SimpleNamespace(params={"cluster.k": "10", "seed": "0"}, tags={"backbone": "pixels"})
    assert crash.settings(job, ["cluster.k", "backbone"]) == "cluster.k=10 backbone=pixels"


def test_three_sweeps_at_once_make_one_store_and_one_cache(tmp_path: Path) -> None:
    """A short form of benchmarks/crowd.py."""
    assert crowd.crowd(tmp_path, 3, *LEAN, popen=warm.popen) == []


def test_two_sweeps_at_once_in_one_folder(project_copy: Project) -> None:
    both = [project_copy.start("-m", *LEAN, "cluster.k=10,31") for _ in "ab"]
    ended = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    tables = [pd.read_csv(path) for path in (project_copy.root / "outputs").glob("*/*/sweep.csv")]
    assert len(tables) == 2
    assert tables[0]["ari"].tolist() == tables[1]["ari"].tolist()
    results = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in (project_copy.root / "outputs").glob("*/*/*/result.json")
    ]
    computed = [key for result in results for key in result["computed"]]
    assert len(computed) == len(set(computed)) > 0
