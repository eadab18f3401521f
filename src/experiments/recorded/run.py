"""Read what an earlier run recorded, by its id."""

import difflib
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from experiments import tracking
from experiments.config.mistakes import SettingError
from experiments.store.values import OtherCodeError

CLOSE = 3  # run ids that are named where one was mistyped
PARENT_TAG = "sweep"  # the tag of a sweep's own run, which is `parent` there
SUPERSEDED = "superseded"  # the tag of a job's run that did not finish and was repeated


@dataclass(frozen=True)
class Recorded:
    """A run of a tracking store.

    Parameters
    ----------
    uri
        The store or server.
    info
        MLflow's own record of it.
    """

    uri: str
    info: Any

    @classmethod
    def of(cls, uri: str, run_id: str, key: str = "RUN_ID") -> "Recorded":
        """Find a run, which was typed as `key`; raise ValueError with the closest ones if there is none."""
        try:
            return cls(uri, tracking.query(uri, lambda client: client.get_run(run_id)))
        except LookupError:
            known = tracking.query(uri, _run_ids)
            close = [known_id for known_id in known if known_id.startswith(run_id)]
            close = close or difflib.get_close_matches(run_id, known, n=CLOSE, cutoff=0.5)
            hint = f"did you mean {' or '.join(close[:CLOSE])}?" if close else f"it has {len(known)} runs"
            raise ValueError(f"{key}={run_id} is no run of tracking.uri={uri}; {hint}") from None

    @property
    def id(self) -> str:
        """Return its id."""
        return str(self.info.info.run_id)

    @property
    def name(self) -> str:
        """Return what it is called, such as cluster.k=10."""
        return str(self.info.info.run_name or "")

    @property
    def status(self) -> str:
        """Return how it ended, such as FINISHED."""
        return str(self.info.info.status)

    @property
    def tags(self) -> dict[str, str]:
        """Return its tags."""
        return dict(self.info.data.tags)

    @cached_property
    def best(self) -> "Recorded":
        """Return the best job of a sweep; of any other run, and of a sweep without one, itself."""
        named = self.info.data.tags.get(tracking.BEST)
        return Recorded.of(self.uri, named) if named else self

    @property
    def checkout(self) -> str:
        """Return how to get the code that recorded it, "" if that is unknown."""
        commit = self.tags.get("git.commit") or self.tags.get("mlflow.source.git.commit", "none")
        if commit == "none":
            return ""
        dirty = self.tags.get("git.dirty") == "true"
        return f"git checkout {commit}{' (there were changes that were not committed)' if dirty else ''}"

    @contextmanager
    def by_its_code(self, typed: Collection[str] = ()) -> Iterator[None]:
        """Name the commit to check out where it recorded a class or a setting that this code has otherwise.

        Parameters
        ----------
        typed
            Settings that are not of the record.
        """
        try:
            yield
        except OtherCodeError as error:
            if not error.ours or not self.checkout:
                raise
            raise self._of_other_code(error.why) from error
        except SettingError as error:
            if error.key in typed or not self.checkout:
                raise
            raise self._of_other_code(error.fact) from error

    def _of_other_code(self, why: str) -> ValueError:
        return ValueError(
            f"RUN_ID={self.id} was recorded by other code: {why}; {self.checkout}, or run it anew"
        )

    @property
    def is_sweep(self) -> bool:
        """Tell a sweep's own run from those of its jobs, and from single ones."""
        return self.tags.get(PARENT_TAG) == "parent"

    @property
    def parent(self) -> tracking.Parent:
        """Return it as what other runs can stand below."""
        return tracking.Parent(self.uri, str(self.info.info.experiment_id), self.id)

    def below(self) -> "list[Recorded]":
        """Return the runs that stand below it, the jobs of a sweep in their order.

        Attempts that a resumed sweep repeated are not among them.
        """
        query = f"tags.`mlflow.parentRunId` = '{self.id}'"
        place = [self.info.info.experiment_id]
        order = ["attributes.start_time ASC"]
        found = tracking.query(
            self.uri, lambda c: list(tracking.all_pages(c.search_runs, place, query, order_by=order))
        )
        return [Recorded(self.uri, info) for info in found if SUPERSEDED not in info.data.tags]

    @property
    def source(self) -> str:
        """Return where its data came from: a path, or the name of a library."""
        inputs = self.info.inputs.dataset_inputs if self.info.inputs else []
        return str(json.loads(inputs[0].dataset.source)["path"]) if inputs else ""

    @property
    def data(self) -> str:
        """Return the name of its data set; "" if that was not recorded."""
        inputs = self.info.inputs.dataset_inputs if self.info.inputs else []
        return str(inputs[0].dataset.name) if inputs else ""

    def file(self, name: str, folder: Path) -> Path:
        """Fetch a file that was recorded into `folder`; raise ValueError if it was not."""
        try:
            found = tracking.query(
                self.uri, lambda client: client.download_artifacts(self.id, name, str(folder))
            )
        except (LookupError, ConnectionError) as error:
            if self.status == "FINISHED":
                raise ValueError(
                    f"RUN_ID={self.id} has no {name} at {self.info.info.artifact_uri}; put its files back "
                    "there, or run it anew"
                ) from error
            raise ValueError(
                f"RUN_ID={self.id} recorded no {name} ({error}); use a run that FINISHED"
            ) from error
        return Path(found)

    @cached_property
    def model(self) -> Path:
        """Return the folder of its model, or of its best job's; raise ValueError if none was recorded."""
        if self.best is not self:
            return self.best.model
        outputs = self.info.outputs.model_outputs if self.info.outputs else []
        if not outputs:
            raise ValueError(
                f"RUN_ID={self.id} recorded no model: of a sweep, its best job does; run the same command "
                "with tracking.log_model=all, which computes nothing twice"
            )
        try:
            return tracking.model_folder(self.uri, outputs[-1].model_id) / "data"
        except LookupError as error:
            raise ValueError(
                f"RUN_ID={self.id} has a model that is gone ({error}); record it again"
            ) from error


def _run_ids(client: Any) -> list[str]:
    experiments = [found.experiment_id for found in tracking.all_pages(client.search_experiments)]
    return [run.info.run_id for run in tracking.all_pages(client.search_runs, experiments)]
