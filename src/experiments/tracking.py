"""Record runs in MLflow: one run per job, all jobs of a data set in one experiment.

Nobody else imports mlflow.
"""

import json
import logging
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from experiments.config import Tracking
from experiments.environment import environment, is_alive
from experiments.types import Samples

log = logging.getLogger(__name__)

SECONDS_TO_ANSWER = 5
KIND = {"mlflow.experimentKind": "custom_model_development"}  # or the UI opens on its pages for chat models
PARAMETER_LIMIT = 6000  # characters, MLflow's own, as the next
TAG_LIMIT = 8000
REASON_LIMIT = 200
MODEL = "model"  # what a run's model is called
BEST = "best.run_id"  # the tag of a sweep's run that names its best job's
T = TypeVar("T")

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # read when MLflow is imported: nobody is told


@dataclass(frozen=True)
class Parent:
    """The run of a sweep, which the runs of its jobs stand below."""

    uri: str
    experiment_id: str
    run_id: str


class Tracker:
    """One experiment on one tracking server or store; `parent` is the run that new ones stand below."""

    def __init__(self, uri: str, experiment_id: str, parent: str = "") -> None:
        self.uri = uri
        self.experiment_id = experiment_id
        self.parent = parent

    @cached_property
    def client(self) -> Any:
        """MLflow's client."""
        return _client(self.uri)

    @contextmanager
    def run(
        self, name: str, folder: Path, *, params: Mapping[str, Any], tags: Mapping[str, str]
    ) -> Iterator["Run"]:
        """Record a run from beginning to end; without a server it goes on, with `lost` set."""
        try:
            run = self.open(name, folder, params=params, tags=tags)
        except ConnectionError as error:
            run = Run(self, "", folder)
            run.lose(str(error))
        with run:
            yield run

    def open(self, name: str, folder: Path, *, params: Mapping[str, Any], tags: Mapping[str, str]) -> "Run":
        """Begin a run; raise ConnectionError if it cannot be recorded."""
        from mlflow.exceptions import MlflowException

        family = {"mlflow.parentRunId": self.parent} if self.parent else {}
        everything = {**environment(), **tags, **family}
        try:
            created = self.client.create_run(self.experiment_id, run_name=name, tags=everything)
        except (MlflowException, OSError) as error:
            word = "refused a run" if _is_refusal(error) else "stopped answering"
            raise ConnectionError(f"tracking.uri={self.uri} {word} ({_reason(error)})") from error
        run = Run(self, created.info.run_id, folder)
        run.log(params=params)
        return run

    def end_the_dead(self) -> int:
        """Mark this host's running runs whose process is gone as KILLED; return how many."""
        experiments = [found.experiment_id for found in self.client.search_experiments()]
        query = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
        dead = [run for run in self.client.search_runs(experiments, query) if not is_alive(run.data.tags)]
        for run in dead:
            self.client.set_terminated(run.info.run_id, "KILLED")
        if dead:
            log.info("marked %d earlier runs as KILLED: their process is gone", len(dead))
        return len(dead)


