"""Record models in MLflow: of single runs, of all jobs of a sweep, or only of its best job."""

import shutil
from pathlib import Path

from experiments import tracking
from experiments.config.plan import Plan
from experiments.job import run_folder
from experiments.job.model import ABOUT, Model
from experiments.pipeline import Result

FOLDER = "model"  # the model's folder in a job's folder; its values are in data/


def record_if_due(
    result: Result, dtype: str, plan: Plan, folder: Path, run: tracking.Run, *, single: bool
) -> None:
    """Record the model of a single run, or of every job if tracking.log_model=all.

    A sweep builds the model of its best job from the cache. A job whose results are not cached writes its
    model into its folder instead.
    """
    choice, now = plan.tracking.log_model, is_recorded_now(plan, single=single)
    if now or (choice == "best" and (not plan.cache.enabled or result.encoder.stopped)):
        write_and_record(Model.of(result, dtype), folder, run if now else None)


def is_recorded_now(plan: Plan, *, single: bool) -> bool:
    """Return True if a job records its model when it ends; `single` for a run outside a sweep."""
    choice = plan.tracking.log_model
    return choice == "all" or (choice == "best" and single)


def check_folder(folder: Path, plan: Plan) -> None:
    """Raise ValueError if the model's folder has files that are not a model of an earlier run."""
    path = folder / FOLDER
    earlier = (path / "data" / ABOUT).exists()
    empty = not path.exists() or (path.is_dir() and not any(path.iterdir()))
    if plan.tracking.log_model != "none" and not earlier and not empty:
        raise ValueError(
            f"{path.absolute()} is not the model of an earlier run, so it is not replaced; move it, or use "
            "hydra.run.dir=<a new folder>, or tracking.log_model=none"
        )


def write_and_record(model: Model, folder: Path, run: tracking.Run | None) -> None:
    """Write a model into a job's folder, and record it in the job's MLflow run if there is one."""
    path = folder / FOLDER
    if (path / "data" / ABOUT).exists():  # of an earlier run in the same folder
        shutil.rmtree(path)
    model.save(path / "data")
    record_written(model, folder, run)


def record_written(model: Model, folder: Path, run: tracking.Run | None) -> None:
    """Record the model in a job's folder in the job's MLflow run if there is one."""
    path = folder / FOLDER
    if run is not None and run.id:
        run.model(path, model.columns)
    run_folder.list_files(folder, (f"{FOLDER}/{name}" for name in run_folder.files_below(path)), mine=True)
