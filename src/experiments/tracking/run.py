"""The MLflow run of one execution; it survives failures of the run and of the server."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from experiments.samples import Samples
from experiments.store.locks import Lock
from experiments.tracking.living import is_alive
from experiments.tracking.model import has_model, log_model
from experiments.tracking.pages import NOTE, run_page
from experiments.tracking.server import REASON_LIMIT, Experiment, all_pages, is_refusal, reason

log = logging.getLogger(__name__)

PARAMETER_LIMIT = 6000  # characters; MLflow's limit, as is the next
TAG_LIMIT = 8000
SOURCE = "data.source"  # the tag of a run with the path of its data, or the name of a library
ERROR_LIMIT = 2000  # characters of an error on the run's page; its tag has all of it


class Run:
    """A run that is being recorded; it ends FINISHED, FAILED with its error as a tag, or KILLED.

    If the server stops answering, one log line says so and names the folder of the results. A value that the
    server refuses is logged, and all other values are recorded.
    """

    def __init__(self, experiment: Experiment, run_id: str, folder: Path, lock: Lock | None = None) -> None:
        self.id = run_id
        self.unrecorded = ""
        self._experiment = experiment
        self._folder = folder
        self._steps: set[int] = set()
        self._description = ""
        self._has_reason = False
        self._lock = lock
        self._deleted = False

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
        """Record metrics, parameters and tags in one call."""
        from mlflow.entities import Metric, Param, RunTag

        now = int(time.time() * 1000)
        entries: list[tuple[str, Any]] = [
            *(("metrics", Metric(key, float(value), now, step)) for key, value in (metrics or {}).items()),
            *(("params", Param(key, str(value)[:PARAMETER_LIMIT])) for key, value in (params or {}).items()),
            *(("tags", RunTag(key, value[:TAG_LIMIT])) for key, value in (tags or {}).items()),
        ]
        if self._call(lambda: self._batch(entries)):  # the server rejects a batch because of a single value
            for entry in entries:
                value = f"{entry[1].key}={entry[1].value}"
                self._warn_of_refusal(value[:REASON_LIMIT], self._call(partial(self._batch, [entry])))

    def epoch(self, step: int, values: Mapping[str, float]) -> None:
        """Record the metrics of one epoch."""
        self._steps.add(step)
        self.log(metrics=values, step=step)

    def history(self, rows: Iterable[Mapping[str, float]]) -> None:
        """Record the epochs of a reused training that this run has not recorded yet."""
        for step, row in enumerate(rows, start=1):
            if step not in self._steps:
                self.epoch(step, row)

    def dataset(self, samples: Samples) -> None:
        """Record the data set as the run's input."""
        from mlflow.entities import Dataset, DatasetInput, InputTag

        profile = {"rows": len(samples), "classes": len(samples.class_names)}
        rest = {"tags": samples.tag_names, "skipped": samples.skipped, "unmatched": samples.unmatched}
        profile |= {name: len(values) for name, values in rest.items() if len(values)}
        text = json.dumps({"source": samples.source} | profile)  # MLflow's page does not show a local source
        source = json.dumps({"path": samples.source})
        data = Dataset(samples.name[:500], samples.data_key, "local", source, profile=text)
        entry = DatasetInput(data, [InputTag("mlflow.data.context", "clustering")])
        self._warn_of_refusal("the data set", self._call(lambda: self._client.log_inputs(self.id, [entry])))
        self.log(tags={SOURCE: samples.source})  # for equal data, MLflow shows the source of the first run

    def describe(self, markdown: str, *, has_reason: bool = False) -> None:
        """Set the description at the top of the run's page.

        Parameters
        ----------
        has_reason
            True if the text already contains the reason of the failure.
        """
        self._description, self._has_reason = markdown, has_reason
        self.log(tags={NOTE: markdown})

    def artifacts(self, files: Iterable[str] | None = None) -> None:
        """Record these files of the run's folder; by default all except hidden ones."""
        paths = sorted(path for path in self._folder.rglob("*") if path.is_file())
        names = [str(path.relative_to(self._folder)) for path in paths] if files is None else files
        for name in names:
            if files is not None or not name.startswith("."):
                self.artifact(self._folder / name)

    def artifact(self, path: Path) -> None:
        """Record a file under its path below the run's folder."""
        parent = path.parent.relative_to(self._folder).as_posix()
        below = None if parent == "." else parent
        self._warn_of_refusal(
            path.name, self._call(lambda: self._client.log_artifact(self.id, str(path), below))
        )

    def delete_artifact(self, path: str) -> None:
        """Delete a recorded file, named by its path below the run's folder."""

        def remove() -> None:
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            root = self._client.get_run(self.id).info.artifact_uri
            get_artifact_repository(root, self._experiment.uri).delete_artifacts(path)  # type: ignore[no-untyped-call]

        self._warn_of_refusal(f"to remove {path}", self._call(remove))

    def model(self, folder: Path, columns: Mapping[str, Any]) -> None:
        """Record a folder as the run's MLflow model; see log_model."""
        why = self._call(lambda: log_model(self._client, self._experiment.uri, self.id, folder, columns))
        self._warn_of_refusal("the model", why)

    def has_model(self) -> bool:
        """Return True if the run's model is recorded completely."""
        return has_model(self._experiment.uri, self._experiment.experiment_id, self.id)

    def page(self, file: str = "") -> str:
        """Return the link to the run, or to one of its files, from any page of the same server."""
        return run_page(self._experiment.experiment_id, self.id, file)

    def sibling(self, run_id: str, folder: Path) -> "Run":
        """Return another run of the same store, to add to it."""
        return Run(self._experiment, run_id, folder)

    def end(self, status: str, error: str = "") -> None:
        """End the run; try it even if the server did not answer before.

        An error is recorded as a tag, and shown at the top of the page unless the description contains it.
        """
        if error:
            note = {} if self._has_reason else {NOTE: _with_error_first(self._description, status, error)}
            self.log(tags={"error": error} | note)
        ended = False

        def terminate() -> None:
            nonlocal ended
            self._client.set_terminated(self.id, status)
            ended = True

        if self.id:
            self._warn_of_refusal(f"the end, {status}", self._call(terminate, again=True))
        if self._lock:
            self._lock.release(keep=not (ended or self._deleted))  # the next process ends the run

    def end_children(self) -> None:
        """Mark the RUNNING runs below this one as KILLED unless their process is alive."""
        query = f"attributes.status = 'RUNNING' and tags.`mlflow.parentRunId` = '{self.id}'"

        def end() -> None:
            ids = [self._experiment.experiment_id]
            for child in list(all_pages(self._client.search_runs, ids, query)):  # ended runs leave the search
                if not is_alive(self._experiment.uri, child.data.tags):
                    self._client.set_terminated(child.info.run_id, "KILLED")

        self._warn_of_refusal("the end of the jobs", self._call(end))

    def give_up(self, why: str) -> None:
        """Stop recording; log the reason and the folder of the results."""
        if not self.unrecorded:
            self.unrecorded = why
            log.error("%s; the results are in %s", why, self._folder)

    @property
    def _client(self) -> Any:
        return self._experiment.client

    def _batch(self, entries: Iterable[tuple[str, Any]]) -> None:
        kinds: dict[str, list[Any]] = {"metrics": [], "params": [], "tags": []}
        for kind, entry in entries:
            kinds[kind].append(entry)
        self._client.log_batch(self.id, **kinds)

    def _call(self, call: Callable[[], Any], *, again: bool = False) -> str:
        """Make a call unless recording was given up; return the reason if the server refuses it."""
        from mlflow.exceptions import MlflowException

        if self.unrecorded and not again:
            return ""
        try:
            call()
        except (MlflowException, OSError) as error:
            if is_refusal(error) and not self._check_deleted():
                return reason(error)
            if is_refusal(error):
                self._deleted = True
                self.give_up(
                    f"run {self.id} of tracking.uri={self._experiment.uri} was deleted while it was running"
                )
                return ""
            self.give_up(f"tracking.uri={self._experiment.uri} stopped answering ({reason(error)})")
        return ""

    def _check_deleted(self) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            return bool(self._client.get_run(self.id).info.lifecycle_stage == "deleted")
        except (MlflowException, OSError) as error:
            return is_refusal(error)  # the run was removed permanently

    def _warn_of_refusal(self, what: str, why: str) -> None:
        if why:
            log.warning("tracking.uri=%s refused %s (%s)", self._experiment.uri, what, why)


def _with_error_first(description: str, status: str, error: str) -> str:
    """Put an error above a description, whose last paragraphs are dropped if there is no room for them."""
    text = f"**{status}**\n\n```\n{error[:ERROR_LIMIT]}\n```"
    for part in description.split("\n\n") if description else ():
        if len(text) + len(part) + 2 > TAG_LIMIT:
            break
        text += f"\n\n{part}"
    return text
