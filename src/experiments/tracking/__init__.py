"""Record runs in MLflow: one run per job, all jobs of a data set in one experiment.

This package contains all of the framework's imports of mlflow.
"""

from experiments.tracking.experiment import connect, probe, show_swept
from experiments.tracking.living import is_alive
from experiments.tracking.model import model_folder
from experiments.tracking.pages import metrics_page
from experiments.tracking.run import SOURCE, TAG_LIMIT, Run
from experiments.tracking.server import all_pages, query
from experiments.tracking.tracker import BEST, Parent, Tracker, tracker_below

__all__ = [
    "BEST",
    "SOURCE",
    "TAG_LIMIT",
    "Parent",
    "Run",
    "Tracker",
    "all_pages",
    "connect",
    "is_alive",
    "metrics_page",
    "model_folder",
    "probe",
    "query",
    "show_swept",
    "tracker_below",
]
