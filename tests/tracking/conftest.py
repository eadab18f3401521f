"""One store for what is recorded here."""

import pytest

from experiments import tracking
from experiments.config.build import Tracking


@pytest.fixture(scope="module")
def tracker(tmp_path_factory: pytest.TempPathFactory) -> tracking.Tracker:
    place = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    return tracking.connect(Tracking(f"sqlite:///{place}"), "trials")
