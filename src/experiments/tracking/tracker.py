"""Begin runs in one experiment, and end those whose process is gone."""

import logging
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.environment import environment, is_alive
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

        family = {"mlflow.parentRunId": self.parent} if self.parent else {}
        everything = {**environment(), **tags, **family}
        try:
            created = self.client.create_run(self.experiment_id, run_name=name, tags=everything)
        except (MlflowException, OSError) as error:
            word = "refused a run" if is_refusal(error) else "stopped answering"
            raise ConnectionError(f"tracking.uri={self.uri} {word} ({reason(error)})") from error
        run = Run(self, created.info.run_id, folder)
        run.log(params=params)
        return run

    def end_the_dead(self) -> int:
        """Mark this host's running runs whose process is gone as KILLED; return how many."""
        experiments = [found.experiment_id for found in all_pages(self.client.search_experiments)]
        query = f"attributes.status = 'RUNNING' and tags.host = '{socket.gethostname()}'"
        running = all_pages(self.client.search_runs, experiments, query)
        dead = [run for run in running if not is_alive(run.data.tags)]
        for run in dead:
            self.client.set_terminated(run.info.run_id, "KILLED")
        if dead:
            log.info("marked %d earlier runs as KILLED: their process is gone", len(dead))
        return len(dead)


def join(parent: Parent) -> Tracker:
    """Record below a sweep's run, in its experiment; asks nothing of the server, which may be gone."""
    return Tracker(parent.uri, parent.experiment_id, parent.run_id)
