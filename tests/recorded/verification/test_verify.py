"""Verify runs in this process: unchanged, with one stage changed, with moved or changed data."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from PIL import Image
from sklearn.datasets import load_digits
from tests.messages import says
from tests.running import run_typed

from experiments.backbone import pixels
from experiments.dataset.images import listing
from experiments.evaluator.measures import agreement
from experiments.job.perform import Outcome
from experiments.job.trace import STEPS, Trace
from experiments.recorded import PastRun
from experiments.recorded.verification.recorded_config import CannotVerifyError, RecordedConfig
from experiments.recorded.verification.verdict import DIFFERS, IDENTICAL, WITHIN, Verdict
from experiments.recorded.verification.verify import UNCHANGED, verify

pytestmark = pytest.mark.slow

PLAIN = ["figures=none", "report=none", "tracking.log_model=none"]
SMALL = ["backbone=pixels", "reducer.n_components=8", "cluster.k=6", *PLAIN]


@dataclass
class Lab:
    """A tracking store with one run on digits in class folders."""

    root: Path
    lines: list[str]
    run_id: str = ""
    computed: Sequence[str] = ()  # cache keys of the first run

    @property
    def settings(self) -> list[str]:
        return [f"tracking.uri=sqlite:///{self.root}/mlflow.db", f"cache.root={self.root}/cache"]

    @property
    def run(self) -> PastRun:
        return PastRun.of(f"sqlite:///{self.root}/mlflow.db", self.run_id)

    @property
    def artifacts(self) -> Path:
        return Path(self.run.info.info.artifact_uri.removeprefix("file://"))

    def record(self, *overrides: str, small: Sequence[str] = SMALL) -> None:
        typed = [*small, *self.settings, *overrides]
        choices = {"cluster": "faiss_kmeans"}
        self.run_id = run_typed(typed, self.root / "run", choices=choices).outcome.run_id

    def verify(self, *settings: str) -> Verdict:
        self.lines.clear()
        return verify(self.run, settings, self.lines.append)

    def edit(self, **values: Any) -> None:
        """Change the recorded config."""
        path = self.artifacts / "config.yaml"
        cfg = OmegaConf.load(path)
        for key, value in values.items():
            OmegaConf.update(cfg, key.replace("__", "."), value)
        OmegaConf.save(cfg, path)

    def retrace(self, change: Callable[[Trace], None]) -> None:
        """Change the recorded trace."""
        trace = Trace.load(self.artifacts / "stages.json")
        change(trace)
        trace.save(self.artifacts)


def write(folder: Path, order: int = 1) -> Path:
    """Write ten of each digit as PNG, in this order."""
    digits = load_digits()
    rows = [row for label in range(10) for row in np.flatnonzero(digits.target == label)[:10]]
    for row in rows[::order]:
        class_folder = folder / str(digits.target[row])
        class_folder.mkdir(parents=True, exist_ok=True)
        image = np.rint(digits.images[row] * (255 / 16)).astype(np.uint8)
        Image.fromarray(image).save(class_folder / f"{row:04}.png")
    return folder


@pytest.fixture(scope="module")
def recorded(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    root = tmp_path_factory.mktemp("lab")
    shutil.copy(tables, root / "mlflow.db")
    lab = Lab(root, [])
    data = [f"dataset.root={write(root / 'images')}", "dataset.image_size=8", "dataset=image_folder"]
    lab.record(*data)
    lab.computed = Outcome.load(root / "run").computed
    return lab


@pytest.fixture
def lab(recorded: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the lab; a test's changes of its artifacts are undone."""
    monkeypatch.setenv("EXPERIMENTS_ROOT", str(tmp_path))  # the folder for outputs of verifications
    shutil.copytree(recorded.artifacts, tmp_path / "artifacts")
    yield recorded
    shutil.rmtree(recorded.artifacts)
    shutil.copytree(tmp_path / "artifacts", recorded.artifacts)


