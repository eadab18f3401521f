"""A run as it was recorded, and its config made ready to be run again."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, cast

from omegaconf import DictConfig, OmegaConf

from experiments import compose, config
from experiments.environment import code
from experiments.recorded import Recorded
from experiments.verification import TRACE, Trace

if TYPE_CHECKING:
    import pandas as pd

ASSIGNMENTS = "assignments.parquet"
DATA = ("dataset.root", "dataset.labels", "dataset.labels.path")  # what may have been moved, as the weights
MAY = (*DATA, "backbone.weights", "backbone.weights_cache", "threads", "device", "precision")
STORE = ("tracking.", "cache.")  # settings of where things are: a verification has its own cache
NEUTRAL = ("cache", "figures", "plan", "report", "resume", "tracking")  # change no result: as they are today
VERIFIES = "verifies"  # the tag of a verification: the run that it repeats
SHOWN = 20  # jobs of a sweep that a message names


class CannotVerifyError(ValueError):
    """What was recorded cannot be run again here; the message says why, and what to do."""


@dataclass(frozen=True)
class Past:
    """A finished run, as it was recorded.

    Parameters
    ----------
    folder
        Where its files are fetched to.
    """

    run: Recorded
    folder: Path

    @cached_property
    def trace(self) -> Trace:
        """Return what its stages gave."""
        try:
            return Trace.load(self._file(TRACE))
        except ValueError as error:
            raise CannotVerifyError(
                f"RUN_ID={self.run.id}: {error}; it was recorded before runs could be verified, or its files "
                f"are gone; {self._checkout}"
            ) from error

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Return its samples: id, content hash, cluster, and label where there is one."""
        import pandas as pd

        return pd.read_parquet(self._file(ASSIGNMENTS))

    def plan(self, settings: Sequence[str], scratch: Path) -> config.Plan:
        """Build its config with an empty cache, its own number of threads, and its own device.

        Parameters
        ----------
        settings
            `key=value`: what was moved since then, or is to be different, such as threads=1.
        """
        cfg = cast(DictConfig, OmegaConf.load(self._file("config.yaml")))
        today, tags = compose.compose_config([]), self.run.tags
        for key in NEUTRAL:
            cfg.pop(key, None)
        own = {key: today[key] for key in NEUTRAL if key in today} | {
            "cache.root": str(scratch),  # it is empty: nothing is read of the user's
            "cache.enabled": True,
            "tracking.uri": self.run.uri,
            "tracking.log_model": "none",
            "figures": "none",
            "report": "none",
        }
        restored = {"threads": int(tags["threads"]), "device": tags["device"], "precision": tags["dtype"]}
        for key, value in (own | restored | given(settings)).items():
            OmegaConf.update(cfg, key, value)
        try:
            return config.build(cfg, settings)
        except ValueError as error:
            why = str(error).partition("; if an experiment set it")[0]  # nothing is composed here
            if self._same_code():
                raise CannotVerifyError(f"RUN_ID={self.run.id}: {why}") from error
            raise CannotVerifyError(
                f"RUN_ID={self.run.id} has a config that this version of the framework refuses: {why}; "
                f"{self._checkout}"
            ) from error

    def _same_code(self) -> bool:
        try:
            return self.trace.circumstances.get("code") == code()
        except CannotVerifyError:
            return False

    @property
    def _checkout(self) -> str:
        commit = self.run.tags.get("git.commit", "none")
        if commit == "none":
            return "run it anew"
        dirty = self.run.tags.get("git.dirty") == "true"
        but = " (there were changes that were not committed)" if dirty else ""
        return f"git checkout {commit}{but} and verify it there, or run it anew"

    def _file(self, name: str) -> Path:
        try:
            return self.run.file(name, self.folder)
        except ValueError as error:
            raise CannotVerifyError(
                f"RUN_ID={self.run.id} has no {name} at {self.run.info.info.artifact_uri}; put its files "
                "back there, or run it anew"
            ) from error


def given(settings: Sequence[str]) -> dict[str, object]:
    """Read what a person typed; raise CannotVerifyError for what would make it another run."""
    found = {}
    for override in compose.parse(settings):
        key = str(override.key_or_group)
        if override.is_sweep_override() or (key not in MAY and not key.startswith(STORE)):
            raise CannotVerifyError(
                f"{override.input_line} would make it another run; use python run.py for that, and here only "
                f"{', '.join(MAY)} and tracking.uri"
            )
        if key in MAY:
            found[key] = override.value()
    return found


def refuse_unfinished(run: Recorded) -> None:
    """Raise CannotVerifyError for a run that has no result to compare with, or several."""
    if run.tags.get("sweep") == "parent":
        raise CannotVerifyError(_of_a_sweep(run))
    if run.status != "FINISHED":
        why = f" ({run.tags['error']})" if run.tags.get("error") else ""
        raise CannotVerifyError(f"RUN_ID={run.id} is {run.status}{why}; use a run that FINISHED")
    if "stopped" in run.tags:
        raise CannotVerifyError(
            f"RUN_ID={run.id} depends on how fast the machine was: its training stopped "
            f"{run.tags['stopped']}; use a run without backbone.max_minutes"
        )
    missing = [name for name in ("threads", "device", "dtype") if name not in run.tags]
    if missing:
        raise CannotVerifyError(
            f"RUN_ID={run.id} has no tag {missing[0]}, so this framework did not record it; use a run of it"
        )


def jobs(run: Recorded) -> list[Recorded]:
    """Return the jobs of a sweep, and of any other run itself."""
    if run.tags.get("sweep") != "parent":
        return [run]
    return [job for job in run.below() if VERIFIES not in job.tags]


def _of_a_sweep(run: Recorded) -> str:
    best = run.tags.get("best.run_id")
    names = [f"{job.id} {job.tags.get('mlflow.runName', '')}".strip() for job in jobs(run)]
    shown = "; ".join(names[:SHOWN]) + ("; ..." if len(names) > SHOWN else "")
    advice = f"its best job, {best}, or --all" if best else "one of them, or --all"
    return f"RUN_ID={run.id} is a sweep of {len(names)} jobs ({shown}); verify {advice}"