class Run:
    """One run being recorded: it ends FINISHED, FAILED with the error as a tag, or KILLED by an interruption.

    When the server stops answering it says so once, and where the results are. A value that the server
    refuses is named, and the rest goes on.
    """

    def __init__(self, tracker: Tracker, run_id: str, folder: Path) -> None:
        self.id = run_id
        self.lost = ""
        self._tracker = tracker
        self._folder = folder
        self._steps: set[int] = set()

    def __enter__(self) -> "Run":
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            self.end("FINISHED")
        elif isinstance(error, Exception):
            self.end("FAILED", str(error) or type(error).__name__)
        else:
            self.end("KILLED", "interrupted")

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
        entries: list[tuple[str, Any]] = [
            *(("metrics", Metric(key, float(value), now, step)) for key, value in (metrics or {}).items()),
            *(("params", Param(key, str(value)[:PARAMETER_LIMIT])) for key, value in (params or {}).items()),
            *(("tags", RunTag(key, value[:TAG_LIMIT])) for key, value in (tags or {}).items()),
        ]
        if self._tell(lambda: self._batch(entries)):  # one refused value keeps the others out as well
            for entry in entries:
                value = f"{entry[1].key}={entry[1].value}"
                self._warn(value[:REASON_LIMIT], self._tell(partial(self._batch, [entry])))

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
        shape |= {"unmatched": len(samples.unmatched), "tags": len(samples.tag_names)}
        source = json.dumps({"path": samples.source})
        described = Dataset(samples.name[:500], samples.key, "local", source, profile=json.dumps(shape))
        entry = DatasetInput(described, [InputTag("mlflow.data.context", "clustering")])
        self._warn("the data set", self._tell(lambda: self._client.log_inputs(self.id, [entry])))

    def describe(self, markdown: str) -> None:
        """Put a text at the top of the run's page."""
        self.log(tags={"mlflow.note.content": markdown})

    def artifacts(self) -> None:
        """Copy the run's folder to the record."""
        self._warn("the files", self._tell(lambda: self._client.log_artifacts(self.id, str(self._folder))))

    def artifact(self, path: Path) -> None:
        """Copy one file to the record, to the same place as below the run's folder."""
        place = path.parent.relative_to(self._folder).as_posix()
        below = None if place == "." else place
        self._warn(path.name, self._tell(lambda: self._client.log_artifact(self.id, str(path), below)))

    def forget(self, place: str) -> None:
        """Remove a recorded file, named by its place below the run's folder."""

        def remove() -> None:
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            root = self._client.get_run(self.id).info.artifact_uri
            get_artifact_repository(root, self._tracker.uri).delete_artifacts(place)  # type: ignore[no-untyped-call]

        self._warn(f"to remove {place}", self._tell(remove))

    def model(self, folder: Path, columns: Mapping[str, Any]) -> None:
        """Record a folder, whose `data` experiments.model reads, as the run's MLflow model.

        Parameters
        ----------
        columns
            MLflow's types by name of its `inputs` and `outputs`, and the values of its `params`.
        """
        self._warn("the model", self._tell(lambda: self._log_model(folder, columns)))

    def _log_model(self, folder: Path, columns: Mapping[str, Any]) -> None:
        import mlflow.pyfunc
        from mlflow.entities import LoggedModelOutput
        from mlflow.models import Model, ModelSignature
        from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema
        from mlflow.types.schema import Array

        made = self._client.create_logged_model(self._tracker.experiment_id, MODEL, self.id)
        kinds = {"vector": Array("float")}  # the one column that is no scalar
        inputs, outputs = (
            Schema([ColSpec(kinds.get(name, kind), name) for name, kind in columns[side].items()])
            for side in ("inputs", "outputs")
        )
        params = ParamSchema([ParamSpec(name, "double", value) for name, value in columns["params"].items()])
        described = Model(
            made.artifact_location,
            self.id,
            signature=ModelSignature(inputs, outputs, params),
            model_uuid=made.model_id,
            model_id=made.model_id,
        )
        mlflow.pyfunc.add_to_model(described, loader_module="experiments.model", data="data")
        described.save(str(folder / "MLmodel"))
        self._client.log_model_artifacts(made.model_id, str(folder))
        self._client.log_outputs(self.id, [LoggedModelOutput(made.model_id, 0)])
        self._client.finalize_logged_model(made.model_id, "READY")

    def has_model(self) -> bool:
        """Tell whether the run's model is recorded whole."""
        place, query = [self._tracker.experiment_id], f"source_run_id = '{self.id}'"
        found = ask(self._tracker.uri, lambda client: client.search_logged_models(place, query))
        return any(str(model.status) == "READY" for model in found)

    def sibling(self, run_id: str, folder: Path) -> "Run":
        """Return the record of another run of the same store, to add to it."""
        return Run(self._tracker, run_id, folder)

    def end(self, status: str, error: str = "") -> None:
        """End the run, also after silence: the server may be back; an error stands in its tag."""
        if error:
            self.log(tags={"error": error})
        if self.id:
            told = self._tell(lambda: self._client.set_terminated(self.id, status), again=True)
            self._warn(f"the end, {status}", told)

    def end_children(self) -> None:
        """Mark the runs below this one that did not end as KILLED: their process was stopped."""
        query = f"attributes.status = 'RUNNING' and tags.`mlflow.parentRunId` = '{self.id}'"

        def end() -> None:
            for child in self._client.search_runs([self._tracker.experiment_id], query):
                self._client.set_terminated(child.info.run_id, "KILLED")

        self._warn("the end of the jobs", self._tell(end))

    def lose(self, why: str) -> None:
        """Give up the record, and say where the results are."""
        if not self.lost:
            self.lost = why
            log.error("%s; the results are kept in %s", why, self._folder)

    @property
    def _client(self) -> Any:
        return self._tracker.client

    def _batch(self, entries: Iterable[tuple[str, Any]]) -> None:
        kinds: dict[str, list[Any]] = {"metrics": [], "params": [], "tags": []}
        for kind, entry in entries:
            kinds[kind].append(entry)
        self._client.log_batch(self.id, **kinds)

    def _tell(self, call: Callable[[], Any], *, again: bool = False) -> str:
        """Make a call, unless the server was silent before; return why it was refused."""
        from mlflow.exceptions import MlflowException

        if self.lost and not again:
            return ""
        try:
            call()
        except (MlflowException, OSError) as error:
            if _is_refusal(error):
                return _reason(error)
            self.lose(f"tracking.uri={self._tracker.uri} stopped answering ({_reason(error)})")
        return ""

    def _warn(self, what: str, why: str) -> None:
        if why:
            log.warning("tracking.uri=%s refused %s (%s)", self._tracker.uri, what, why)


