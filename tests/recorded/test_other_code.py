"""Runs that commit 6c1a43c recorded: what names a class that moved is answered with that commit.

The store holds a sweep of two jobs on 60 digits, and the model of the second:
python run.py -m cluster.k=3,4 dataset.limit=60 backbone=pixels reducer.n_components=4 evaluator=[external]
"""

import importlib
import json
import sqlite3
import zipfile
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf
from PIL import Image
from tests.messages import says

from experiments import tracking
from experiments.config import command_line
from experiments.config.mistakes import SettingError
from experiments.recorded import Recorded
from experiments.store.values import OtherCodeError
from experiments.sweep import resumption
from experiments.sweep.state import SweepState

COMMIT = "6c1a43ced82db1657e50405d333cc225653112d8"
ROOT = "/project"  # where the store says that it lies
PATHS = {
    "runs": "artifact_uri", "experiments": "artifact_location", "logged_models": "artifact_location",
    "tags": "value",
}  # fmt: skip
MOVED = ("experiments.dataset.digits.Digits", "experiments.dataset.gone.Digits")


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Unpack the store, and let it know where it lies now."""
    zipfile.ZipFile(Path(__file__).with_name("commit_6c1a43c.zip")).extractall(tmp_path)
    with sqlite3.connect(tmp_path / "mlflow" / "mlflow.db") as database:
        for table, column in PATHS.items():
            database.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (ROOT, str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{tmp_path}/mlflow/mlflow.db"


def runs(uri: str) -> tuple[Recorded, Recorded]:
    """Return the sweep's run and its best job's."""
    sweep = next(path.parent.parent for path in Path("mlflow/artifacts").glob("*/artifacts/sweep.csv")).name
    return Recorded.of(uri, sweep), Recorded.of(uri, sweep).best


def move(job: Recorded) -> None:
    """Let the class of a run's data set be one that moved since."""
    path = Path(job.info.info.artifact_uri.removeprefix("file://"), "config.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace(*MOVED), encoding="utf-8")


def refused(
    name: str, *words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Call a script that has to refuse; return its one line."""
    monkeypatch.setattr("sys.argv", [f"{name}.py", *words])
    assert importlib.import_module(f"scripts.{name}").main() in (1, 2)
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1
    return told


def test_a_model_of_classes_that_moved(
    uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep, _ = runs(uri)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save("one.png")
    words = (sweep.id, "one.png", f"tracking.uri={uri}")
    told = refused("assign", *words, monkeypatch=monkeypatch, capsys=capsys)
    says(told, key=f"RUN_ID={sweep.id}", use=f"git checkout {COMMIT}")


@pytest.mark.parametrize("change", ["missing", "unknown"])
@pytest.mark.parametrize("name", ["verify", "labels"])
def test_a_config_with_other_settings(
    name: str, change: str, uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, job = runs(uri)
    path = Path(job.info.info.artifact_uri.removeprefix("file://"), "config.yaml")
    config = OmegaConf.load(path)
    if change == "missing":
        del config.dataset.split_seed
    else:
        config.dataset.split_sead = 0
    OmegaConf.save(config, path)
    words = (*["page"] * (name == "labels"), job.id, f"tracking.uri={uri}", "cache.root=cache")
    told = refused(name, *words, monkeypatch=monkeypatch, capsys=capsys)
    says(told, key=f"RUN_ID={job.id}", use=f"git checkout {COMMIT}")
    assert ("dataset.split_seed" if change == "missing" else "dataset.split_sead") in told


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("verify", [], []),
        ("export", [], ["out"]),
        ("export", [], ["out", "--embeddings", "csv"]),
        ("labels", ["page"], []),
    ],
)
def test_a_config_of_a_class_that_moved(
    name: str,
    before: list[str],
    after: list[str],
    uri: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, job = runs(uri)
    move(job)
    words = (*before, job.id, *after, f"tracking.uri={uri}", "cache.root=cache")
    told = refused(name, *words, monkeypatch=monkeypatch, capsys=capsys)
    says(told, key=f"RUN_ID={job.id}", use=f"git checkout {COMMIT}")
    assert MOVED[1] in told


def test_a_sweep_is_resumed_by_its_own_code(uri: str) -> None:
    sweep, _ = runs(uri)
    then = SweepState.load(Path(sweep.tags["sweep.folder"]))
    asked = SweepState.of(command_line.parse_request(command_line.parse_arguments(["-m", *then.command])))
    tracker = tracking.Tracker(uri, sweep.info.info.experiment_id)
    with pytest.raises(ValueError, match="resume=") as error:
        resumption.find_resumable(sweep.id, asked, tracker)
    says(error, key=f"resume={sweep.id}", use=f"git checkout {COMMIT}")


def test_fields_that_a_class_no_longer_has(uri: str) -> None:
    from experiments.cluster.kmeans.centroids import CentroidClustering

    folder = next(Path("mlflow/artifacts/models").glob("*/artifacts/data/clustering"))
    fields = json.loads((folder / "fields.json").read_text(encoding="utf-8"))
    (folder / "fields.json").write_text(json.dumps(fields | {"gone": 1}), encoding="utf-8")
    with pytest.raises(OtherCodeError, match="gone"):
        CentroidClustering.load(folder)


def test_a_class_of_ones_own_is_to_be_installed(uri: str) -> None:
    _, job = runs(uri)
    with pytest.raises(OtherCodeError) as error, job.by_its_code():
        raise OtherCodeError("mine.Halves", "cluster._target_=mine.Halves cannot be imported", "install it")
    says(error, key="cluster._target_=mine.Halves", use="install it")


def test_a_setting_that_was_typed_now_is_no_fault_of_the_record(uri: str) -> None:
    _, job = runs(uri)
    with pytest.raises(SettingError), job.by_its_code(["dataset.root"]):
        raise SettingError("dataset.root", "dataset.root: Digits has no setting root", "leave it out")
