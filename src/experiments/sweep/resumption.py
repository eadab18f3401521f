"""Resume a sweep: find it, check that it has the same jobs and data, and that no other process runs it."""

import logging
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from experiments import tracking
from experiments.job import run_folder
from experiments.job.perform import RESULT
from experiments.job.trace import TRACE, Trace
from experiments.recorded import PARENT_TAG, SUPERSEDED, PastRun
from experiments.sweep import outcomes
from experiments.sweep.state import FOLDER_TAG, KEY_TAG, RECORD, SweepState, recorded_sweep
from experiments.tracking.environment import environment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ResumableSweep:
    """An earlier sweep, with its folder, its state, and whether all its jobs are finished."""

    uri: str
    experiment_id: str
    state: SweepState
    folder: Path
    complete: bool


class DataKeys(NamedTuple):
    """Keys of a data set: `key` covers the input of models, `described` all that evaluators report."""

    key: str
    described: str


def find_resumable(word: str, new: SweepState, tracker: tracking.Tracker) -> ResumableSweep:
    """Return the sweep that `resume=word` refers to; raise ValueError if it cannot be resumed.

    Parameters
    ----------
    word
        `true` for the newest incomplete sweep of the same command, a sweep's id, or a sweep's folder.
    new
        The state of the current command's sweep.
    """
    run = _newest(new, tracker) if word.lower() == "true" else _by_id_or_folder(word, new, tracker.uri)
    tags = run.data.tags
    run_id, folder = run.info.run_id, Path(tags.get(FOLDER_TAG, ""))
    jobs = tracking.query(tracker.uri, lambda client: _jobs(client, run.info.experiment_id, run_id))
    _refuse_if_running(tracker.uri, run, jobs, is_typed=word.lower() != "true")
    if not folder.is_dir() and not jobs:  # killed before it made its folder
        folder.mkdir(parents=True)
    if not folder.is_dir():
        raise ValueError(
            f"resume={run_id}: its folder {folder} does not exist; run the command without resume, which "
            "reuses all cached steps"
        )
    recorded = {job.info.run_id for job in jobs if job.info.status == "FINISHED"}
    done = _finished(folder, run_id, recorded)
    before = _load_state(folder, run_id)
    threads = before.threads if before else new.threads  # a job's result may depend on them
    files = before.files if before else []
    state = replace(new, run_id=run_id, finished=done, files=files, threads=threads)
    complete = run.info.status == "FINISHED" and len(done) == len(new.jobs)
    if not complete:
        _compare_code(tags)
    return ResumableSweep(tracker.uri, run.info.experiment_id, state, folder, complete)


def refuse_other_data(sweep: ResumableSweep, data: Sequence[DataKeys]) -> None:
    """Raise ValueError if the data changed since a finished job ran.

    This includes everything that evaluators report about the data, such as tags and skipped files.

    Parameters
    ----------
    data
        The current data keys of each job.
    """
    advice = "run the command without resume, which reuses all cached steps"
    for number, name in sweep.state.finished.items():
        path = sweep.folder / name / TRACE
        if not path.exists():
            continue
        try:
            then = Trace.load(path)
        except ValueError as error:
            raise ValueError(
                f"resume={sweep.state.run_id}: {error} in {path.parent}: it is damaged, or from another "
                f"version of the framework; {advice}"
            ) from error
        now = data[int(number)]
        if then.steps.get("samples") != now.key or then.described not in ("", now.described):
            raise ValueError(
                f"resume={sweep.state.run_id}: the data changed since its {len(sweep.state.finished)} "
                f"finished jobs ran; restore it, or {advice}"
            )


def reopen(sweep: ResumableSweep) -> tracking.Run:
    """Reopen the sweep's run and remove unfinished results; its folder has to be locked."""
    run_id = sweep.state.run_id
    tracker = tracking.Tracker(sweep.uri, sweep.experiment_id)
    run = PastRun.of(sweep.uri, run_id).info
    if run.info.status == "RUNNING" and tracking.is_alive(sweep.uri, run.data.tags):
        raise ValueError(f"resume={run_id} was just resumed by another process; wait until it ends")
    recorded = tracking.query(sweep.uri, lambda client: tracker.reopen(run_id, sweep.folder))
    if "error" in run.data.tags:
        tracking.query(sweep.uri, lambda client: client.delete_tag(run_id, "error"))
    tracking.query(sweep.uri, lambda client: _supersede(client, sweep))
    _clear(sweep)
    sweep.state.save(sweep.folder)
    return recorded


def _newest(new: SweepState, tracker: tracking.Tracker) -> Any:
    """Return the newest sweep of the same command, preferably an incomplete one."""
    same = _sweeps(tracker, f" and tags.`{KEY_TAG}` = '{new.key}'")
    unfinished = [run for run in same if run.info.status != "FINISHED"]
    if unfinished or same:
        return (unfinished or same)[0]
    others = [run for run in _sweeps(tracker) if run.info.status not in ("FINISHED", "RUNNING")]
    if not others:
        raise ValueError("resume=true: no sweep is incomplete; run the command without resume")
    run_id, typed = others[0].info.run_id, others[0].data.tags.get("command", "an older one")
    raise ValueError(
        f"resume=true: this command was not run before; the newest incomplete sweep is {typed}; use that "
        f"command with resume={run_id}, or this one without resume"
    )


def _sweeps(tracker: tracking.Tracker, condition: str = "") -> list[Any]:
    """Return the parent runs of an experiment, newest first."""
    query = f"tags.`{PARENT_TAG}` = 'parent'{condition}"
    order = ["attributes.start_time DESC"]
    if not tracker.experiment_id:  # the data set has no recorded runs
        return []
    experiments = [tracker.experiment_id]
    return tracking.query(
        tracker.uri, lambda c: list(tracking.all_pages(c.search_runs, experiments, query, order_by=order))
    )


