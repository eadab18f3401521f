"""Record runs in MLflow: one run per job, all jobs of a data set in one experiment.

Nobody else imports mlflow.
"""

import json
import logging
import os
import platform
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from filelock import FileLock

from experiments.compose import ROOT
from experiments.config import Tracking
from experiments.types import Samples

log = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 5
LIBRARIES = (
    "experiments",
    "faiss-cpu",
    "faiss-gpu",
    "mlflow",
    "numpy",
    "pytorch-lightning",
    "scikit-learn",
    "torch",
    "torchvision",
)
KIND = {"mlflow.experimentKind": "custom_model_development"}  # or the UI opens on its pages for chat models
PARAMETER_LIMIT = 6000  # characters, MLflow's own, as the next
TAG_LIMIT = 8000


class Tracker:
    """One experiment on one tracking server or store."""

    def __init__(self, client: Any, uri: str, experiment_id: str) -> None:
        self.client = client
        self.uri = uri
        self.experiment_id = experiment_id

    @contextmanager
    def run(
        self, name: str, folder: Path, *, params: Mapping[str, Any], tags: Mapping[str, str], parent: str = ""
    ) -> Iterator["Run"]:
        """Open a run that ends FINISHED, FAILED with the error as a tag, or KILLED by an interruption."""
        family = {"mlflow.parentRunId": parent} if parent else {}
        everything = {**environment(), **tags, **family}
        created = self.client.create_run(self.experiment_id, run_name=name, tags=everything)
        run = Run(self, created.info.run_id, folder)
        run.log(params=params)
        try:
            yield run
        except Exception as error:
            run.end("FAILED", str(error) or type(error).__name__)
            raise
        except BaseException:
            run.end("KILLED", "interrupted")
            raise
        run.end("FINISHED")

    def end_the_dead(self) -> int:
        """Mark this host's running runs whose process is gone as KILLED; return how many."""
        experiments = [found.experiment_id for found in self.client.search_experiments()]
        query = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
        dead = [run for run in self.client.search_runs(experiments, query) if not _alive(run.data.tags)]
        for run in dead:
            self.client.set_terminated(run.info.run_id, "KILLED")
        if dead:
            log.info("marked %d earlier runs as KILLED: their process is gone", len(dead))
        return len(dead)


class Run:
    """One run being recorded. When the server stops answering it says so once, and where the results are."""

    def __init__(self, tracker: Tracker, run_id: str, folder: Path) -> None:
        self.id = run_id
        self.lost = ""
        self._client = tracker.client
        self._uri = tracker.uri
        self._folder = folder
        self._steps: set[int] = set()

    def log(
        self,
        *,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        step: int = 0,
    ) -> None:
        """Record figures, parameters and tags in one call."""
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        self._tell(
            lambda: self._client.log_batch(
                self.id,
                [Metric(key, float(value), now, step) for key, value in (metrics or {}).items()],
                [Param(key, str(value)[:PARAMETER_LIMIT]) for key, value in (params or {}).items()],
                [RunTag(key, value) for key, value in (tags or {}).items()],
            )
        )

    def epoch(self, step: int, values: Mapping[str, float]) -> None:
        """Record the figures of one epoch as they happen."""
        self._steps.add(step)
        self.log(metrics=values, step=step)

    def history(self, rows: Iterable[Mapping[str, float]]) -> None:
        """Record the epochs of a training that happened before this run."""
        for step, row in enumerate(rows, start=1):
            if step not in self._steps:
                self.epoch(step, row)

    def dataset(self, samples: Samples) -> None:
        """Record the data set as the run's input."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        shape = {"rows": len(samples), "classes": len(samples.class_names), "skipped": len(samples.skipped)}
        source = json.dumps({"path": samples.source})
        described = Dataset(samples.name[:500], samples.key, "local", source, profile=json.dumps(shape))
        entry = DatasetInput(described, [InputTag("mlflow.data.context", "clustering")])
        self._tell(lambda: self._client.log_inputs(self.id, [entry]))

    def describe(self, markdown: str) -> None:
        """Put a text at the top of the run's page."""
        self.log(tags={"mlflow.note.content": markdown[:TAG_LIMIT]})

    def artifacts(self) -> None:
        """Copy the run's folder to the record."""
        self._tell(lambda: self._client.log_artifacts(self.id, str(self._folder)))

    def artifact(self, path: Path) -> None:
        """Copy one file to the record, to the same place as below the run's folder."""
        place = path.parent.relative_to(self._folder).as_posix()
        self._tell(lambda: self._client.log_artifact(self.id, str(path), None if place == "." else place))

    def end(self, status: str, error: str = "") -> None:
        """End the run; an error stands in its tag."""
        if error:
            self.log(tags={"error": error})
        self._tell(lambda: self._client.set_terminated(self.id, status))

    def _tell(self, call: Callable[[], Any]) -> None:
        from mlflow.exceptions import MlflowException

        if self.lost:
            return
        try:
            call()
        except (MlflowException, OSError) as error:
            self.lost = f"tracking.uri={self._uri} stopped answering ({_first_line(error)})"
            log.error("%s; the results are kept in %s", self.lost, self._folder)


