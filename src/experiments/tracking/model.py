"""A run's MLflow model: its files, and on its page what the run's has."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.config import commands
from experiments.tracking.pages import NOTE, run_page
from experiments.tracking.server import ask

NAME = "model"  # what a run's model is called: runs:/<run id>/model finds it
MADE_OF = ("dataset", "backbone", "reducer", "cluster", "seed", "protocol")  # whose settings are its own
BATCH = 1000  # MLflow's limit


def log_model(client: Any, uri: str, run_id: str, folder: Path, columns: Mapping[str, Any]) -> None:
    """Record a folder, whose `data` experiments.job.model reads, as the run's model.

    Parameters
    ----------
    uri
        The store that the client is of.
    columns
        MLflow's types by name of its `inputs` and `outputs`, and the values of its `params`.
    """
    import mlflow.pyfunc
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
    from mlflow.types.schema import Array

    run = client.get_run(run_id)
    made = client.create_logged_model(
        run.info.experiment_id, NAME, run_id, tags={NOTE: _note(run, uri)}, params=_settings(run.data.params)
    )
    kinds = {"vector": Array("float")}  # the one column that is no scalar
    inputs, outputs = (
        Schema([ColSpec(kinds.get(name, kind), name) for name, kind in columns[side].items()])
        for side in ("inputs", "outputs")
    )
    params = ParamSchema([ParamSpec(name, "double", value) for name, value in columns["params"].items()])
    described = Model(
        made.artifact_location,
        run_id,
        signature=ModelSignature(inputs, outputs, params),
        model_uuid=made.model_id,
        model_id=made.model_id,
    )
    mlflow.pyfunc.add_to_model(described, loader_module="experiments.job.model", data="data")
    described.save(str(folder / "MLmodel"))
    client.log_model_artifacts(made.model_id, str(folder))
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, 0)])
    _link_metrics(client, run, made.model_id)
    client.finalize_logged_model(made.model_id, "READY")


def _note(run: Any, uri: str) -> str:
    link = run_page(run.info.experiment_id, run.info.run_id)
    return (
        f"Assigns images to the clusters of [{run.info.run_name}]({link}), without fitting them again.\n\n"
        f"`{commands.script_command('assign.py', run.info.run_id, '<new images>', uri=uri)}`"
    )


def _settings(params: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in params.items() if name.partition(".")[0] in MADE_OF}


def _link_metrics(client: Any, run: Any, model_id: str) -> None:
    """Show the run's figures on the model's page: MLflow keeps one of the same time and value once."""
    from mlflow.entities import Metric

    inputs = run.inputs.dataset_inputs if run.inputs else []
    data = (inputs[0].dataset.name, inputs[0].dataset.digest) if inputs else (None, None)
    metrics = [
        Metric(each.key, each.value, each.timestamp, each.step, model_id, *data)
        for each in run.data.to_proto().metrics  # with their times, which run.data.metrics leaves out
        if not math.isnan(each.value)  # which MLflow would keep as 0
    ]
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run.info.run_id, metrics=metrics[start : start + BATCH])


def has_model(uri: str, experiment_id: str, run_id: str) -> bool:
    """Tell whether a run's model is recorded whole."""
    query = f"source_run_id = '{run_id}'"
    found = ask(uri, lambda client: client.search_logged_models([experiment_id], query))
    return any(str(model.status) == "READY" for model in found)


def model_folder(uri: str, model_id: str) -> Path:
    """Return a folder that holds what was recorded as this model: the store's own where it is a folder."""

    def download(client: Any) -> Path:
        import mlflow.artifacts

        place = client.get_logged_model(model_id).artifact_location  # models:/ would ask the default store
        return Path(mlflow.artifacts.download_artifacts(place, tracking_uri=uri))

    return ask(uri, download)
