"""Runs recorded by commit 6c1a43c: errors about moved classes and settings name that commit.

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
from experiments.recorded import PastRun
from experiments.store.values import OtherCodeError
from experiments.sweep import resumption
from experiments.sweep.state import SweepState

pytestmark = pytest.mark.slow

COMMIT = "6c1a43ced82db1657e50405d333cc225653112d8"
ROOT = "/project"  # the store's recorded folder
PATHS = {
    "runs": "artifact_uri", "experiments": "artifact_location", "logged_models": "artifact_location",
    "tags": "value",
}  # fmt: skip
MOVED = ("experiments.dataset.digits.Digits", "experiments.dataset.gone.Digits")


@pytest.fixture
def uri(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Unpack the store and update the paths in it."""
    zipfile.ZipFile(Path(__file__).with_name("commit_6c1a43c.zip")).extractall(tmp_path)
    with sqlite3.connect(tmp_path / "mlflow" / "mlflow.db") as database:
        for table, column in PATHS.items():
            database.execute(f"UPDATE {table} SET {column} = replace({column}, ?, ?)", (ROOT, str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    return f"sqlite:///{tmp_path}/mlflow/mlflow.db"


def runs(uri: str) -> tuple[PastRun, PastRun]:
    """Return the sweep's run and its best job's."""
    sweep = next(path.parent.parent for path in Path("mlflow/artifacts").glob("*/artifacts/sweep.csv")).name
    return PastRun.of(uri, sweep), PastRun.of(uri, sweep).best


def move_class(job: PastRun) -> None:
    """Replace the class of a run's data set by one that does not exist."""
    path = Path(job.info.info.artifact_uri.removeprefix("file://"), "config.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace(*MOVED), encoding="utf-8")


def refused(
    name: str, *words: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """Call a script that must fail; return its one-line message."""
    monkeypatch.setattr("sys.argv", [f"{name}.py", *words])
    assert importlib.import_module(f"scripts.{name}").main() in (1, 2)
    message = capsys.readouterr().err
    assert len(message.splitlines()) == 1
    return message


def test_a_model_with_moved_classes_names_the_commit(
    uri: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep, _ = runs(uri)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save("one.png")
    words = (sweep.id, "one.png", f"tracking.uri={uri}")
    message = refused("assign", *words, monkeypatch=monkeypatch, capsys=capsys)
    says(message, key=f"RUN_ID={sweep.id}", use=f"git checkout {COMMIT}")


@pytest.mark.parametrize("change", ["missing", "unknown"])
@pytest.mark.parametrize("name", ["verify", "labels"])
def test_a_config_with_other_settings_names_the_commit(
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
    message = refused(name, *words, monkeypatch=monkeypatch, capsys=capsys)
    says(message, key=f"RUN_ID={job.id}", use=f"git checkout {COMMIT}")
    assert ("dataset.split_seed" if change == "missing" else "dataset.split_sead") in message


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("verify", [], []),
        ("export", [], ["out"]),
        ("export", [], ["out", "--embeddings", "csv"]),
        ("labels", ["page"], []),
    ],
)
def test_a_config_with_a_moved_class_names_the_commit(
    name: str,
    before: list[str],
    after: list[str],
    uri: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, job = runs(uri)
    move_class(job)
    words = (*before, job.id, *after, f"tracking.uri={uri}", "cache.root=cache")
    message = refused(name, *words, monkeypatch=monkeypatch, capsys=capsys)
    says(message, key=f"RUN_ID={job.id}", use=f"git checkout {COMMIT}")
    assert MOVED[1] in message


def test_resuming_an_old_sweep_names_the_commit(uri: str) -> None:
    sweep, _ = runs(uri)
    then = SweepState.load(Path(sweep.tags["sweep.folder"]))
    request = SweepState.of(command_line.parse_request(command_line.parse_arguments(["-m", *then.command])))
    tracker = tracking.Tracker(uri, sweep.info.info.experiment_id)
    with pytest.raises(ValueError, match="resume=") as error:
        resumption.find_resumable(sweep.id, request, tracker)
    says(error, key=f"resume={sweep.id}", use=f"git checkout {COMMIT}")


def test_saved_fields_that_a_class_lacks_are_named(uri: str) -> None:
    from experiments.cluster.kmeans.centroids import CentroidClustering

    folder = next(Path("mlflow/artifacts/models").glob("*/artifacts/data/clustering"))
    fields = json.loads((folder / "fields.json").read_text(encoding="utf-8"))
    (folder / "fields.json").write_text(json.dumps(fields | {"gone": 1}), encoding="utf-8")
    with pytest.raises(OtherCodeError, match="gone"):
        CentroidClustering.load(folder)


def test_a_missing_user_class_is_to_be_installed(uri: str) -> None:
    _, job = runs(uri)
    with pytest.raises(OtherCodeError) as error, job.naming_other_code():
        raise OtherCodeError("mine.Halves", "cluster._target_=mine.Halves cannot be imported", "install it")
    says(error, key="cluster._target_=mine.Halves", use="install it")


def test_a_typed_setting_is_not_blamed_on_other_code(uri: str) -> None:
    _, job = runs(uri)
    with pytest.raises(SettingError), job.naming_other_code(["dataset.root"]):
        raise SettingError("dataset.root", "dataset.root: Digits has no setting root", "leave it out")
