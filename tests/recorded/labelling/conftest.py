"""Fixtures of the labelling tests: photographs on disk, and recorded runs on them."""

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.project import REPOSITORY
from tests.recorded.labelling.pages import opened  # noqa: F401
from tests.running import run_typed

from experiments.recorded.labelling.clustered import ClusteredSamples

PLAIN = {"backbone": "pixels", "reducer": "identity", "cluster.k": "2", "evaluator": "[external]"}
Typed = Callable[..., tuple[int, str, str]]


def write_photos(folder: Path) -> Path:
    """Write nine bright and nine dark images; one of each is in the wrong folder."""
    rng = np.random.default_rng(0)
    for number in range(18):
        kind, level = (("day", 200), ("night", 20))[number % 2]
        path = folder / {16: "night", 17: "day"}.get(number, kind) / f"{number:02}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(level, level + 20, (6, 6, 3)).astype(np.uint8)).save(path)
    return folder


def recorded(uri: str, root: Path, *overrides: str) -> ClusteredSamples:
    """Run an experiment in a folder, and return its recorded samples."""
    settings = [f"tracking.uri={uri}", f"cache.root={root}/cache"]
    settings += ["figures=none", "report=none", "tracking.log_model=none"]
    outcome = run_typed([*settings, *overrides], root / "run", name="first").outcome
    return ClusteredSamples.of(uri, outcome.run_id)


def settings_of(root: Path, *overrides: str) -> list[str]:
    """Return the settings of a run on the images below `root`."""
    options = PLAIN | dict(override.split("=", 1) for override in overrides)
    images = ["dataset=image_folder", f"dataset.root={root}", "dataset.image_size=6"]
    return [*images, *(f"{key}={value}" for key, value in options.items())]


@pytest.fixture(scope="session")
def shared(uri: str, tmp_path_factory: pytest.TempPathFactory) -> ClusteredSamples:
    """Run the first experiment once; tests must not change its images or files."""
    root = tmp_path_factory.mktemp("first")
    return recorded(uri, root, *settings_of(write_photos(root / "photos")))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Write the images of the first run for a test that changes them or runs on them."""
    return write_photos(tmp_path / "photos")


@pytest.fixture
def run(uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., ClusteredSamples]:
    """Run an experiment in a new project root."""
    monkeypatch.setenv("EXPERIMENTS_ROOT", str(tmp_path))
    return lambda *overrides: recorded(uri, tmp_path, *overrides)


@pytest.fixture
def of_photos(
    photos: Path, run: Callable[..., ClusteredSamples], shared: ClusteredSamples
) -> Callable[..., ClusteredSamples]:
    """Run on the images with other settings or another root; without either, return the shared first run."""

    def make(*overrides: str, root: Path = photos) -> ClusteredSamples:
        return run(*settings_of(root, *overrides)) if overrides or root != photos else shared

    return make


@pytest.fixture
def first(of_photos: Callable[..., ClusteredSamples], request: pytest.FixtureRequest) -> ClusteredSamples:
    """Return the shared first run; with a parameter, a new one whose images and files may be changed."""
    return of_photos("seed=0") if hasattr(request, "param") else of_photos()


@pytest.fixture
def typed(
    first: ClusteredSamples,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Typed:
    """Run scripts/labels.py on the first run, in this process to save seconds of imports."""
    monkeypatch.chdir(tmp_path)

    def make(command: str, *words: str, run: ClusteredSamples = first) -> tuple[int, str, str]:
        capsys.readouterr()
        argv = ["labels.py", command, run.run.id, *words, f"tracking.uri={run.run.uri}"]
        monkeypatch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(REPOSITORY / "scripts" / "labels.py"), run_name="__main__")
        captured = capsys.readouterr()
        return int(str(ended.value.code)), captured.out, captured.err

    return make
