"""The recorded config, trace and table of a past run, and a plan to run it again."""

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
from experiments.recorded import PastRun
from experiments.recorded.samples import DATA_PATHS
from experiments.store.values import OtherCodeError
from experiments.tracking.environment import code

if TYPE_CHECKING:
    import pandas as pd

ALLOWED = (*DATA_PATHS, "backbone.weights", "backbone.weights_cache", "threads", "device", "precision")
ACCEPTED = f"verify.py only takes {', '.join(ALLOWED)} and tracking.uri"
RESULT_NEUTRAL = ("cache", "figures", "plan", "report", "resume", "tracking")  # do not affect results
VERIFIES = "verifies"  # tag of a verification: id of the verified run
SHOWN_JOBS = 20  # in a message


class CannotVerifyError(ValueError):
    """The run cannot be verified here; the message has the reason and a suggestion."""


@dataclass(frozen=True)
class RecordedConfig:
    """The recorded config of a finished run, with its trace and its table of samples.

    Parameters
    ----------
    folder
        Folder for downloaded files.
    """

    run: PastRun
    folder: Path

    @cached_property
    def trace(self) -> Trace:
        """Return its trace: digests of all stages' outputs, and the metrics."""
        path = self._file(TRACE)
        try:
            return Trace.load(path)
        except ValueError as error:
            raise CannotVerifyError(
                f"RUN_ID={self.run.id}: {error}: it is damaged, or from another version of the framework; "
                f"{self._checkout}"
            ) from error

    @cached_property
    def table(self) -> "pd.DataFrame":
        """Return its samples: id, content hash, cluster, and label if there are labels."""
        import pandas as pd

        path = self._file(ASSIGNMENTS)
        try:
            return pd.read_parquet(path)
        except (ValueError, OSError) as error:
            raise self._damaged(path, error) from error

    def plan(self, settings: Sequence[str], scratch: Path) -> Plan:
        """Return its plan with an empty cache and the recorded threads, device and precision.

        Parameters
        ----------
        settings
            `key=value`: changed paths, or intended differences such as threads=1.
        """
        cfg = self._config()
        defaults, tags = compose.compose_config([]), self.run.tags
        for key in RESULT_NEUTRAL:
            cfg.pop(key, None)
        overrides = {key: defaults[key] for key in RESULT_NEUTRAL if key in defaults} | {
            "cache.root": str(scratch),  # empty, so that nothing is reused
            "cache.enabled": True,
            "tracking.uri": self.run.uri,
            "tracking.log_model": "none",
            "figures": "none",
            "report": "none",
        }
        restored = {"threads": int(tags["threads"]), "device": tags["device"], "precision": tags["dtype"]}
        for key, value in (overrides | restored | allowed_overrides(settings)).items():
            OmegaConf.update(cfg, key, value)
        try:
            return self._with_recorded_name(build(cfg, settings), has_name="name" in cfg.dataset)
        except OtherCodeError as error:
            why = error.why if error.ours else str(error)
            raise self._refusal(why, user_code=not error.ours) from error
        except ValueError as error:
            raise self._refusal(error.fact if isinstance(error, SettingError) else str(error)) from error

    def _with_recorded_name(self, plan: Plan, *, has_name: bool) -> Plan:
        """Set the recorded name of the data set, as older runs had no `dataset.name`."""
        dataset = plan.stages.dataset
        if has_name or not self.run.data or "name" not in {f.name for f in fields(dataset)}:  # type: ignore[arg-type]
            return plan
        dataset = replace(dataset, name=self.run.data)  # type: ignore[type-var]
        return replace(plan, stages=replace(plan.stages, dataset=dataset))

    def _refusal(self, why: str, *, user_code: bool = False) -> CannotVerifyError:
        if user_code or self._same_code():
            return CannotVerifyError(f"RUN_ID={self.run.id}: {why}")
        return CannotVerifyError(
            f"RUN_ID={self.run.id} has a config that this version of the framework refuses: {why}; "
            f"{self._checkout}"
        )

    def _config(self) -> DictConfig:
        path = self._file("config.yaml")
        try:
            cfg = OmegaConf.load(path)
        except (YAMLError, OmegaConfBaseException, ValueError, OSError) as error:
            raise self._damaged(path, error) from error
        if not isinstance(cfg, DictConfig) or not cfg:
            raise self._damaged(path, ValueError("it has no settings"))
        return cfg

    def _damaged(self, path: Path, error: Exception) -> CannotVerifyError:
        why = " ".join(str(error).replace(str(path), path.name).split())
        location = self.run.info.info.artifact_uri
        return CannotVerifyError(
            f"RUN_ID={self.run.id}: {path.name} at {location} is damaged ({why}); restore the file, or run "
            "it again"
        )

    def _same_code(self) -> bool:
        try:
            return self.trace.circumstances.get("code") == code()
        except CannotVerifyError:
            return False

    @property
    def _checkout(self) -> str:
        return (
            f"{self.run.checkout} and verify it there, or run it again"
            if self.run.checkout
            else "run it again"
        )

    def _file(self, name: str) -> Path:
        try:
            return self.run.file(name, self.folder)
        except ValueError as error:
            raise CannotVerifyError(
                f"RUN_ID={self.run.id} has no {name} at {self.run.info.info.artifact_uri}; restore its files "
                "there, or run it again"
            ) from error


