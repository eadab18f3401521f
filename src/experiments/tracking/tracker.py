"""Begin runs in one experiment, and end those whose process ended without a word."""

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
from experiments.tracking.server import Place, all_pages, is_refusal, reason

log = logging.getLogger(__name__)

BEST = "best.run_id"  # the tag of a sweep's run that names its best job's


@dataclass(frozen=True)
class Parent:
    """The run of a sweep, which the runs of its jobs stand below."""

    uri: str
    experiment_id: str
    run_id: str


class Tracker(Place):
    """Begins runs in an experiment; `parent` is the run that new ones stand below."""

    def __init__(self, uri: str, experiment_id: str, parent: str = "") -> None:
        super().__init__(uri, experiment_id)
        self.parent = parent

    @contextmanager
    def run(
        self, name: str, folder: Path, *, params: Mapping[str, Any], tags: Mapping[str, str]
    ) -> Iterator[Run]:
        """Record a run from beginning to end; without a server it goes on, with `lost` set."""
        try:
            run = self.open(name, folder, params=params, tags=tags)
        except ConnectionError as error:
            run = Run(self, "", folder)
            run.lose(str(error))
        with run:
            yield run

    def open(self, name: str, folder: Path, *, params: Mapping[str, Any], tags: Mapping[str, str]) -> Run:
        """Begin a run; raise ConnectionError if it cannot be recorded."""
        from mlflow.exceptions import MlflowException

        lock = living.begin(self.uri, folder)
        family = {"mlflow.parentRunId": self.parent} if self.parent else {}
        everything = {**environment(), **tags, **family, **_tag(lock)}
        try:
            created = self.client.create_run(self.experiment_id, run_name=name, tags=everything)
        except (MlflowException, OSError) as error:
            if lock:
                lock.release()
                with suppress(OSError):  # it holds something
                    lock.path.parent.rmdir()
            word = "refused a run" if is_refusal(error) else "stopped answering"
            raise ConnectionError(f"tracking.uri={self.uri} {word} ({reason(error)})") from error
        run = Run(self, created.info.run_id, folder, lock)
        run.log(params=params)
        return run

    def reopen(self, run_id: str, folder: Path) -> Run:
        """Go on with a run that ended."""
        lock = living.begin(self.uri, folder)
        here = {name: environment()[name] for name in ("host", "process")}
        self.client.update_run(run_id, status="RUNNING")
        run = Run(self, run_id, folder, lock)
        run.log(tags=here | _tag(lock))
        return run

    def end_the_dead(self) -> int:
        """Mark running runs as KILLED whose lock no living process holds; return how many.

        A run whose lock is not to be seen from here, as on another machine, is left alone.
        """
        left = living.left_behind(self.uri)
        experiments = [found.experiment_id for found in all_pages(self.client.search_experiments)]
        query = "attributes.status = 'RUNNING'"
        running = list(all_pages(self.client.search_runs, experiments, query))
        count = sum(self._end_if_dead(run.info.run_id, run.data.tags) for run in running)
        for path in left:
            living.remove(path)
        if count:
            log.info("marked %d earlier runs as KILLED: their process is gone", count)
        return count

    def _end_if_dead(self, run_id: str, tags: Mapping[str, str]) -> bool:
        """Mark a run as KILLED if its lock is free; what ends in this moment is asked for again under it."""
        path = living.lock_of(self.uri, tags)
        if path is None:
            return False
        with try_lock(path) as free:
            dead = bool(free) and self.client.get_run(run_id).info.status == "RUNNING"
            if dead:
                self.client.set_terminated(run_id, "KILLED")
            if free:
                path.unlink(missing_ok=True)
        return dead


def _tag(lock: Lock | None) -> dict[str, str]:
    return {living.LOCK: str(lock.path)} if lock else {}


def join(parent: Parent) -> Tracker:
    """Record below a sweep's run, in its experiment; asks nothing of the server, which may be gone."""
    return Tracker(parent.uri, parent.experiment_id, parent.run_id)
