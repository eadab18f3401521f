"""HTML reports: a run or sweep on one page, with its metrics, clusters and tables."""

from experiments.report.contents import Contents
from experiments.report.run_page import report_page
from experiments.report.run_report import REPORT_FILE, gather_contents, write_report
from experiments.report.sweep_report import BestJob, SweepContents, write_sweep_report

__all__ = [
    "REPORT_FILE",
    "BestJob",
    "Contents",
    "SweepContents",
    "gather_contents",
    "report_page",
    "write_report",
    "write_sweep_report",
]
