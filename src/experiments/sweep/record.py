"""What a sweep was asked and what is done of it: sweep.json in its folder, and tags of its run."""

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
ABOUT_RESULTS = ("seed", "protocol", "device", "precision", "threads")  # settings beside the stages'


@dataclass(frozen=True)
class Record:
    """What a sweep was asked and what is done of it, kept as sweep.json in its folder.

    Parameters
    ----------
    command
        The overrides that were typed, without Hydra's own.
    jobs
        The overrides of each job, without Hydra's own.
    settings
        A hash of each job's settings, wherever they come from: equal ones give equal results.
    swept
        The keys that the jobs differ in.
    run_id
        The parent run.
    finished
        The folders of the jobs that earlier attempts finished, by their numbers.
    files
        What was written over all jobs.
    threads
        What threads=auto means to every job, 0 if that was not written down.
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
    def of(cls, request: Request) -> "Record":
        """Describe a sweep before it begins."""
        jobs = [outcomes.own(overrides) for overrides in request.jobs]
        settings = [_hash(plan) for plan in request.plans]
        return cls(outcomes.own(request.typed), jobs, settings, request.swept, threads=request.threads)

    @property
    def key(self) -> str:
        """Name what was asked: two sweeps of one key have the same jobs, in the same order."""
        return hashlib.sha256(json.dumps([self.swept, self.settings]).encode()).hexdigest()[:16]

    def tags(self, folder: Path) -> dict[str, str]:
        """Return what finds the sweep again in its store."""
        swept = json.dumps(self.swept)
        return {PARENT_TAG: "parent", KEY_TAG: self.key, FOLDER_TAG: str(folder), SWEPT_TAG: swept}

    def save(self, folder: Path) -> None:
        """Write sweep.json."""
        partial = folder / f"{RECORD}.partial"
        partial.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        partial.replace(folder / RECORD)

    @classmethod
    def load(cls, folder: Path) -> "Record":
        """Read what `save` wrote; raise ValueError if that was another version of this."""
        try:
            return cls(**json.loads((folder / RECORD).read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{folder / RECORD} is damaged, or of another version of the framework ({error}); run the "
                "command without resume, which computes nothing twice that is kept"
            ) from error


@cache
def finished(sweep: Path) -> Mapping[int, Path]:
    """Return the folders of the jobs that earlier attempts of a sweep finished, by their numbers."""
    return {int(number): sweep / place for number, place in Record.load(sweep).finished.items()}


def recorded_sweep(word: str, uri: str, key: str, again: str, alone: str) -> PastRun:
    """Find a sweep's run by its id or its folder.

    Parameters
    ----------
    key
        What the word was typed as.
    again
        What stands before the id of the sweep to type instead of one of its jobs.
    alone
        What to do with a run that is in no sweep.

    Raises
    ------
    ValueError
        If there is none.
    """
    folder = Path(word)
    if folder.is_dir() and not (folder / RECORD).is_file():
        raise ValueError(f"{key}={word} holds no {RECORD}; give a sweep's folder, or its run's id")
    run = PastRun.of(uri, Record.load(folder).run_id if folder.is_dir() else word, key)
    if not run.is_sweep:
        above = run.tags.get("mlflow.parentRunId")  # of a verification, the run that it repeats
        is_job = above and PastRun.of(uri, above).is_sweep
        hint = f"use {again}{above}, the sweep that it belongs to" if is_job else alone
        raise ValueError(f"{key}={word} is a single run; {hint}")
    return run


def _hash(plan: Plan) -> str:
    """Name a job's settings, and the code of its stages.

    Paths in its stages are absolute, so another working directory is another.
    """
    about = [getattr(plan.settings, name) for name in ABOUT_RESULTS]
    stages = [*(getattr(plan.stages, group) for group in GROUPS), *plan.stages.evaluators.values()]
    versions = [(type(stage).__module__, getattr(type(stage), "VERSION", 0)) for stage in stages]
    return hashlib.sha256(repr((plan.stages, versions, about)).encode()).hexdigest()[:16]
