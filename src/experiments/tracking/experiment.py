"""Open the MLflow experiment of a data set, and describe it on its page."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from experiments.config.plan import Tracking
from experiments.tracking import pages
from experiments.tracking.server import check_reachable, client_of, create_store_once, reason, sqlite_path
from experiments.tracking.tracker import Tracker

log = logging.getLogger(__name__)

KIND = {"mlflow.experimentKind": "custom_model_development"}  # otherwise MLflow may show chat-model pages


@cache
def connect(tracking: Tracking, name: str) -> Tracker:
    """Open or create an experiment; raise ConnectionError if the server does not answer within seconds."""
    return _connect(tracking, name, _open_or_create)


def probe(tracking: Tracking, name: str) -> Tracker:
    """Open an experiment like `connect`, but do not create it: its id is "" if it does not exist."""
    return _connect(tracking, name, _experiment_id)


def _connect(tracking: Tracking, name: str, experiment: Callable[[Any, Tracking, str], str]) -> Tracker:
    check_reachable(tracking.uri)
    from mlflow.exceptions import MlflowException

    try:
        with create_store_once(tracking.uri):
            experiment_id = experiment(client_of(tracking.uri), tracking, tracking.experiment or name)
    except ImportError as error:
        raise ConnectionError(
            f"tracking.uri={tracking.uri} needs its database's driver ({error}); for postgresql: "
            'pip install "psycopg[binary]"'
        ) from error
    except MlflowException as error:
        raise ConnectionError(
            f"tracking.uri={tracking.uri} cannot be used: {reason(error)}; use a server's address or "
            "sqlite:///<file>"
        ) from error
    return Tracker(tracking.uri, experiment_id)


def _find_active(client: Any, name: str) -> Any:
    """Return MLflow's experiment, None if it does not exist; raise ValueError if it was deleted."""
    experiment = client.get_experiment_by_name(name)
    if experiment is not None and experiment.lifecycle_stage != "active":
        raise ValueError(f"tracking.experiment={name} was deleted; restore it in the UI, or set another name")
    return experiment


def _experiment_id(client: Any, tracking: Tracking, name: str) -> str:
    experiment = _find_active(client, name)
    return "" if experiment is None else str(experiment.experiment_id)


def _open_or_create(client: Any, tracking: Tracking, name: str) -> str:
    experiment = _find_active(client, name)
    if experiment is None:
        location = _artifacts(tracking.uri)
        experiment_id, known = str(client.create_experiment(name, artifact_location=location, tags=KIND)), {}
    else:
        experiment_id, known = str(experiment.experiment_id), experiment.tags
    _describe(client, experiment_id, known, pages.swept_in(known))
    return experiment_id


def show_swept(tracker: Tracker, keys: Iterable[str]) -> None:
    """Make a sweep's swept settings the first columns of the experiment's view."""
    from mlflow.exceptions import MlflowException

    try:
        known = tracker.client.get_experiment(tracker.experiment_id).tags
        columns = [*map(pages.column, keys), *pages.swept_in(known)]
        _describe(
            tracker.client, tracker.experiment_id, known, list(dict.fromkeys(columns))[: pages.SWEPT_COLUMNS]
        )
    except (MlflowException, OSError) as error:  # the view keeps its columns
        log.debug("tracking.uri=%s refused the columns of a view (%s)", tracker.uri, reason(error))


def _describe(client: Any, experiment_id: str, known: Mapping[str, str], swept: Sequence[str]) -> None:
    """Set the experiment's description and saved views; but do not replace a user's description."""
    for tag, text in pages.tags(experiment_id, swept).items():
        if tag not in known or _is_outdated_view(tag, known[tag], text):
            client.set_experiment_tag(experiment_id, tag, text)


def _is_outdated_view(tag: str, known: str, text: str) -> bool:
    """Return True if a saved view differs from the current one, apart from the time of saving."""
    return tag.startswith(pages.VIEW_TAG) and pages.state_of(known) != pages.state_of(text)


def _artifacts(uri: str) -> str | None:
    path = sqlite_path(uri)
    return (path.parent / "artifacts").as_uri() if path else None
