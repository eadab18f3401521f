"""A store or a server: MLflow's client for it, whether it answers, and why it does not."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

SQLITE = "sqlite:///"
SECONDS_TO_ANSWER = 5
REASON_LIMIT = 200
T = TypeVar("T")

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when MLflow is imported: nobody is told


@cache
def client_of(uri: str) -> Any:
    """Return MLflow's client for a store or server."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(2 * SECONDS_TO_ANSWER))
    from mlflow.tracking import MlflowClient

    quiet = {
        "mlflow": "WARNING",
        "mlflow.store.db.utils": "CRITICAL",
        "alembic": "WARNING",
        "urllib3": "ERROR",
    }
    for chatty, level in quiet.items():  # what a database refuses is raised, and told in one line
        logging.getLogger(chatty).setLevel(level)
    from sqlalchemy.exc import DBAPIError

    try:
        return MlflowClient(uri)
    except DBAPIError as error:  # MLflow lets it through where a file is no database
        raise ConnectionError(
            f"tracking.uri={uri} cannot be used: {error.orig}; give a server's address or sqlite:///<file>"
        ) from error


class Place:
    """One experiment on one tracking server or store."""

    def __init__(self, uri: str, experiment_id: str) -> None:
        self.uri = uri
        self.experiment_id = experiment_id

    @cached_property
    def client(self) -> Any:
        """MLflow's client."""
        return client_of(self.uri)


def ask(uri: str, question: Callable[[Any], T]) -> T:
    """Put a question to MLflow's client; raise LookupError with its words if it has no answer."""
    path = sqlite_path(uri)
    if path is not None and not path.exists():  # or MLflow would make one
        raise ConnectionError(
            f"tracking.uri={uri} does not exist; set the store that the run was recorded in"
        )
    reach(uri)
    from mlflow.exceptions import MlflowException

    try:
        client = client_of(uri)
    except MlflowException as error:  # what it names is no store, such as a folder
        raise ConnectionError(
            f"tracking.uri={uri} cannot be used: {reason(error)}; give a server's address or sqlite:///<file>"
        ) from error
    try:
        return question(client)
    except (MlflowException, OSError) as error:
        if is_refusal(error):
            raise LookupError(reason(error)) from error
        raise ConnectionError(f"tracking.uri={uri} cannot be used: {reason(error)}") from error


def all_pages(search: Callable[..., Any], *words: Any, **named: Any) -> Iterator[Any]:
    """Give everything that a search of MLflow's client finds, page by page."""
    token = None
    while True:
        page = search(*words, page_token=token, **named)
        yield from page
        token = page.token
        if not token:
            return


def reach(uri: str, seconds: float = SECONDS_TO_ANSWER) -> None:
    """Raise ConnectionError within seconds if a server does not answer."""
    if not uri.startswith(("http://", "https://")):
        return
    import requests  # what MLflow's client talks through

    place = f"{uri.rstrip('/')}/health"
    try:
        requests.get(place, timeout=seconds, allow_redirects=False, stream=True).close()
    except requests.exceptions.SSLError:
        return  # it answers; whom to trust is told to MLflow, by its own variables
    except OSError as error:
        raise ConnectionError(
            f"tracking.uri={uri} does not answer ({reason(error)}); start that server, or leave "
            "tracking.uri out to record in mlflow/mlflow.db"
        ) from error


@contextmanager
def first_alone(uri: str) -> Iterator[None]:
    """Let one process at a time create a fresh SQLite store: all but one would die."""
    path = sqlite_path(uri)
    if path is None:
        yield
        return
    lock = FileLock(path.with_suffix(".lock"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except OSError as error:
        raise ConnectionError(
            f"tracking.uri={uri} cannot be written ({error.strerror}); set tracking.uri=sqlite:///<a file "
            "that can be>, or a server's address"
        ) from error
    try:
        if not path.exists():
            _create(path)
        yield
    finally:
        lock.release()


def _create(path: Path) -> None:
    """Make a SQLite store's tables in a file that is named when it is whole: half a store is of no use."""
    partial = path.with_name(f"{path.name}.partial")
    for left in (partial, partial.with_name(f"{partial.name}-journal")):
        left.unlink(missing_ok=True)  # of a process that was killed
    client_of(f"{SQLITE}{partial}").search_experiments(max_results=1)
    partial.replace(path)


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a SQLite store, None for any other; `?timeout=60` and the like are the driver's."""
    return Path(uri.removeprefix(SQLITE).partition("?")[0]) if uri.startswith(SQLITE) else None


def is_refusal(error: Exception) -> bool:
    """Tell an answer, that a request was wrong, from no answer."""
    from mlflow.exceptions import MlflowException

    if not isinstance(error, MlflowException):
        return False
    status: int = error.get_http_status_code()  # type: ignore[no-untyped-call]
    return 400 <= status < 500


def reason(error: BaseException) -> str:
    """Say in one line why: the innermost words of the system, if it spoke, else the error's own."""
    inner: BaseException | None = error
    why = error
    while inner is not None:
        why = inner if isinstance(inner, (OSError, sqlite3.Error)) else why
        inner = inner.__cause__ or inner.__context__
    return (str(why).splitlines() or [type(why).__name__])[0][:REASON_LIMIT]