@cache
def connect(tracking: Tracking, name: str) -> Tracker:
    """Open the store or server, and the experiment; raise ConnectionError within seconds of silence."""
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(2 * SECONDS_TO_ANSWER))
    _reach(tracking.uri)
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    for chatty in ("mlflow", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        with _first_alone(tracking.uri):
            client = MlflowClient(tracking.uri)
            experiment_id = _experiment(client, tracking, tracking.experiment or name)
    except MlflowException as error:
        raise ConnectionError(
            f"tracking.uri={tracking.uri} cannot be used: {_first_line(error)}; give a server's address or "
            "sqlite:///<file>"
        ) from error
    return Tracker(client, tracking.uri, experiment_id)


def _experiment(client: Any, tracking: Tracking, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        place = _artifacts(tracking.uri)
        return str(client.create_experiment(name, artifact_location=place, tags=KIND))
    if found.lifecycle_stage != "active":
        raise ValueError(f"tracking.experiment={name} was deleted; restore it in the UI, or set another name")
    return str(found.experiment_id)


def _reach(uri: str) -> None:
    parts = urlsplit(uri)
    if parts.scheme not in ("http", "https"):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), SECONDS_TO_ANSWER).close()
    except OSError as error:
        raise ConnectionError(
            f"tracking.uri={uri} does not answer ({error}); start that server, or leave tracking.uri out to "
            "record in mlflow/mlflow.db"
        ) from error


@contextmanager
def _first_alone(uri: str) -> Iterator[None]:
    """Let one process at a time create a fresh SQLite store: all but one would die."""
    path = _sqlite_path(uri)
    if path is None:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        yield


def _sqlite_path(uri: str) -> Path | None:
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def _artifacts(uri: str) -> str | None:
    path = _sqlite_path(uri)
    return (path.parent / "artifacts").as_uri() if path else None


@cache
def environment() -> dict[str, str]:
    """Return what a result may depend on beside its config, as tags."""
    return {
        **_git(),
        "host": socket.gethostname(),
        "process": _process(os.getpid()),
        "python": platform.python_version(),
        "mlflow.source.name": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        **{f"version.{name}": found for name in LIBRARIES if (found := _version(name))},
    }


def _git() -> dict[str, str]:
    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit = ask("rev-parse", "HEAD")
    if commit is None:
        return {"git.commit": "none", "git.dirty": "unknown"}
    return {"git.commit": commit, "git.dirty": str(bool(ask("status", "--porcelain"))).lower()}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _process(pid: int) -> str:
    """Name a process so that a later one with the same number is another."""
    return f"{pid}@{psutil.Process(pid).create_time():.0f}"


def _alive(tags: Mapping[str, str]) -> bool:
    named = tags.get("process", "")
    try:
        return _process(int(named.partition("@")[0])) == named
    except (ValueError, psutil.NoSuchProcess):
        return False


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
