"""A run of typed settings in this process."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.config import compose
from experiments.config.build import build
from experiments.job.perform import Job, Performed, perform


def run_typed(typed: Sequence[str], folder: Path, **job: Any) -> Performed:
    """Run what was typed, with its files in `folder`; raise the error of a job that fails."""
    performed = perform(build(compose.compose_config(typed), typed), folder, Job(typed, **job))
    assert performed.result
    return performed
