"""A started sweep with its own store."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from experiments import sweep
from experiments.config.plan import Cache, Plan, Tracking

JOBS = [[f"cluster.k={k}", "hydra/launcher=joblib"] for k in (10, 20, 30, 40)]


@pytest.fixture
def plan(uri: str, tmp_path: Path) -> Plan:
    parts: dict[str, Any] = {
        "tracking": Tracking(uri, log_model="none"),
        "cache": Cache(str(tmp_path / "cache")),
        "settings": SimpleNamespace(figures="none", report="none", objective="ari"),
        "stages": SimpleNamespace(dataset=SimpleNamespace(display_name="digits"), evaluators={}),
    }
    return SimpleNamespace(**parts)  # type: ignore[return-value]


@pytest.fixture
def begun(plan: Plan, tmp_path: Path) -> sweep.Sweep:
    """Start a sweep of four jobs."""
    return sweep.Sweep(plan, tmp_path / "sweep", ["cluster.k"], JOBS)
