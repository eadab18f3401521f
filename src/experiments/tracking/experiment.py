"""Open the experiment of a data set, and say on its page how to read it."""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from experiments.config.plan import Tracking
from experiments.tracking import pages
from experiments.tracking.server import client_of, first_alone, reach, reason, sqlite_path
from experiments.tracking.tracker import Tracker

KIND = {"mlflow.experimentKind": "custom_model_development"}  # not one of chat models


@cache
def connect(tracking: Tracking, name: str) -> Tracker:
    """Open the store or server, and the experiment; raise ConnectionError within seconds of silence."""
    reach(tracking.uri)
    from mlflow.exceptions import MlflowException

    try:
        with first_alone(tracking.uri):
            experiment_id = _open(client_of(tracking.uri), tracking, tracking.experiment or name)
    except ImportError as error:
        raise ConnectionError(
            f"tracking.uri={tracking.uri} needs its database's driver ({error}); for postgresql: "
            'pip install "psycopg[binary]"'
        ) from error
    except MlflowException as error:
        raise ConnectionError(
            f"tracking.uri={tracking.uri} cannot be used: {reason(error)}; give a server's address or "
            "sqlite:///<file>"
        ) from error
    return Tracker(tracking.uri, experiment_id)


def _open(client: Any, tracking: Tracking, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        place = _artifacts(tracking.uri)
        experiment_id, known = str(client.create_experiment(name, artifact_location=place, tags=KIND)), {}
    elif found.lifecycle_stage != "active":
        raise ValueError(f"tracking.experiment={name} was deleted; restore it in the UI, or set another name")
    else:
        experiment_id, known = str(found.experiment_id), found.tags
    for tag, text in pages.tags(experiment_id).items():
        if tag not in known or _is_older(tag, known[tag], text):  # what a person wrote stays
            client.set_experiment_tag(experiment_id, tag, text)
    return experiment_id


def _is_older(tag: str, known: str, text: str) -> bool:
    """Tell a saved view of ours that shows other than today's; when it was saved does not matter."""
    if tag != pages.VIEW_TAG:
        return False
    try:
        then: Any = json.loads(known)
    except ValueError:  # it is no view, so nothing of a person's is lost
        return True
    return not isinstance(then, Mapping) or then.get("state") != json.loads(text)["state"]


def _artifacts(uri: str) -> str | None:
    path = sqlite_path(uri)
    return (path.parent / "artifacts").as_uri() if path else None
