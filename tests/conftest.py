"""What several tests share: a store in a temporary folder and a context that uses it."""

from pathlib import Path

import pytest

from experiments.cache import Store
from experiments.types import Context


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


@pytest.fixture
def ctx(store: Store) -> Context:
    return Context.plain(store)
