"""A few digits, and the backbones of conf/ with changes."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from experiments.backbone.cnn import Cnn
from experiments.config.stage import build_stage
from experiments.context import Context, Silent
from experiments.dataset.digits import Digits
from experiments.samples import Samples
from experiments.store.cache import Store

FOLDER = Path(__file__).parents[2] / "conf" / "backbone"
CONF = FOLDER / "cnn.yaml"
TINY = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "patch_size": 8, "head_width": 16},
    "text_cfg": {"context_length": 8, "vocab_size": 50, "width": 32, "heads": 2, "layers": 1},
}
SPLIT = {"train": 0.8, "validation": 0.2, "test": 0.0}


class Recorder(Silent):
    """A report that records the metrics of each epoch, and calls `after[epoch]` after that epoch."""

    def __init__(self, after: Mapping[int, Callable[[], None]] | None = None) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.after = after or {}
        self.bars: dict[str, tuple[int, str]] = {}
        self.moved: Counter[str] = Counter()

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        self.bars[task] = total, unit
        return nullcontext(lambda done: self.moved.update({task: done}))

    def metrics(self, step: int, values: Mapping[str, float]) -> None:
        self.rows.append((step, dict(values)))
        self.after.get(step, lambda: None)()


@pytest.fixture(scope="session")
def recorder_class() -> type[Recorder]:
    """Return the class of a report that records metrics and can interrupt a training."""
    return Recorder


@pytest.fixture
def ctx(store: Store) -> Context:
    """Return a context with one thread, as small batches gain nothing from two."""
    return replace(Context.plain(store), threads=1)


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """Return 200 digits, 20 or a few more of them for validation."""
    store = Store(tmp_path_factory.mktemp("digits"))
    settings = {
        "image_size": 8,
        "mirror": False,
        "limit": 200,
        "labels": None,
        "corrections": None,
        "unlabelled": "keep",
    }
    return Digits(split=SPLIT, split_seed=123, **settings).load(Context.plain(store))


@pytest.fixture(scope="session")
def cnn() -> Callable[..., Cnn]:
    """Return a function that makes a small CNN of conf/backbone/cnn.yaml for 8x8 digits, with changes."""
    context = {"dataset": {"image_size": 8, "mirror": False}, "seed": 0}
    config = OmegaConf.create({**context, "backbone": OmegaConf.load(CONF)}).backbone
    values = OmegaConf.to_container(config, resolve=True)
    del values["_target_"]
    values |= {"filters": (8, 16), "dense": 12, "max_epochs": 4}
    return lambda **changes: Cnn(**{**values, **changes})


@pytest.fixture(scope="session")
def few(digits: Samples) -> Samples:
    """Return 10 digits."""
    assert digits.labels is not None
    rows = np.arange(10)
    fields = {"ids": digits.ids[rows], "labels": digits.labels[rows], "split": digits.split[rows]}
    return replace(digits, content=digits.content.take(rows), **fields)


@pytest.fixture(scope="session")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of weights and cards that all tests share, so that each card is made once."""
    return tmp_path_factory.mktemp("weights")


@pytest.fixture(scope="session")
def tiny_clip(cards: Path) -> Path:
    """Write the config of a CLIP whose image tower has 30,000 weights."""
    path = cards / "tiny.json"
    path.write_text(json.dumps(TINY), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def pretrained(cards: Path, tiny_clip: Path) -> Callable[..., Any]:
    """Return a function that makes a small pretrained backbone, with random weights or shipped ones."""
    models: dict[str, dict[str, Any]] = {
        "resnet50": {"model": "squeezenet1_1", "weights": "none"},
        "clip": {"model": str(tiny_clip), "weights": "none"},
        "dinov2": {"model": "test_vit.r160_in1k", "weights": "none"},
        "efficientnet_lite0": {"image_size": 64},
    }

    def make(option: str, **changes: Any) -> Any:
        if option not in models:
            pytest.fail(f"backbone={option} has weights; add a small model of its library to `models` here")
        node = OmegaConf.create({"seed": 0, "backbone": OmegaConf.load(FOLDER / f"{option}.yaml")}).backbone
        values = dict(OmegaConf.to_container(node, resolve=True))
        values.pop("defaults")
        return build_stage("backbone", values | {"weights_cache": str(cards)} | models[option] | changes)

    return make


@pytest.fixture(scope="session")
def vectors(digits: Samples) -> Samples:
    """Return the same samples with vectors of 5 values as content."""
    return replace(digits, content=Table(np.random.default_rng(0).random((len(digits), 5))))


class Table:
    """Vectors in memory."""

    KIND = "vectors"

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.hashes = np.array([f"{row:016}" for row in range(len(values))])

    def vectors(self) -> np.ndarray:
        return self.values
