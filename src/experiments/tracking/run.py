"""One run being recorded, whatever becomes of it or of the server."""

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
from experiments.tracking.server import REASON_LIMIT, Place, all_pages, is_refusal, reason

log = logging.getLogger(__name__)

PARAMETER_LIMIT = 6000  # characters, MLflow's own, as the next
TAG_LIMIT = 8000
ERROR_LIMIT = 2000  # characters of it on the page; its tag has all


class Run:
    """One run being recorded: it ends FINISHED, FAILED with the error as a tag, or KILLED by an interruption.

    When the server stops answering it says so once, and where the results are. A value that the server
    refuses is named, and the rest goes on.
    """

    def __init__(self, place: Place, run_id: str, folder: Path, lock: Lock | None = None) -> None:
        self.id = run_id
        self.lost = ""
        self._place = place
        self._folder = folder
        self._steps: set[int] = set()
        self._description = ""
        self._told = False
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

        about = {"rows": len(samples), "classes": len(samples.class_names)}
        rest = {"tags": samples.tag_names, "skipped": samples.skipped, "unmatched": samples.unmatched}
        about |= {name: len(found) for name, found in rest.items() if len(found)}
        told = json.dumps({"source": samples.source} | about)  # the page shows it, not a local source's own
        source = json.dumps({"path": samples.source})
        described = Dataset(samples.name[:500], samples.data_key, "local", source, profile=told)
        entry = DatasetInput(described, [InputTag("mlflow.data.context", "clustering")])
        self._warn("the data set", self._tell(lambda: self._client.log_inputs(self.id, [entry])))

    def describe(self, markdown: str, *, tells_why: bool = False) -> None:
        """Put a text at the top of the run's page.

        Parameters
        ----------
        tells_why
            It says itself why the run failed.
        """
        self._description, self._told = markdown, tells_why
        self.log(tags={NOTE: markdown})

    def artifacts(self, files: Iterable[str] | None = None) -> None:
        """Copy files of the run's folder to the record: all but hidden ones unless they are named."""
        found = sorted(path for path in self._folder.rglob("*") if path.is_file())
        named = [str(path.relative_to(self._folder)) for path in found] if files is None else files
        for name in named:
            if files is not None or not name.startswith("."):
                self.artifact(self._folder / name)

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
            get_artifact_repository(root, self._place.uri).delete_artifacts(place)  # type: ignore[no-untyped-call]

        self._warn(f"to remove {place}", self._tell(remove))

    def model(self, folder: Path, columns: Mapping[str, Any]) -> None:
        """Record a folder as the run's MLflow model; see log_model."""
        told = self._tell(lambda: log_model(self._client, self._place.uri, self.id, folder, columns))
        self._warn("the model", told)

    def has_model(self) -> bool:
        """Tell whether the run's model is recorded whole."""
        return has_model(self._place.uri, self._place.experiment_id, self.id)

    def page(self, file: str = "") -> str:
        """Return the link to it, or to one of its files, from any page of the same server."""
        return run_page(self._place.experiment_id, self.id, file)

    def sibling(self, run_id: str, folder: Path) -> "Run":
        """Return the record of another run of the same store, to add to it."""
        return Run(self._place, run_id, folder)

    def end(self, status: str, error: str = "") -> None:
        """End the run, also after silence: the server may be back.

        An error stands in its tag, and at the top of its page unless the text there says it.
        """
        if error:
            note = {} if self._told else {NOTE: _above(self._description, status, error)}
            self.log(tags={"error": error} | note)
        ended = False

        def terminate() -> None:
            nonlocal ended
            self._client.set_terminated(self.id, status)
            ended = True

        if self.id:
            self._warn(f"the end, {status}", self._tell(terminate, again=True))
        if self._lock:
            self._lock.release(keep=not (ended or self._deleted))  # whoever finds it free ends the run

    def end_children(self) -> None:
        """Mark the runs below this one that did not end as KILLED, but for those that still work."""
        query = f"attributes.status = 'RUNNING' and tags.`mlflow.parentRunId` = '{self.id}'"

        def end() -> None:
            place = [self._place.experiment_id]
            for child in list(all_pages(self._client.search_runs, place, query)):  # it asks for RUNNING ones
                if not is_alive(self._place.uri, child.data.tags):
                    self._client.set_terminated(child.info.run_id, "KILLED")

        self._warn("the end of the jobs", self._tell(end))

    def lose(self, why: str) -> None:
        """Give up the record, and say where the results are."""
        if not self.lost:
            self.lost = why
            log.error("%s; the results are kept in %s", why, self._folder)

    @property
    def _client(self) -> Any:
        return self._place.client

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
            if is_refusal(error) and not self._is_deleted():
                return reason(error)
            if is_refusal(error):
                self._deleted = True
                self.lose(f"run {self.id} of tracking.uri={self._place.uri} was deleted while it was at work")
                return ""
            self.lose(f"tracking.uri={self._place.uri} stopped answering ({reason(error)})")
        return ""

    def _is_deleted(self) -> bool:
        from mlflow.exceptions import MlflowException

        try:
            return bool(self._client.get_run(self.id).info.lifecycle_stage == "deleted")
        except (MlflowException, OSError) as error:
            return is_refusal(error)  # it is removed for good

    def _warn(self, what: str, why: str) -> None:
        if why:
            log.warning("tracking.uri=%s refused %s (%s)", self._place.uri, what, why)


def _above(description: str, status: str, error: str) -> str:
    """Put an error above a text, of which paragraphs are left out from where there is no more room."""
    text = f"**{status}**\n\n```\n{error[:ERROR_LIMIT]}\n```"
    for part in description.split("\n\n") if description else ():
        if len(text) + len(part) + 2 > TAG_LIMIT:
            break
        text += f"\n\n{part}"
    return text
