"""Tracking stores and servers: MLflow's client, whether a server answers, and reasons of failures."""

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

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when MLflow is imported


@cache
def client_of(uri: str) -> Any:
    """Return MLflow's client for a store or server."""
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(2 * SECONDS_TO_ANSWER))
    from mlflow.tracking import MlflowClient

    levels = {
        "mlflow": "WARNING",
        "mlflow.store.db.utils": "CRITICAL",
        "alembic": "WARNING",
        "urllib3": "ERROR",
    }
    for name, level in levels.items():  # their errors are raised and reported in one line
        logging.getLogger(name).setLevel(level)
    from sqlalchemy.exc import DBAPIError

    try:
        return MlflowClient(uri)
    except DBAPIError as error:  # raised by MLflow for a file that is no database
        raise ConnectionError(
            f"tracking.uri={uri} cannot be used: {error.orig}; use a server's address or sqlite:///<file>"
        ) from error


class Experiment:
    """An MLflow experiment in a tracking store."""

    def __init__(self, uri: str, experiment_id: str) -> None:
        self.uri = uri
        self.experiment_id = experiment_id

    @cached_property
    def client(self) -> Any:
        """MLflow's client."""
        return client_of(self.uri)


def query(uri: str, call: Callable[[Any], T]) -> T:
    """Return the result of a call to MLflow's client.

    Raises
    ------
    LookupError
        The store refuses the call, such as for an unknown run.
    ConnectionError
        The store does not exist or does not answer.
    """
    path = sqlite_path(uri)
    if path is not None and not path.exists():  # MLflow would create it
        raise ConnectionError(
            f"tracking.uri={uri} does not exist; set the store that the run was recorded in"
        )
    check_reachable(uri)
    from mlflow.exceptions import MlflowException

    try:
        client = client_of(uri)
    except MlflowException as error:  # the URI is no store, such as a folder
        raise ConnectionError(
            f"tracking.uri={uri} cannot be used: {reason(error)}; use a server's address or sqlite:///<file>"
        ) from error
    try:
        return call(client)
    except (MlflowException, OSError) as error:
        if is_refusal(error):
            raise LookupError(reason(error)) from error
        raise ConnectionError(
            f"tracking.uri={uri} cannot be used: {reason(error)}; use a store that answers"
        ) from error


def all_pages(search: Callable[..., Any], *words: Any, **named: Any) -> Iterator[Any]:
    """Yield all results of a search of MLflow's client, page by page."""
    token = None
    while True:
        page = search(*words, page_token=token, **named)
        yield from page
        token = page.token
        if not token:
            return


def check_reachable(uri: str, seconds: float = SECONDS_TO_ANSWER) -> None:
    """Raise ConnectionError if a server does not answer within seconds."""
    if not uri.startswith(("http://", "https://")):
        return
    import requests  # the library that MLflow's client uses

    address = f"{uri.rstrip('/')}/health"
    try:
        requests.get(address, timeout=seconds, allow_redirects=False, stream=True).close()
    except requests.exceptions.SSLError:
        return  # it answers; MLflow's own variables configure its certificates
    except OSError as error:
        raise ConnectionError(
            f"tracking.uri={uri} does not answer ({reason(error)}); start that server, or leave "
            "tracking.uri out to record in mlflow/mlflow.db"
        ) from error


@contextmanager
def create_store_once(uri: str) -> Iterator[None]:
    """Let one process at a time create a new SQLite store, as MLflow fails if several do."""
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
            f"tracking.uri={uri} cannot be written ({error.strerror}); use tracking.uri="
            "sqlite:///<a writable file>, or a server's address"
        ) from error
    try:
        if not path.exists():
            _create(path)
        yield
    finally:
        lock.release()


def _create(path: Path) -> None:
    """Create a SQLite store under a partial name and rename it when complete, as MLflow cannot repair it."""
    partial = path.with_name(f"{path.name}.partial")
    for leftover in (partial, partial.with_name(f"{partial.name}-journal")):
        leftover.unlink(missing_ok=True)  # left by a killed process
    client_of(f"{SQLITE}{partial}").search_experiments(max_results=1)
    partial.replace(path)


def sqlite_path(uri: str) -> Path | None:
    """Return the file of a SQLite store, without options such as `?timeout=60`; None for other stores."""
    return Path(uri.removeprefix(SQLITE).partition("?")[0]) if uri.startswith(SQLITE) else None


def is_refusal(error: Exception) -> bool:
    """Return True if the server answered that a request is wrong, False if it did not answer."""
    from mlflow.exceptions import MlflowException

    if not isinstance(error, MlflowException):
        return False
    status: int = error.get_http_status_code()  # type: ignore[no-untyped-call]
    return 400 <= status < 500


def reason(error: BaseException) -> str:
    """Return the reason of an error in one line: the innermost system error's, if there is one."""
    inner: BaseException | None = error
    why = error
    while inner is not None:
        why = inner if isinstance(inner, (OSError, sqlite3.Error)) else why
        inner = inner.__cause__ or inner.__context__
    return (str(why).splitlines() or [type(why).__name__])[0][:REASON_LIMIT]