def _by_id_or_folder(word: str, new: SweepState, uri: str) -> Any:
    """Return a sweep's run by its id or folder; raise ValueError if its jobs differ from the command's."""
    single = "use the same command without resume"
    recorded = recorded_sweep(word, uri, "resume", "resume=", single)
    run, tags = recorded.info, recorded.tags
    if KEY_TAG not in tags:
        raise ValueError(
            f"resume={word} was recorded by a version that cannot resume sweeps; run the command without "
            "resume, which reuses all cached steps"
        )
    if tags[KEY_TAG] != new.key:
        raise ValueError(f"resume={word} is a sweep of {_difference(new, recorded)}")
    return run


def _difference(new: SweepState, run: PastRun) -> str:
    """Return the difference of a recorded sweep from the current command, and a suggestion."""
    folder = Path(run.tags.get(FOLDER_TAG, ""))
    if not (folder / RECORD).is_file():
        return f"another command, and its folder {folder} does not exist; run this one without resume"
    then = SweepState.load(folder)
    removed = [word for word in then.command if word not in new.command]
    added = [word for word in new.command if word not in then.command]
    if removed or added:
        changes = [f"it had {shlex.join(removed)}"] * bool(removed)
        changes += [f"this one has {shlex.join(added)}"] * bool(added)
        return f"another command: {', '.join(changes)}; use its command, or run this one without resume"
    if sorted(then.settings) == sorted(new.settings):
        return "the same jobs in another order; use the settings in their earlier order"
    changed = run.checkout and run.tags.get("git.commit") != environment()["git.commit"]
    return (
        "the same command with other settings: the configs in conf/, the code or the working directory "
        f"changed since; {f'{run.checkout} to resume it, or ' if changed else ''}run it without resume"
    )


def _refuse_if_running(uri: str, run: Any, jobs: Sequence[Any], *, is_typed: bool) -> None:
    """Raise ValueError if a process may still run the sweep; with a typed id, only if that is certain."""
    for record in [run, *jobs]:
        if record.info.status != "RUNNING":
            continue
        tags = record.data.tags
        process, host, alive = tags.get("process", "?"), tags.get("host", "?"), tracking.is_alive(uri, tags)
        if alive is False:
            continue
        if alive or not is_typed:
            hint = "" if alive else f"; if that process has ended, use resume={run.info.run_id}"
            raise ValueError(
                f"resume: sweep {run.info.run_id} still runs in process {process} on {host}; wait until it "
                f"ends, or stop it first{hint}"
            )
        log.warning("assuming that process %s on host %s has ended, which cannot be checked", process, host)


def _finished(folder: Path, parent: str, recorded: set[str]) -> dict[str, str]:
    """Return the folders of the jobs that are finished and recorded, by the jobs' numbers."""
    return {
        str(outcome.number): str(path.relative_to(folder))
        for path, outcome in outcomes.read_outcomes(folder, parent).items()
        if outcome.status == "FINISHED" and not outcome.unrecorded and outcome.run_id in recorded
    }


def _load_state(folder: Path, run_id: str) -> SweepState | None:
    """Return the state of a sweep; raise ValueError if its folder now belongs to another sweep."""
    if not (folder / RECORD).is_file():  # killed before it was written
        return None
    state = SweepState.load(folder)
    if state.run_id != run_id:
        raise ValueError(
            f"resume={run_id}: its folder {folder} was used again by sweep {state.run_id}; run the command "
            "without resume, which reuses all cached steps"
        )
    return state


def _supersede(client: Any, sweep: ResumableSweep) -> None:
    """Tag the runs of unfinished jobs as superseded, and delete their incomplete models."""
    experiments, parent = [sweep.experiment_id], sweep.state.run_id
    jobs = _jobs(client, sweep.experiment_id, parent)
    for run in jobs:
        if run.info.status != "FINISHED":
            client.set_tag(run.info.run_id, SUPERSEDED, "true")
    run_ids = {run.info.run_id for run in jobs}
    for model in tracking.all_pages(client.search_logged_models, experiments):  # no filter by status
        if model.source_run_id in run_ids and str(model.status) != "READY":
            client.delete_logged_model(model.model_id)


def _jobs(client: Any, experiment_id: str, parent: str) -> list[Any]:
    """Return the runs of a sweep's jobs."""
    query = f"tags.`mlflow.parentRunId` = '{parent}'"
    return list(tracking.all_pages(client.search_runs, [experiment_id], query))


def _clear(sweep: ResumableSweep) -> None:
    """Remove the results of unfinished jobs, which would mix with the new ones."""
    keep = {sweep.folder / name for name in sweep.state.finished.values()}
    for folder in outcomes.read_outcomes(sweep.folder, sweep.state.run_id):
        if folder in keep:
            continue
        if folder != sweep.folder:  # else the sweep's own files would be removed as well
            run_folder.clear(folder)
        (folder / RESULT).unlink(missing_ok=True)
        with suppress(OSError):  # it has files of the user
            folder.rmdir()


def _compare_code(tags: Mapping[str, str]) -> None:
    """Log a warning if the code or a library changed since the sweep started."""
    now = environment()
    names = [name for name in tags if name in now and name.startswith(("git.", "version.", "python"))]
    changed = [f"{name} {tags[name][:12]} -> {now[name][:12]}" for name in names if tags[name] != now[name]]
    if changed:
        log.warning("the code changed since the sweep started: %s", ", ".join(changed))
