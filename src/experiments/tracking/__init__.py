"""Record runs in MLflow: one run per job, all jobs of a data set in one experiment.

Nobody else imports mlflow.
"""

from experiments.tracking.experiment import connect, probe, show_swept
from experiments.tracking.living import is_alive
from experiments.tracking.model import model_folder
from experiments.tracking.pages import figures_page
from experiments.tracking.run import SOURCE, TAG_LIMIT, Run
from experiments.tracking.server import all_pages, ask
from experiments.tracking.tracker import BEST, Parent, Tracker, join

__all__ = [
    "BEST",
    "SOURCE",
    "TAG_LIMIT",
    "Parent",
    "Run",
    "Tracker",
    "all_pages",
    "ask",
    "connect",
    "figures_page",
    "is_alive",
    "join",
    "model_folder",
    "probe",
    "show_swept",
]
