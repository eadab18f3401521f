"""What belongs to all jobs of one multirun: their parent run, what is said over them, going on with them."""

from experiments.sweep.jobs import run_job
from experiments.sweep.parent import Sweep

__all__ = ["Sweep", "run_job"]
