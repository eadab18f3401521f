"""A few digits, and the CNN of conf/ with what a test wants different."""

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from omegaconf import OmegaConf

from experiments.backbone.cnn import Cnn
from experiments.cache import Store
from experiments.dataset.digits import Digits
from experiments.types import Context, Samples, Silent

CONF = Path(__file__).parents[2] / "conf" / "backbone" / "cnn.yaml"
SPLIT = {"train": 0.8, "validation": 0.2, "test": 0.0}


class Diary(Silent):
    """A report that keeps each epoch's figures, and calls `after[epoch]` when that epoch is told of."""

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


@pytest.fixture
def diary() -> type[Diary]:
    """Return the class: a report that can be read, and that can interrupt a training."""
    return Diary


@pytest.fixture
def ctx(store: Store) -> Context:
    """One thread: small batches gain nothing from two, and wait for each other where others compute."""
    return replace(Context.plain(store), threads=1)


@pytest.fixture
def digits(ctx: Context) -> Samples:
    """200 digits, 20 of them for validation or a few more."""
    return Digits(image_size=8, mirror=False, limit=200, labels=None, split=SPLIT, split_seed=123).load(ctx)


@pytest.fixture
def cnn() -> Callable[..., Cnn]:
    """Return a function: the CNN of conf/backbone/cnn.yaml, small and for 8x8 digits, with these changes."""
    given = {"dataset": {"image_size": 8, "mirror": False}, "seed": 0}
    node = OmegaConf.create({**given, "backbone": OmegaConf.load(CONF)}).backbone
    values = OmegaConf.to_container(node, resolve=True)
    del values["_target_"]
    values |= {"filters": (8, 16), "dense": 12, "max_epochs": 4}
    return lambda **changes: Cnn(**{**values, **changes})


@pytest.fixture
def vectors(digits: Samples) -> Samples:
    """Return the same samples, holding vectors of 5 values."""
    return replace(digits, content=Table(np.random.default_rng(0).random((len(digits), 5))))


class Table:
    """Vectors in memory."""

    KIND = "vectors"

    def __init__(self, values: np.ndarray) -> None:
        self.values = values
        self.hashes = np.array([f"{row:016}" for row in range(len(values))])

    def vectors(self) -> np.ndarray:
        return self.values
