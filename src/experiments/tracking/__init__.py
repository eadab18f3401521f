"""Record runs in MLflow: one run per job, all jobs of a data set in one experiment.

Nobody else imports mlflow.
"""

from experiments.tracking.experiment import connect
from experiments.tracking.model import model_folder
from experiments.tracking.pages import figures_page
from experiments.tracking.run import Run
from experiments.tracking.server import ask
from experiments.tracking.tracker import BEST, Parent, Tracker, join

__all__ = ["BEST", "Parent", "Run", "Tracker", "ask", "connect", "figures_page", "join", "model_folder"]