def test_a_repeated_run_is_identical_and_recorded_with_both_runs(lab: Lab, tmp_path: Path) -> None:
    cached = sorted(path.name for path in (lab.root / "cache").iterdir())
    earlier = {run.id for run in lab.run.below()}
    verdict = lab.verify()
    assert (verdict.word, verdict.first, verdict.agreement) == (IDENTICAL, "", 1)
    assert lab.lines[0] == UNCHANGED
    assert lab.lines[1].endswith(" s")
    assert lab.lines[2].endswith(".csv")
    assert len(lab.lines) == 3
    (again,) = [run for run in lab.run.below() if run.id not in earlier]
    assert again.tags["verifies"] == lab.run.id
    assert (again.tags["verdict"], "verdict.first" in again.tags) == (IDENTICAL, False)
    assert again.name == f"verify {lab.run.name}: identical"
    assert again.tags["cluster"] == "faiss_kmeans"
    assert lab.run.tags["verified"] == f"identical, by run {again.id}"
    assert again.info.data.metrics["verify/ari"] == 1
    assert again.info.data.metrics["ari"] == lab.run.info.data.metrics["ari"]
    note = again.tags["mlflow.note.content"]
    assert note.startswith("**identical: every stage")
    assert lab.run.id in note
    rows = [line for line in note.splitlines() if line.startswith("| ")]
    assert [row.split()[1] for row in rows[2:]] == list(STEPS)
    assert all(row.endswith("| identical |") for row in rows[2:])
    table = pd.read_csv(again.file("verification.csv", tmp_path))
    assert set(table["verdict"]) == {"identical"}
    assert {*STEPS, "metric external ari"} < set(table["output"])
    assert sorted(path.name for path in (lab.root / "cache").iterdir()) == cached
    assert again.info.data.params["threads"] == lab.run.tags["threads"]


@pytest.mark.parametrize(
    ("edit", "first"),
    [
        ({"backbone__image_size": 4}, "pixels"),
        ({"reducer__n_components": 7}, "projection"),
        ({"cluster__seed": 5, "cluster__n_redo": 1, "cluster__max_iter": 1}, "clustering"),
    ],
)
def test_a_changed_setting_differs_first_at_its_stage(lab: Lab, edit: dict[str, Any], first: str) -> None:
    lab.edit(**edit)
    verdict = lab.verify()
    assert (verdict.word, verdict.first) == (DIFFERS, first)
    assert lab.run.tags["verified"].startswith("differs, by run ")
    assert first in {again.tags.get("verdict.first") for again in lab.run.below()}


