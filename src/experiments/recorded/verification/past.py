"""A run as it was recorded, and its config made ready to be run again."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from experiments.config import compose
from experiments.config.build import build
from experiments.config.mistakes import SettingError
from experiments.config.plan import Plan
from experiments.job.artifacts import ASSIGNMENTS
from experiments.job.trace import TRACE, Trace
from experiments.recorded import Recorded
from experiments.recorded.samples import DATA
from experiments.store.values import OtherCodeError
from experiments.tracking.environment import code

if TYPE_CHECKING:
    import pandas as pd

MAY = (*DATA, "backbone.weights", "backbone.weights_cache", "threads", "device", "precision")
HERE = f", and here only {', '.join(MAY)} and tracking.uri"
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
        path = self._file(TRACE)
        try:
            return Trace.load(path)
        except ValueError as error:
            raise CannotVerifyError(
                f"RUN_ID={self.run.id}: {error}: it is damaged, or of another version of the framework; "
                f"{self._checkout}"
            ) from error

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Return its samples: id, content hash, cluster, and label where there is one."""
        import pandas as pd

        path = self._file(ASSIGNMENTS)
        try:
            return pd.read_parquet(path)
        except (ValueError, OSError) as error:
            raise self._damaged(path, error) from error

    def plan(self, settings: Sequence[str], scratch: Path) -> Plan:
        """Build its config with an empty cache, its own number of threads, and its own device.

        Parameters
        ----------
        settings
            `key=value`: what was moved since then, or is to be different, such as threads=1.
        """
        cfg = self._config()
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
            return self._named(build(cfg, settings), known="name" in cfg.dataset)
        except OtherCodeError as error:
            why = error.why if error.ours else str(error)
            raise self._refused(why, of_the_user=not error.ours) from error
        except ValueError as error:  # nothing is composed here
            raise self._refused(error.fact if isinstance(error, SettingError) else str(error)) from error

    def _named(self, plan: Plan, *, known: bool) -> Plan:
        """Name the data set as the run did: runs before `dataset.name` took the last part of its path."""
        dataset = plan.stages.dataset
        if known or not self.run.data or "name" not in {f.name for f in fields(dataset)}:  # type: ignore[arg-type]
            return plan
        dataset = replace(dataset, name=self.run.data)  # type: ignore[type-var]
        return replace(plan, stages=replace(plan.stages, dataset=dataset))

    def _refused(self, why: str, *, of_the_user: bool = False) -> CannotVerifyError:
        if of_the_user or self._same_code():
            return CannotVerifyError(f"RUN_ID={self.run.id}: {why}")
        return CannotVerifyError(
            f"RUN_ID={self.run.id} has a config that this version of the framework refuses: {why}; "
            f"{self._checkout}"
        )

    def _config(self) -> DictConfig:
        path = self._file("config.yaml")
        try:
            found = OmegaConf.load(path)
        except (YAMLError, OmegaConfBaseException, ValueError, OSError) as error:
            raise self._damaged(path, error) from error
        if not isinstance(found, DictConfig) or not found:
            raise self._damaged(path, ValueError("it holds no settings"))
        return found

    def _damaged(self, path: Path, error: Exception) -> CannotVerifyError:
        why = " ".join(str(error).replace(str(path), path.name).split())
        place = self.run.info.info.artifact_uri
        return CannotVerifyError(
            f"RUN_ID={self.run.id}: {path.name} at {place} is damaged ({why}); put the file back, or run it "
            "anew"
        )

    def _same_code(self) -> bool:
        try:
            return self.trace.circumstances.get("code") == code()
        except CannotVerifyError:
            return False

    @property
    def _checkout(self) -> str:
        return (
            f"{self.run.checkout} and verify it there, or run it anew" if self.run.checkout else "run it anew"
        )

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
        if override.is_sweep_override() or (key not in MAY and not key.startswith(compose.STORAGE_KEYS)):
            close = difflib.get_close_matches(key, [*MAY, "tracking.uri"], n=1, cutoff=0.8)
            use = (
                f"did you mean {close[0]}?"
                if close and close[0] != key
                else f"use python run.py for that{HERE}"
            )
            raise CannotVerifyError(f"{override.input_line} would make it another run; {use}")
        if key in MAY:
            found[key] = override.value()
    return found


def refuse_unfinished(run: Recorded) -> None:
    """Raise CannotVerifyError for a run that has no result to compare with."""
    if run.status != "FINISHED":
        why = f" ({run.tags['error']})" if run.tags.get("error") else ""
        wait = "wait for its end, or " if run.status == "RUNNING" else ""
        raise CannotVerifyError(f"RUN_ID={run.id} is {run.status}{why}; {wait}use a run that FINISHED")
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
    if not of_a_sweep(run):
        return [run]
    return [job for job in run.below() if VERIFIES not in job.tags]


def best_job(run: Recorded) -> Recorded:
    """Return the best job of a sweep; raise CannotVerifyError that names the jobs if it has none."""
    if run.best is not run:
        return run.best
    names = [f"{job.id} {job.name}" for job in jobs(run)]
    shown = "; ".join(names[:SHOWN]) + ("; ..." if len(names) > SHOWN else "")
    some = f" ({shown}); verify one of them, or all with --all" if names else "; use a run that FINISHED"
    raise CannotVerifyError(f"RUN_ID={run.id} is a sweep of {len(names)} jobs, and none is its best{some}")


def of_a_sweep(run: Recorded) -> bool:
    """Tell a sweep's own run from those of its jobs, and from single ones."""
    return run.is_sweep
