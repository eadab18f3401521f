"""A tracking store that all tests of this folder share."""

import shutil
from pathlib import Path

import pytest

from experiments import tracking
from experiments.config.plan import Tracking


@pytest.fixture(scope="session")
def tracker(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> tracking.Tracker:
    path = shutil.copy(tables, tmp_path_factory.mktemp("mlflow"))
    return tracking.connect(Tracking(f"sqlite:///{path}"), "trials")
