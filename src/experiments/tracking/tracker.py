"""Begin runs in an experiment, and end runs whose process has died."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.store.locks import Lock, try_lock
from experiments.tracking import living
from experiments.tracking.environment import environment
from experiments.tracking.run import Run
from experiments.tracking.server import Experiment, all_pages, is_refusal, reason

log = logging.getLogger(__name__)

BEST = "best.run_id"  # tag of a sweep's run: the run id of its best job


@dataclass(frozen=True)
class Parent:
    """The run of a sweep, the parent of its jobs' runs."""

    uri: str
    experiment_id: str
    run_id: str


class Tracker(Experiment):
    """Begins runs in an experiment; `parent` is the parent of the new runs."""

    def __init__(self, uri: str, experiment_id: str, parent: str = "") -> None:
        super().__init__(uri, experiment_id)
        self.parent = parent

    @contextmanager
    def run(
        self, name: str, folder: Path, *, params: Mapping[str, Any], tags: Mapping[str, str]
    ) -> Iterator[Run]:
        """Record a run from beginning to end; if the server fails, continue with `unrecorded` set."""
        try:
            run = self.open(name, folder, params=params, tags=tags)
        except ConnectionError as error:
            run = Run(self, "", folder)
            run.give_up(str(error))
        with run:
            yield run

    def open(self, name: str, folder: Path, *, params: Mapping[str, Any], tags: Mapping[str, str]) -> Run:
        """Begin a run; raise ConnectionError if it cannot be recorded."""
        from mlflow.exceptions import MlflowException

        lock = living.lock_run(self.uri, folder)
        parent_tag = {"mlflow.parentRunId": self.parent} if self.parent else {}
        all_tags = {**environment(), **tags, **parent_tag, **_tag(lock)}
        try:
            created = self.client.create_run(self.experiment_id, run_name=name, tags=all_tags)
        except (MlflowException, OSError) as error:
            if lock:
                lock.release()
                with suppress(OSError):  # the folder is not empty
                    lock.path.parent.rmdir()
            word = "refused a run" if is_refusal(error) else "stopped answering"
            raise ConnectionError(f"tracking.uri={self.uri} {word} ({reason(error)})") from error
        run = Run(self, created.info.run_id, folder, lock)
        run.log(params=params)
        return run

    def reopen(self, run_id: str, folder: Path) -> Run:
        """Continue a run that has ended."""
        lock = living.lock_run(self.uri, folder)
        process = {name: environment()[name] for name in ("host", "process")}
        self.client.update_run(run_id, status="RUNNING")
        run = Run(self, run_id, folder, lock)
        run.log(tags=process | _tag(lock))
        return run

    def kill_orphaned_runs(self) -> int:
        """Mark RUNNING runs as KILLED if no living process holds their lock; return their number.

        Runs whose lock is not visible on this machine are not changed.
        """
        orphaned = living.orphaned_locks(self.uri)
        experiments = [experiment.experiment_id for experiment in all_pages(self.client.search_experiments)]
        query = "attributes.status = 'RUNNING'"
        running = list(all_pages(self.client.search_runs, experiments, query))
        count = sum(self._kill_if_orphaned(run.info.run_id, run.data.tags) for run in running)
        for path in orphaned:
            living.remove_orphaned(path)
        if count:
            log.info("marked %d earlier runs as KILLED: their process has ended", count)
        return count

    def _kill_if_orphaned(self, run_id: str, tags: Mapping[str, str]) -> bool:
        """Mark a run as KILLED if its lock is free and it is still RUNNING; return True if so."""
        path = living.lock_file(self.uri, tags)
        if path is None:
            return False
        with try_lock(path) as free:
            orphaned = bool(free) and self.client.get_run(run_id).info.status == "RUNNING"
            if orphaned:
                self.client.set_terminated(run_id, "KILLED")
            if free:
                path.unlink(missing_ok=True)
        return orphaned


def _tag(lock: Lock | None) -> dict[str, str]:
    return {living.LOCK: str(lock.path)} if lock else {}


def tracker_below(parent: Parent) -> Tracker:
    """Return a tracker of runs below a sweep's run; it makes no request, as the server may not answer."""
    return Tracker(parent.uri, parent.experiment_id, parent.run_id)
