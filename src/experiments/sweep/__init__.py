"""Sweeps: the parent run of all jobs, the report over them, and how an interrupted sweep is resumed."""

from experiments.sweep.jobs import run_job
from experiments.sweep.parent import Sweep

__all__ = ["Sweep", "run_job"]