def test_a_changed_encoder_differs_first_at_the_embedding(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    embed = pixels.PixelsEncoder.embed
    monkeypatch.setattr(pixels.PixelsEncoder, "embed", lambda *args: embed(*args) ** 2)
    verdict = lab.verify()
    assert (verdict.word, verdict.first) == (DIFFERS, "embedding")


def test_a_change_of_the_last_bit_is_within_tolerance(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    embed = pixels.PixelsEncoder.embed
    monkeypatch.setattr(
        pixels.PixelsEncoder, "embed", lambda *args: np.nextafter(embed(*args), np.float32(np.inf))
    )
    verdict = lab.verify()
    assert (verdict.word, verdict.first, verdict.agreement) == (WITHIN, "embedding", 1)


def test_a_changed_metric_differs_first_at_that_metric(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(agreement.METRICS, "ari", lambda *args: 0.125)
    verdict = lab.verify()
    assert (verdict.word, verdict.first) == (DIFFERS, "metric external ari")


def test_changed_circumstances_are_listed_and_threads_can_be_changed(lab: Lab) -> None:
    def change(trace: Trace) -> None:
        trace.circumstances.update({"version.numpy": "0.1", "processor": "an abacus", "threads": "4"})
        trace.reused["embedding"] = {"threads": "64"}

    lab.retrace(change)
    lab.verify("threads=1")
    text = "\n".join(lab.lines)
    says(text, key="version.numpy was 0.1")
    says(text, key="processor was an abacus")
    says(text, key="threads was 4", use=" 1")
    says(next(line for line in lab.lines if line.startswith("embedding")), use="threads 64")
    assert "1" in {again.tags["threads"] for again in lab.run.below()}


def test_moved_files_in_another_order_are_identical(lab: Lab, tmp_path: Path) -> None:
    moved = write(tmp_path / "moved", -1)
    (lab.root / "images").rename(lab.root / "gone")
    try:
        with pytest.raises(CannotVerifyError) as error:
            lab.verify()
        says(error, key=f"dataset.root={lab.root / 'images'}", use="use dataset.root=")
        assert lab.verify(f"dataset.root={moved}").word == IDENTICAL
    finally:
        (lab.root / "gone").rename(lab.root / "images")


def test_the_listing_order_of_a_folder_changes_nothing(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = []

    def backwards(folder: Path) -> list[os.DirEntry[str]]:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name, reverse=True)
        listed.append([entry.name for entry in entries])
        return entries

    monkeypatch.setattr(listing, "os", SimpleNamespace(scandir=backwards))
    assert lab.verify().word == IDENTICAL
    assert next(names for names in listed if "9" in names)[0] == "9"
    assert max(len(names) for names in listed) == 10


def test_a_renamed_class_is_reported(lab: Lab, tmp_path: Path) -> None:
    changed = write(tmp_path / "renamed")
    (changed / "9").rename(changed / "nine")
    with pytest.raises(CannotVerifyError) as error:
        lab.verify(f"dataset.root={changed}")
    says(error, key="10 renamed (such as 9", use="now nine/")


def test_changed_data_is_reported_by_kind(lab: Lab, tmp_path: Path) -> None:
    changed = write(tmp_path / "changed")
    first, second, third = sorted(changed.glob("0/*.png"))[:3]
    first.unlink()
    shutil.copy(third, second)
    shutil.copy(third, changed / "1" / "more.png")
    with pytest.raises(CannotVerifyError) as error:
        lab.verify(f"dataset.root={changed}")
    for fact in ("1/more.png", f"0/{first.name}", f"0/{second.name}"):
        says(error, key=f"RUN_ID={lab.run.id}", use=f"(such as {fact})")
    says(error, key=str(changed), use="dataset.root=")


def test_a_value_reused_from_other_circumstances_is_recorded(lab: Lab, tmp_path: Path) -> None:
    """The trace of a run lists the circumstances of reused steps if they differ from its own."""
    assert Trace.load(lab.artifacts / "stages.json").reused == {}
    (key,) = [key for key in lab.computed if key.startswith("embeddings-")]
    meta = lab.root / "cache" / key / "meta.json"
    text = meta.read_text(encoding="utf-8")
    meta.write_text(text.replace('"threads": "', '"threads": "9'), encoding="utf-8")
    first = lab.run_id
    try:
        lab.record(f"dataset.root={lab.root / 'images'}", "dataset.image_size=8", "dataset=image_folder")
        reused = Trace.load(lab.artifacts / "stages.json").reused
        assert list(reused) == ["embedding"]
        assert reused["embedding"]["threads"].startswith("9")
    finally:
        lab.run_id = first
        meta.write_text(text, encoding="utf-8")


def test_a_moved_table_is_verified_at_its_new_path(lab: Lab, tmp_path: Path) -> None:
    rows = pd.DataFrame(load_digits().data[:60, 2:8]).add_prefix("m")
    rows.to_csv(tmp_path / "table.csv", index=False)
    first = lab.run_id
    try:
        data = ["dataset=table", f"dataset.path={tmp_path}/table.csv", "evaluator=[internal]"]
        lab.record(*data, small=["cluster.k=3", *PLAIN])
        (tmp_path / "table.csv").rename(tmp_path / "moved.csv")
        with pytest.raises(CannotVerifyError) as error:
            lab.verify()
        says(error, key=f"dataset.path={tmp_path}/table.csv", use="use dataset.path=")
        assert lab.verify(f"dataset.path={tmp_path}/moved.csv").word == IDENTICAL
    finally:
        lab.run_id = first


def test_older_runs_keep_the_recorded_name_of_their_data(lab: Lab, tmp_path: Path) -> None:
    cfg = OmegaConf.load(lab.artifacts / "config.yaml")
    assert cfg.dataset.pop("name") == lab.run.data == f"{lab.root.name}/images"
    OmegaConf.save(cfg, lab.artifacts / "config.yaml")
    plan = RecordedConfig(lab.run, tmp_path).plan([f"dataset.root={tmp_path}/flowers"], tmp_path / "cache")
    assert plan.stages.dataset.root == f"{tmp_path}/flowers"
    assert plan.stages.dataset.display_name == lab.run.data
