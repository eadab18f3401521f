"""One page to read a run: what was run, how good it is, what the clusters hold, and every table."""

from experiments.report.contents import Contents
from experiments.report.page import page
from experiments.report.run import NAME, contents, write
from experiments.report.sweep import BestJob, write_sweep

__all__ = ["NAME", "BestJob", "Contents", "contents", "page", "write", "write_sweep"]
