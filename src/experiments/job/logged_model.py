"""Which runs record their model: each its own, or the best job of a sweep alone."""

import shutil
from pathlib import Path

from experiments import tracking
from experiments.config.plan import Plan
from experiments.job import run_folder
from experiments.job.model import ABOUT, Model
from experiments.pipeline import Result

FOLDER = "model"  # below a job's: what is recorded; the values themselves are below its data/


def keep(result: Result, dtype: str, plan: Plan, folder: Path, run: tracking.Run, *, alone: bool) -> None:
    """Record the model of a job that runs alone, or of each if tracking.log_model=all.

    A sweep makes that of its best job from the store. What the store does not hold it could not make, so such
    a job leaves its model in its folder.
    """
    wanted, now = plan.tracking.log_model, records(plan, alone=alone)
    if now or (wanted == "best" and (not plan.cache.enabled or result.encoder.stopped)):
        record(Model.of(result, dtype), folder, run if now else None)


def records(plan: Plan, *, alone: bool) -> bool:
    """Tell whether a job records its model when it ends."""
    wanted = plan.tracking.log_model
    return wanted == "all" or (wanted == "best" and alone)


def check_place(folder: Path, plan: Plan) -> None:
    """Raise ValueError if a job's folder holds something else where its model is to go: it stays as it is."""
    place = folder / FOLDER
    earlier = (place / "data" / ABOUT).exists()
    empty = not place.exists() or (place.is_dir() and not any(place.iterdir()))
    if plan.tracking.log_model != "none" and not earlier and not empty:
        raise ValueError(
            f"{place.absolute()} is no model of an earlier run, so it is not replaced; move it away, or set "
            "hydra.run.dir=<a folder of its own>, or tracking.log_model=none"
        )


def record(model: Model, folder: Path, run: tracking.Run | None) -> None:
    """Write a model into a job's folder, and record it with a run that is recorded itself."""
    place = folder / FOLDER
    if (place / "data" / ABOUT).exists():  # of an earlier run in the same folder
        shutil.rmtree(place)
    model.save(place / "data")
    send(model, folder, run)


def send(model: Model, folder: Path, run: tracking.Run | None) -> None:
    """Record the model that a job's folder holds with a run that is recorded itself."""
    place = folder / FOLDER
    if run is not None and run.id:
        run.model(place, model.columns)
    run_folder.add(folder, (f"{FOLDER}/{name}" for name in run_folder.files_below(place)), mine=True)
