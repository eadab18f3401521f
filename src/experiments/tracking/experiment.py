"""Open the experiment of a data set, and say on its page how to read it."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from experiments.config.plan import Tracking
from experiments.tracking import pages
from experiments.tracking.server import client_of, first_alone, reach, reason, sqlite_path
from experiments.tracking.tracker import Tracker

log = logging.getLogger(__name__)

KIND = {"mlflow.experimentKind": "custom_model_development"}  # not one of chat models


@cache
def connect(tracking: Tracking, name: str) -> Tracker:
    """Open the store or server, and the experiment; raise ConnectionError within seconds of silence."""
    return _connect(tracking, name, _open)


def probe(tracking: Tracking, name: str) -> Tracker:
    """Open the store or server as `connect` does; the experiment's id is "" while there is none."""
    return _connect(tracking, name, _known)


def _connect(tracking: Tracking, name: str, experiment: Callable[[Any, Tracking, str], str]) -> Tracker:
    reach(tracking.uri)
    from mlflow.exceptions import MlflowException

    try:
        with first_alone(tracking.uri):
            experiment_id = experiment(client_of(tracking.uri), tracking, tracking.experiment or name)
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


def _find(client: Any, name: str) -> Any:
    """Return MLflow's record of an experiment, None if there is none; raise ValueError if it was deleted."""
    experiment = client.get_experiment_by_name(name)
    if experiment is not None and experiment.lifecycle_stage != "active":
        raise ValueError(f"tracking.experiment={name} was deleted; restore it in the UI, or set another name")
    return experiment


def _known(client: Any, tracking: Tracking, name: str) -> str:
    experiment = _find(client, name)
    return "" if experiment is None else str(experiment.experiment_id)


def _open(client: Any, tracking: Tracking, name: str) -> str:
    experiment = _find(client, name)
    if experiment is None:
        location = _artifacts(tracking.uri)
        experiment_id, known = str(client.create_experiment(name, artifact_location=location, tags=KIND)), {}
    else:
        experiment_id, known = str(experiment.experiment_id), experiment.tags
    _describe(client, experiment_id, known, pages.swept_in(known))
    return experiment_id


def show_swept(tracker: Tracker, keys: Iterable[str]) -> None:
    """Put the settings that a sweep's jobs differ in first among the columns of the experiment's view."""
    from mlflow.exceptions import MlflowException

    try:
        known = tracker.client.get_experiment(tracker.experiment_id).tags
        columns = [*map(pages.column, keys), *pages.swept_in(known)]
        _describe(tracker.client, tracker.experiment_id, known, list(dict.fromkeys(columns))[: pages.MOST])
    except (MlflowException, OSError) as error:  # the view is as it was
        log.debug("tracking.uri=%s refused the columns of a view (%s)", tracker.uri, reason(error))


def _describe(client: Any, experiment_id: str, known: Mapping[str, str], swept: Sequence[str]) -> None:
    """Set the tags that say how to read an experiment; what a person wrote stays."""
    for tag, text in pages.tags(experiment_id, swept).items():
        if tag not in known or _is_older(tag, known[tag], text):
            client.set_experiment_tag(experiment_id, tag, text)


def _is_older(tag: str, known: str, text: str) -> bool:
    """Return whether a saved view is of ours and shows other than today's; when it was saved is no matter."""
    return tag.startswith(pages.VIEW_TAG) and pages.state_of(known) != pages.state_of(text)


def _artifacts(uri: str) -> str | None:
    path = sqlite_path(uri)
    return (path.parent / "artifacts").as_uri() if path else None