@cache
def connect(tracking: Tracking, name: str) -> Tracker:
    """Open the store or server, and the experiment; raise ConnectionError within seconds of silence."""
    _reach(tracking.uri)
    from mlflow.exceptions import MlflowException

    try:
        with _first_alone(tracking.uri):
            experiment_id = _experiment(_client(tracking.uri), tracking, tracking.experiment or name)
    except ImportError as error:
        raise ConnectionError(
            f"tracking.uri={tracking.uri} needs its database's driver ({error}); for postgresql: "
            'pip install "psycopg[binary]"'
        ) from error
    except MlflowException as error:
        raise ConnectionError(
            f"tracking.uri={tracking.uri} cannot be used: {_reason(error)}; give a server's address or "
            "sqlite:///<file>"
        ) from error
    return Tracker(tracking.uri, experiment_id)


def join(parent: Parent) -> Tracker:
    """Record below a sweep's run, in its experiment; asks nothing of the server, which may be gone."""
    return Tracker(parent.uri, parent.experiment_id, parent.run_id)


def ask(uri: str, question: Callable[[Any], T]) -> T:
    """Put a question to MLflow's client; raise LookupError with its words if it has no answer."""
    path = _sqlite_path(uri)
    if path is not None and not path.exists():  # or MLflow would make one
        raise ConnectionError(
            f"tracking.uri={uri} does not exist; set the store that the run was recorded in"
        )
    _reach(uri)
    from mlflow.exceptions import MlflowException

    try:
        return question(_client(uri))
    except (MlflowException, OSError) as error:
        if _is_refusal(error):
            raise LookupError(_reason(error)) from error
        raise ConnectionError(f"tracking.uri={uri} cannot be used: {_reason(error)}") from error


def model_folder(uri: str, model_id: str) -> Path:
    """Return a folder that holds what was recorded as this model: the store's own where it is a folder."""

    def download(client: Any) -> Path:
        import mlflow.artifacts

        place = client.get_logged_model(model_id).artifact_location  # models:/ would ask the default store
        return Path(mlflow.artifacts.download_artifacts(place, tracking_uri=uri))

    return ask(uri, download)


@cache
def _client(uri: str) -> Any:
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", str(2 * SECONDS_TO_ANSWER))
    from mlflow.tracking import MlflowClient

    for chatty, level in {"mlflow": "WARNING", "alembic": "WARNING", "urllib3": "ERROR"}.items():
        logging.getLogger(chatty).setLevel(level)
    return MlflowClient(uri)


def _experiment(client: Any, tracking: Tracking, name: str) -> str:
    found = client.get_experiment_by_name(name)
    if found is None:
        place = _artifacts(tracking.uri)
        return str(client.create_experiment(name, artifact_location=place, tags=KIND))
    if found.lifecycle_stage != "active":
        raise ValueError(f"tracking.experiment={name} was deleted; restore it in the UI, or set another name")
    return str(found.experiment_id)


def _reach(uri: str) -> None:
    if not uri.startswith(("http://", "https://")):
        return
    import requests  # what MLflow's client talks through

    place = f"{uri.rstrip('/')}/health"
    try:
        requests.get(place, timeout=SECONDS_TO_ANSWER, allow_redirects=False, stream=True).close()
    except requests.exceptions.SSLError:
        return  # it answers; whom to trust is told to MLflow, by its own variables
    except OSError as error:
        raise ConnectionError(
            f"tracking.uri={uri} does not answer ({_reason(error)}); start that server, or leave "
            "tracking.uri out to record in mlflow/mlflow.db"
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
        if not path.exists():
            _create(path)
        yield


def _create(path: Path) -> None:
    """Make a SQLite store's tables in a file that is named when it is whole: half a store is of no use."""
    partial = path.with_name(f"{path.name}.partial")
    for left in (partial, partial.with_name(f"{partial.name}-journal")):
        left.unlink(missing_ok=True)  # of a process that was killed
    _client(f"sqlite:///{partial}").search_experiments(max_results=1)
    partial.replace(path)


def _sqlite_path(uri: str) -> Path | None:
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def _artifacts(uri: str) -> str | None:
    path = _sqlite_path(uri)
    return (path.parent / "artifacts").as_uri() if path else None


def _is_refusal(error: Exception) -> bool:
    """Tell an answer, that a request was wrong, from no answer."""
    from mlflow.exceptions import MlflowException

    if not isinstance(error, MlflowException):
        return False
    status: int = error.get_http_status_code()  # type: ignore[no-untyped-call]
    return 400 <= status < 500


def _reason(error: BaseException) -> str:
    """Say in one line why: the innermost words of the system, if it spoke, else the error's own."""
    inner: BaseException | None = error
    why = error
    while inner is not None:
        why = inner if isinstance(inner, OSError) else why
        inner = inner.__cause__ or inner.__context__
    return (str(why).splitlines() or [type(why).__name__])[0][:REASON_LIMIT]
