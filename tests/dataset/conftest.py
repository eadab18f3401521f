"""Fixtures of the data sets' tests: the usual selection, and folders of drawn images."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.dataset.embeddings import Embeddings
from experiments.dataset.image_folder import ImageFolder
from experiments.dataset.table import Table

CALTECH = Path(__file__).parents[3] / "shared" / "data" / "caltech101_128.zip"


@pytest.fixture
def selection() -> dict[str, Any]:
    """Return the settings of every data set, as in conf/dataset/_selection.yaml."""
    return {
        "image_size": 8,
        "mirror": False,
        "limit": None,
        "labels": None,
        "corrections": None,
        "unlabelled": "keep",
        "split": {"train": 0.8, "validation": 0.2, "test": 0.0},
        "split_seed": 123,
    }


@pytest.fixture
def image_folder(selection: dict[str, Any]) -> Callable[..., ImageFolder]:
    def make(root: Path, **changes: Any) -> ImageFolder:
        settings = {"max_unreadable": 0.01, "class_level": 1, "value_range": None}
        return ImageFolder(root=str(root), **(selection | settings | changes))

    return make


@pytest.fixture
def draw() -> Callable[..., Path]:
    """Write an image of noise from a seed."""

    def make(path: Path, seed: int = 0, size: tuple[int, int] = (12, 10)) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
        Image.fromarray(values).save(path)
        return path

    return make


@pytest.fixture
def two_classes(tmp_path: Path, draw: Callable[..., Path]) -> Path:
    """Five images of cats and five of dogs."""
    root = tmp_path / "pets"
    for seed in range(10):
        draw(root / ("cats", "dogs")[seed % 2] / f"{seed}.png", seed)
    return root


@pytest.fixture
def caltech() -> Path:
    if not CALTECH.exists():
        pytest.skip(f"{CALTECH.name} is missing in shared/data next to the repository")
    return CALTECH


@pytest.fixture
def embeddings(selection):
    """Return a function that builds a data set from a file of embeddings, with changed settings."""

    def make(path, **changes):
        settings = {"id": None, "ids": None, "exclude": (), "label": None, "images": None, "header": None}
        return Embeddings(path=str(path), **(selection | settings | changes))

    return make


@pytest.fixture
def table(selection):
    """Return a function that builds a data set from a table, with changed settings."""

    def make(path, **changes):
        settings = {"id": None, "exclude": (), "label": None, "images": None, "header": None}
        return Table(path=str(path), **(selection | settings | changes))

    return make
