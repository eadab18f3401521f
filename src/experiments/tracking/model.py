"""A run's MLflow model: its files, its signature, and the run's settings and metrics on its page."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.config import commands
from experiments.tracking.pages import NOTE, run_page
from experiments.tracking.server import query

NAME = "model"  # of a run's model: runs:/<run id>/model finds it
STAGE_SETTINGS = ("dataset", "backbone", "reducer", "cluster", "seed", "protocol")  # the model's parameters
BATCH = 1000  # MLflow's limit


def log_model(client: Any, uri: str, run_id: str, folder: Path, columns: Mapping[str, Any]) -> None:
    """Record a folder as the run's model; experiments.job.model loads its subfolder `data`.

    Parameters
    ----------
    uri
        The client's tracking URI.
    columns
        `inputs` and `outputs`: MLflow types by column name; `params`: default values by name.
    """
    import mlflow.pyfunc
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array

    run = client.get_run(run_id)
    model = client.create_logged_model(
        run.info.experiment_id, NAME, run_id, tags={NOTE: _note(run, uri)}, params=_settings(run.data.params)
    )
    kinds = {"vector": Array("float")}  # the only column that is not a scalar
    inputs, outputs = (
        Schema([ColSpec(kinds.get(name, kind), name) for name, kind in columns[side].items()])
        for side in ("inputs", "outputs")
    )
    params = ParamSchema([ParamSpec(name, "double", value) for name, value in columns["params"].items()])
    mlmodel = Model(
        model.artifact_location,
        run_id,
        signature=ModelSignature(inputs, outputs, params),
        model_uuid=model.model_id,
        model_id=model.model_id,
    )
    mlflow.pyfunc.add_to_model(mlmodel, loader_module="experiments.job.model", data="data")
    mlmodel.save(str(folder / "MLmodel"))
    client.log_model_artifacts(model.model_id, str(folder))
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
    _link_metrics(client, run, model.model_id)
    client.finalize_logged_model(model.model_id, "READY")


def _note(run: Any, uri: str) -> str:
    link = run_page(run.info.experiment_id, run.info.run_id)
    return (
        f"Assigns new images to the clusters of [{run.info.run_name}]({link}) without fitting again.\n\n"
        f"`{commands.script_command('assign.py', run.info.run_id, '<new images>', uri=uri)}`"
    )


def _settings(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name.partition(".")[0] in STAGE_SETTINGS}


def _link_metrics(client: Any, run: Any, model_id: str) -> None:
    """Show the run's metrics on the model's page; MLflow stores equal time and value only once."""
    from mlflow.entities import Metric

    inputs = run.inputs.dataset_inputs if run.inputs else []
    data = (inputs[0].dataset.name, inputs[0].dataset.digest) if inputs else (None, None)
    metrics = [
        Metric(metric.key, metric.value, metric.timestamp, metric.step, model_id, *data)
        for metric in run.data.to_proto().metrics  # with their times, which run.data.metrics lacks
        if not math.isnan(metric.value)  # MLflow would store nan as 0
    ]
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + BATCH])


def has_model(uri: str, experiment_id: str, run_id: str) -> bool:
    """Return True if a run's model is recorded completely."""
    condition = f"source_run_id = '{run_id}'"
    models = query(uri, lambda client: client.search_logged_models([experiment_id], condition))
    return any(str(model.status) == "READY" for model in models)


def model_folder(uri: str, model_id: str) -> Path:
    """Return a folder with the files of a recorded model, without a copy if the store is local."""

    def download(client: Any) -> Path:
        import mlflow.artifacts

        location = client.get_logged_model(model_id).artifact_location  # models:/ uses the default store
        return Path(mlflow.artifacts.download_artifacts(location, tracking_uri=uri))

    return query(uri, download)
