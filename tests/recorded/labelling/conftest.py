"""What the tests of labelling share: photographs on disk, and recorded runs on them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.recorded.labelling.pages import opened  # noqa: F401
from tests.running import run_typed

from experiments.config import compose
from experiments.recorded.labelling.clustered import Clustered

PLAIN = {"backbone": "pixels", "reducer": "identity", "cluster.k": "2", "evaluator": "[external]"}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Nine bright and nine dark images; one of each lies among the others, by mistake."""
    rng = np.random.default_rng(0)
    for number in range(18):
        kind, level = (("day", 200), ("night", 20))[number % 2]
        folder = {16: "night", 17: "day"}.get(number, kind)
        place = tmp_path / "photos" / folder / f"{number:02}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(level, level + 20, (6, 6, 3)).astype(np.uint8)).save(place)
    return tmp_path / "photos"


@pytest.fixture
def run(tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Clustered]:
    """Run an experiment in a project root of its own, and return what it recorded of its samples."""
    monkeypatch.setattr(compose, "ROOT", tmp_path)
    store = tmp_path / "mlflow.db"
    shutil.copy(tables, store)
    own = [f"tracking.uri=sqlite:///{store}", f"cache.root={tmp_path}/cache", "figures=none"]

    def make(*overrides: str) -> Clustered:
        outcome = run_typed([*own, *overrides], tmp_path / "run", name="first").outcome
        return Clustered.of(f"sqlite:///{store}", outcome.run_id)

    return make


@pytest.fixture
def of_photos(photos: Path, run: Callable[..., Clustered]) -> Callable[..., Clustered]:
    def make(*overrides: str, root: Path = photos) -> Clustered:
        chosen = PLAIN | dict(override.split("=", 1) for override in overrides)
        about = ["dataset=image_folder", f"dataset.root={root}", "dataset.image_size=6"]
        return run(*about, *(f"{key}={value}" for key, value in chosen.items()))

    return make
