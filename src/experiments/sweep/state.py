"""State of a sweep: its jobs, and which of them are finished (sweep.json, and tags of its run)."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from experiments.config.command_line import Request
from experiments.config.plan import Plan
from experiments.config.stage import GROUPS
from experiments.recorded import PARENT_TAG, PastRun
from experiments.sweep import outcomes

RECORD = "sweep.json"
KEY_TAG, FOLDER_TAG, SWEPT_TAG = "sweep.key", "sweep.folder", "sweep.swept"
RESULT_SETTINGS = ("seed", "protocol", "device", "precision", "threads")  # settings besides the stages'


@dataclass(frozen=True)
class SweepState:
    """Jobs of a sweep and which of them are finished, saved as sweep.json in its folder.

    Parameters
    ----------
    command
        The typed overrides, without Hydra's own.
    jobs
        The overrides of each job, without Hydra's own.
    settings
        A hash of each job's settings; jobs with equal hashes have equal results.
    swept
        The keys whose values differ between the jobs.
    run_id
        The id of the sweep's run.
    finished
        The folders of the jobs that earlier attempts finished, by the jobs' numbers.
    files
        The files of the sweep itself, such as tables and figures of all jobs.
    threads
        Threads of each job with threads=auto; 0 if unknown.
    """

    command: list[str]
    jobs: list[list[str]]
    settings: list[str]
    swept: list[str]
    run_id: str = ""
    finished: dict[str, str] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    threads: int = 0

    @classmethod
    def of(cls, request: Request) -> "SweepState":
        """Return the state of a sweep before it starts."""
        jobs = [outcomes.without_hydra(overrides) for overrides in request.jobs]
        settings = [_hash(plan) for plan in request.plans]
        command = outcomes.without_hydra(request.typed)
        return cls(command, jobs, settings, request.swept, threads=request.threads)

    @property
    def key(self) -> str:
        """Key of the sweep's jobs: sweeps with equal keys have the same jobs in the same order."""
        return hashlib.sha256(json.dumps([self.swept, self.settings]).encode()).hexdigest()[:16]

    def tags(self, folder: Path) -> dict[str, str]:
        """Return the tags by which a command finds the sweep in MLflow."""
        swept = json.dumps(self.swept)
        return {PARENT_TAG: "parent", KEY_TAG: self.key, FOLDER_TAG: str(folder), SWEPT_TAG: swept}

    def save(self, folder: Path) -> None:
        """Write sweep.json."""
        partial = folder / f"{RECORD}.partial"
        partial.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        partial.replace(folder / RECORD)

    @classmethod
    def load(cls, folder: Path) -> "SweepState":
        """Return the state of a folder's sweep.json; raise ValueError if another version wrote it."""
        try:
            return cls(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{folder / RECORD} is damaged, or from another version of the framework ({error}); run the "
                "command without resume, which reuses all cached steps"
            ) from error


@cache
def finished_folders(sweep: Path) -> Mapping[int, Path]:
    """Return the folders of the jobs that earlier attempts finished, by the jobs' numbers."""
    return {int(number): sweep / path for number, path in SweepState.load(sweep).finished.items()}


def recorded_sweep(word: str, uri: str, key: str, prefix: str, single: str) -> PastRun:
    """Return a sweep's run by its id or folder.

    Parameters
    ----------
    key
        The setting or argument of `word`, for error messages.
    prefix
        Text before the sweep's id in the advice for a job's id.
    single
        The advice for a run that is not part of a sweep.

    Raises
    ------
    ValueError
        It is not a sweep.
    """
    folder = Path(word)
    if folder.is_dir() and not (folder / RECORD).is_file():
        raise ValueError(f"{key}={word} has no {RECORD}; use a sweep's folder, or its run's id")
    run = PastRun.of(uri, SweepState.load(folder).run_id if folder.is_dir() else word, key)
    if not run.is_sweep:
        parent = run.tags.get("mlflow.parentRunId")  # the parent of a verification is the run that it repeats
        is_job = parent and PastRun.of(uri, parent).is_sweep
        hint = f"use {prefix}{parent}, the sweep that it belongs to" if is_job else single
        raise ValueError(f"{key}={word} is a single run; {hint}")
    return run


def _hash(plan: Plan) -> str:
    """Return a hash of a job's settings, and of its stages' versions and metrics.

    Paths of stages are absolute, so the hash changes with the working directory.
    """
    about = [getattr(plan.settings, name) for name in RESULT_SETTINGS]
    stages = [*(getattr(plan.stages, group) for group in GROUPS), *plan.stages.evaluators.values()]
    versions = [(type(stage).__module__, getattr(type(stage), "VERSION", 0)) for stage in stages]
    metrics = [sorted(getattr(stage, "METRICS", ())) for stage in stages]
    return hashlib.sha256(repr((plan.stages, versions, metrics, about)).encode()).hexdigest()[:16]
