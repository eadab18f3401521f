"""A job that Hydra composed has its share of the threads."""

from types import SimpleNamespace
from typing import Any

import pytest

from experiments.config import compose
from experiments.config.invocation import Invocation
from experiments.job import composed
from experiments.job.perform import Job


@pytest.mark.parametrize(("typed", "given", "expected"), [("auto", 64, 64), (3, 64, 3), ("auto", 0, "auto")])
def test_a_job_has_its_share_of_the_threads(
    typed: Any, given: int, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work = SimpleNamespace(runtime=SimpleNamespace(choices={}), job=SimpleNamespace(chdir=False))
    monkeypatch.setattr(composed.HydraConfig, "get", lambda: at_work)
    cfg = compose.compose_config([f"threads={typed}"])
    plan = composed.build_plan(cfg, Job(), Invocation(threads=given))
    assert plan.settings.threads == plan.cfg.threads == expected