def allowed_overrides(settings: Sequence[str]) -> dict[str, object]:
    """Return the typed settings by key; raise CannotVerifyError for a setting that changes the run."""
    values = {}
    for override in compose.parse(settings):
        key = str(override.key_or_group)
        if override.is_sweep_override() or (key not in ALLOWED and not key.startswith(compose.STORAGE_KEYS)):
            close = difflib.get_close_matches(key, [*ALLOWED, "tracking.uri"], n=1, cutoff=0.8)
            use = (
                f"did you mean {close[0]}?"
                if close and close[0] != key
                else f"use python run.py for that, as {ACCEPTED}"
            )
            raise CannotVerifyError(f"{override.input_line} would make it a different run; {use}")
        if key in ALLOWED:
            values[key] = override.value()
    return values


def refuse_unfinished(run: PastRun) -> None:
    """Raise CannotVerifyError for a run without a complete, reproducible result."""
    if run.status != "FINISHED":
        why = f" ({run.tags['error']})" if run.tags.get("error") else ""
        wait = "wait for its end, or " if run.status == "RUNNING" else ""
        raise CannotVerifyError(f"RUN_ID={run.id} is {run.status}{why}; {wait}use a run that FINISHED")
    if "stopped" in run.tags:
        raise CannotVerifyError(
            f"RUN_ID={run.id} depends on the speed of the machine: its training stopped "
            f"{run.tags['stopped']}; use a run without backbone.max_minutes"
        )
    missing = [name for name in ("threads", "device", "dtype") if name not in run.tags]
    if missing:
        raise CannotVerifyError(
            f"RUN_ID={run.id} has no tag {missing[0]}, so it was not recorded by this framework; use a run "
            "of this framework"
        )


def jobs(run: PastRun) -> list[PastRun]:
    """Return the jobs of a sweep; [run] for any other run."""
    if not is_sweep(run):
        return [run]
    return [job for job in run.below() if VERIFIES not in job.tags]


def best_job(run: PastRun) -> PastRun:
    """Return the best job of a sweep; raise CannotVerifyError that names the jobs if it has none."""
    if run.best is not run:
        return run.best
    names = [f"{job.id} {job.name}" for job in jobs(run)]
    shown = "; ".join(names[:SHOWN_JOBS]) + ("; ..." if len(names) > SHOWN_JOBS else "")
    some = f" ({shown}); verify one of them, or all with --all" if names else "; use a run that FINISHED"
    raise CannotVerifyError(f"RUN_ID={run.id} is a sweep of {len(names)} jobs without a best job{some}")


def is_sweep(run: PastRun) -> bool:
    """Return True if it is the run of a sweep, not of a job or a single run."""
    return run.is_sweep
