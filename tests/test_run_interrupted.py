"""run.py interrupted, killed, and beside another one: nothing half-written, and finished work is kept."""

import json
import signal
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from tests.project import FRAGILE, SHORT, Project, wait_for

pytestmark = pytest.mark.process


def interrupted(process: "subprocess.Popen[str]") -> str:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "the same command goes on from there" in err
    return err


def test_ctrl_c_during_training_keeps_the_epochs(fresh: Project) -> None:
    process = fresh.start("backbone.max_epochs=300", "backbone.patience=300", "dataset.limit=400")
    wait_for(lambda: list((fresh.root / "cache" / ".work").glob("cnn-*/*")), process)
    interrupted(process)
    assert [run.info.status for run in fresh.runs()] == ["KILLED"]
    assert list((fresh.root / "cache" / ".work").glob("cnn-*/*"))
    assert not list((fresh.root / "cache").glob("cnn-*"))


def stalling(sign: Path) -> list[str]:
    """Return the arguments of a sweep that finishes k=2, then makes `sign` and stalls at k=3, once."""
    return ["-m", *SHORT, *FRAGILE, "cluster.accident=stall", f"cluster.sign={sign}", "cluster.k=2,3"]


def test_ctrl_c_during_clustering_keeps_what_was_finished(beside: Project, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    process = beside.start(*stalling(sign))
    wait_for(sign.exists, process)
    interrupted(process)
    statuses = {run.data.params.get("cluster.k"): run.info.status for run in beside.runs()}
    assert statuses == {"2": "FINISHED", "3": "KILLED", None: "KILLED"}
    assert beside.sweep()["status"].tolist() == ["FINISHED", "KILLED"]


def test_kill_9_and_the_same_again(beside: Project, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    process = beside.start(*stalling(sign))
    wait_for(sign.exists, process)
    process.kill()
    process.communicate(timeout=60)
    assert "RUNNING" in {run.info.status for run in beside.runs()}
    finished = set(beside.result(0)["computed"])
    assert any(key.startswith("fragile-") for key in finished)
    beside.succeed(*stalling(sign))
    assert beside.sweep()["status"].tolist() == ["FINISHED"] * 2
    assert beside.result(0)["computed"] == []
    assert finished <= set(beside.result(0)["kept"])
    assert any(key.startswith("fragile-") for key in beside.result(1)["computed"])
    assert {run.info.status for run in beside.runs()} == {"KILLED", "FINISHED"}
    assert not list((beside.root / "cache").glob(".partial/*"))


def test_two_sweeps_at_once_in_one_folder(beside: Project) -> None:
    both = [beside.start("-m", *SHORT, "cluster.k=10,31") for _ in "ab"]
    ended = [process.communicate(timeout=240) for process in both]
    assert [process.returncode for process in both] == [0, 0], ended
    tables = [pd.read_csv(path) for path in (beside.root / "outputs").glob("*/*/sweep.csv")]
    assert len(tables) == 2
    assert tables[0]["ari"].tolist() == tables[1]["ari"].tolist()
    results = [json.loads(path.read_text()) for path in (beside.root / "outputs").glob("*/*/*/result.json")]
    computed = [key for result in results for key in result["computed"]]
    assert len(computed) == len(set(computed)) > 0
