"""A past run of a tracking store: its parameters, tags, files and jobs."""

import difflib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import shorten
from typing import Any

from experiments import tracking
from experiments.config.mistakes import SettingError
from experiments.store.values import OtherCodeError

SUGGESTIONS = 3  # similar and newest run ids in a message
PARENT_TAG = "sweep"  # tag with the value `parent` of a sweep's run
NAME_LETTERS = 60  # of a run's experiment and name in a message
SUPERSEDED = "superseded"  # tag of the run of an unfinished job that a later run replaced


@dataclass(frozen=True)
class PastRun:
    """A run of a tracking store.

    Parameters
    ----------
    uri
        The tracking URI.
    info
        MLflow's run.
    """

    uri: str
    info: Any

    @classmethod
    def of(cls, uri: str, run_id: str, key: str = "RUN_ID") -> "PastRun":
        """Return the run of an id typed as `key`; raise ValueError with other ids if there is none."""
        try:
            return cls(uri, tracking.query(uri, lambda client: client.get_run(run_id)))
        except LookupError:
            runs = tracking.query(uri, _newest_first)
            close = [known_id for known_id in runs if known_id.startswith(run_id)]
            close = close or difflib.get_close_matches(run_id, runs, n=SUGGESTIONS, cutoff=0.5)
            similar = f"did you mean {' or '.join(close[:SUGGESTIONS])}? " if close else ""
            recent = [f"{known_id} ({about})" for known_id, about in runs.items() if about][:SUGGESTIONS]
            hint = f"{similar}newest runs: {', '.join(recent)}" if recent else "it has no runs"
            raise ValueError(f"{key}={run_id} is not a run of tracking.uri={uri}; {hint}") from None

    @property
    def id(self) -> str:
        """Return its id."""
        return str(self.info.info.run_id)

    @property
    def name(self) -> str:
        """Return its name, such as cluster.k=10."""
        return str(self.info.info.run_name or "")

    @property
    def status(self) -> str:
        """Return its status, such as FINISHED."""
        return str(self.info.info.status)

    @property
    def tags(self) -> dict[str, str]:
        """Return its tags."""
        return dict(self.info.data.tags)

    @cached_property
    def best(self) -> "PastRun":
        """Return the best job of a sweep; the run itself if it is not a sweep or has no best job."""
        best_id = self.info.data.tags.get(tracking.BEST)
        return PastRun.of(self.uri, best_id) if best_id else self

    @property
    def checkout(self) -> str:
        """Return the command that checks out the code that recorded it, "" if that is unknown."""
        commit = self.tags.get("git.commit") or self.tags.get("mlflow.source.git.commit", "none")
        if commit == "none":
            return ""
        dirty = self.tags.get("git.dirty") == "true"
        return f"git checkout {commit}{' (which had uncommitted changes)' if dirty else ''}"

    @contextmanager
    def naming_other_code(self, typed: Collection[str] = ()) -> Iterator[None]:
        """Name the commit to check out if this code lacks a recorded class or setting.

        Parameters
        ----------
        typed
            Settings that were typed now, not recorded.
        """
        try:
            yield
        except OtherCodeError as error:
            if not error.ours or not self.checkout:
                raise
            raise self._other_code_error(error.why) from error
        except SettingError as error:
            if error.key in typed or not self.checkout:
                raise
            raise self._other_code_error(error.fact) from error

    def _other_code_error(self, why: str) -> ValueError:
        return ValueError(
            f"RUN_ID={self.id} was recorded by other code: {why}; {self.checkout}, or run it again"
        )

    @property
    def is_sweep(self) -> bool:
        """True if it is the run of a sweep, not of a job or a single run."""
        return self.tags.get(PARENT_TAG) == "parent"

    @property
    def parent(self) -> tracking.Parent:
        """Return this run as the parent of new runs."""
        return tracking.Parent(self.uri, str(self.info.info.experiment_id), self.id)

    def below(self) -> "list[PastRun]":
        """Return its child runs, such as a sweep's jobs, in order, without superseded ones."""
        query = f"tags.`mlflow.parentRunId` = '{self.id}'"
        experiments = [self.info.info.experiment_id]
        order = ["attributes.start_time ASC"]
        runs = tracking.query(
            self.uri, lambda c: list(tracking.all_pages(c.search_runs, experiments, query, order_by=order))
        )
        return [PastRun(self.uri, info) for info in runs if SUPERSEDED not in info.data.tags]

    @property
    def seconds(self) -> float:
        """Return how long it took."""
        return float(self.info.info.end_time - self.info.info.start_time) / 1000

    @property
    def source(self) -> str:
        """Return the path of its data, or the name of the library that ships it."""
        if tracking.SOURCE in self.tags:
            return self.tags[tracking.SOURCE]
        inputs = self.info.inputs.dataset_inputs if self.info.inputs else []
        return str(json.loads(inputs[0].dataset.source)["path"]) if inputs else ""

    @property
    def data(self) -> str:
        """Return the name of its data set; "" if it was not recorded."""
        inputs = self.info.inputs.dataset_inputs if self.info.inputs else []
        return str(inputs[0].dataset.name) if inputs else ""

    def file(self, name: str, folder: Path) -> Path:
        """Download a recorded file into `folder`; raise ValueError if there is none."""
        try:
            path = tracking.query(
                self.uri, lambda client: client.download_artifacts(self.id, name, str(folder))
            )
        except (LookupError, ConnectionError) as error:
            if self.status == "FINISHED":
                raise ValueError(
                    f"RUN_ID={self.id} has no {name} at {self.info.info.artifact_uri}; restore its files "
                    "there, or run it again"
                ) from error
            raise ValueError(
                f"RUN_ID={self.id} recorded no {name} ({error}); use a run that FINISHED"
            ) from error
        return Path(path)

    @cached_property
    def model(self) -> Path:
        """Return the folder of its model, or of its best job's; raise ValueError if none was recorded."""
        if self.best is not self:
            return self.best.model
        outputs = self.info.outputs.model_outputs if self.info.outputs else []
        if not outputs and self.status != "FINISHED":
            raise ValueError(f"RUN_ID={self.id} is {self.status} and has no model; use a run that FINISHED")
        if not outputs:
            raise ValueError(
                f"RUN_ID={self.id} recorded no model: only the best job of a sweep does; run the same "
                "command with tracking.log_model=all, which reuses all cached values"
            )
        try:
            return tracking.model_folder(self.uri, outputs[-1].model_id) / "data"
        except LookupError as error:
            raise ValueError(
                f"RUN_ID={self.id} has a model whose files are missing ({error}); run it again"
            ) from error


def _newest_first(client: Any) -> dict[str, str]:
    """Return the experiment and name of each run by its id; "" for the jobs of sweeps."""
    experiments = {e.experiment_id: e.name for e in tracking.all_pages(client.search_experiments)}
    order = ["attributes.start_time DESC"]
    runs = tracking.all_pages(client.search_runs, list(experiments), order_by=order)
    return {
        run.info.run_id: ""
        if "mlflow.parentRunId" in run.data.tags
        else shorten(f"{experiments[run.info.experiment_id]}, {run.info.run_name}", NAME_LETTERS)
        for run in runs
    }
