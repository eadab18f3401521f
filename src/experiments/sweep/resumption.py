"""Which sweep a command goes on with: what it was asked, what of it is done, and who works on it."""

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
from experiments.sweep.record import FOLDER_TAG, KEY_TAG, RECORD, Record, recorded_sweep
from experiments.tracking.environment import environment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Begun:
    """A sweep that began before: its parent run, its folder, and what of it is finished."""

    uri: str
    experiment_id: str
    record: Record
    folder: Path
    complete: bool


class Data(NamedTuple):
    """What names a data set: what is learnt from it, and all that evaluators tell of it."""

    key: str
    described: str


def find(word: str, asked: Record, tracker: tracking.Tracker) -> Begun:
    """Return the sweep that `resume=word` means; raise ValueError if it is not to be resumed.

    Parameters
    ----------
    word
        `true` for the newest sweep of the same command that is not complete, a parent run's id, or a
        sweep's folder.
    """
    run = _newest(asked, tracker) if word.lower() == "true" else _named(word, asked, tracker.uri)
    tags = run.data.tags
    run_id, folder = run.info.run_id, Path(tags.get(FOLDER_TAG, ""))
    jobs = tracking.query(tracker.uri, lambda client: _jobs(client, run.info.experiment_id, run_id))
    _refuse_if_at_work(tracker.uri, run, jobs, sure=word.lower() != "true")
    if not folder.is_dir() and not jobs:  # killed before it made one
        folder.mkdir(parents=True)
    if not folder.is_dir():
        raise ValueError(
            f"resume={run_id}: its folder {folder} is not here; run the command without resume, which "
            "computes nothing twice that is kept"
        )
    recorded = {one.info.run_id for one in jobs if one.info.status == "FINISHED"}
    done = _finished(folder, run_id, recorded)
    before = _record(folder, run_id)
    threads = before.threads if before else asked.threads  # a job's result may depend on them
    files = before.files if before else []
    record = replace(asked, run_id=run_id, finished=done, files=files, threads=threads)
    complete = run.info.status == "FINISHED" and len(done) == len(asked.jobs)
    if not complete:
        _compare_code(tags)
    return Begun(tracker.uri, run.info.experiment_id, record, folder, complete)


def refuse_other_data(begun: Begun, data: Sequence[Data]) -> None:
    """Raise ValueError if a job that is finished saw other data than the missing ones would.

    What evaluators tell of it counts as well, such as tags and files that were left out.

    Parameters
    ----------
    data
        Of each job, its data set as it is now.
    """
    anew = "run the command without resume, which computes nothing twice that is kept"
    for number, place in begun.record.finished.items():
        path = begun.folder / place / TRACE
        if not path.exists():
            continue
        try:
            then = Trace.load(path)
        except ValueError as error:
            raise ValueError(
                f"resume={begun.record.run_id}: {error} in {path.parent}: it is damaged, or of another "
                f"version of the framework; {anew}"
            ) from error
        now = data[int(number)]
        if then.steps.get("samples") != now.key or then.described not in ("", now.described):
            raise ValueError(
                f"resume={begun.record.run_id}: the data is not what its {len(begun.record.finished)} "
                f"finished jobs saw; put it back as it was, or {anew}"
            )


def reopen(begun: Begun) -> tracking.Run:
    """Make room for the jobs that are missing, and go on with the parent run; its folder is held."""
    run_id = begun.record.run_id
    tracker = tracking.Tracker(begun.uri, begun.experiment_id)
    run = PastRun.of(begun.uri, run_id).info
    if run.info.status == "RUNNING" and tracking.is_alive(begun.uri, run.data.tags):
        raise ValueError(f"resume={run_id} was just resumed by another process; wait for it")
    recorded = tracking.query(begun.uri, lambda client: tracker.reopen(run_id, begun.folder))
    if "error" in run.data.tags:
        tracking.query(begun.uri, lambda client: client.delete_tag(run_id, "error"))
    tracking.query(begun.uri, lambda client: _supersede(client, begun))
    _clear(begun)
    begun.record.save(begun.folder)
    return recorded


def _newest(asked: Record, tracker: tracking.Tracker) -> Any:
    same = _sweeps(tracker, f" and tags.`{KEY_TAG}` = '{asked.key}'")
    unfinished = [run for run in same if run.info.status != "FINISHED"]
    if unfinished or same:
        return (unfinished or same)[0]
    others = [run for run in _sweeps(tracker) if run.info.status not in ("FINISHED", "RUNNING")]
    if not others:
        raise ValueError("resume=true: no sweep was interrupted or had failed jobs; run it without resume")
    run_id, typed = others[0].info.run_id, others[0].data.tags.get("command", "an older one")
    raise ValueError(
        f"resume=true: no sweep of this command began; the newest that is not complete is {typed}; type that "
        f"command with resume={run_id}, or this one without resume"
    )


def _sweeps(tracker: tracking.Tracker, more: str = "") -> list[Any]:
    """Return the parent runs of an experiment, newest first."""
    query = f"tags.`{PARENT_TAG}` = 'parent'{more}"
    order = ["attributes.start_time DESC"]
    if not tracker.experiment_id:  # nothing was recorded of this data set
        return []
    place = [tracker.experiment_id]
    return tracking.query(
        tracker.uri, lambda c: list(tracking.all_pages(c.search_runs, place, query, order_by=order))
    )


def _named(word: str, asked: Record, uri: str) -> Any:
    """Return a sweep's run by its id or folder; raise ValueError if its jobs are not those of the command."""
    alone = "use the same command without resume"
    recorded = recorded_sweep(word, uri, "resume", "resume=", alone)
    run, tags = recorded.info, recorded.tags
    if KEY_TAG not in tags:
        raise ValueError(
            f"resume={word} was recorded before sweeps could be resumed; run the command without resume, "
            "which computes nothing twice that is kept"
        )
    if tags[KEY_TAG] != asked.key:
        raise ValueError(f"resume={word} is a sweep of {_difference(asked, recorded)}")
    return run


def _difference(asked: Record, run: PastRun) -> str:
    """Say in what a sweep differs from what is asked now."""
    folder = Path(run.tags.get(FOLDER_TAG, ""))
    if not (folder / RECORD).is_file():
        return f"another command, and its folder {folder} is not here; run this one without resume"
    then = Record.load(folder)
    gone = [word for word in then.command if word not in asked.command]
    new = [word for word in asked.command if word not in then.command]
    if gone or new:
        changes = [f"it had {shlex.join(gone)}"] * bool(gone)
        changes += [f"now there is {shlex.join(new)}"] * bool(new)
        return f"another command: {', '.join(changes)}; type its command, or run this one without resume"
    if sorted(then.settings) == sorted(asked.settings):
        return "the same jobs in another order; type the settings as they were"
    changed = run.checkout and run.tags.get("git.commit") != environment()["git.commit"]
    return (
        "the same words, but its settings differ: the configs in conf/, the code or the working directory "
        f"changed since; {f'{run.checkout} to resume it, or ' if changed else ''}run it without resume"
    )


def _refuse_if_at_work(uri: str, run: Any, jobs: Sequence[Any], *, sure: bool) -> None:
    """Raise ValueError if a process works on a sweep; if that is unknown, believe an id that was typed."""
    for record in [run, *jobs]:
        if record.info.status != "RUNNING":
            continue
        tags = record.data.tags
        process, host, alive = tags.get("process", "?"), tags.get("host", "?"), tracking.is_alive(uri, tags)
        if alive is False:
            continue
        if alive or not sure:
            hint = "" if alive else f"; if it is gone, type resume={run.info.run_id}"
            raise ValueError(
                f"resume: sweep {run.info.run_id} still runs in process {process} on {host}; wait for it, "
                f"or stop it first{hint}"
            )
        log.warning("process %s on %s, which cannot be asked from here, is taken as gone", process, host)


def _finished(folder: Path, parent: str, recorded: set[str]) -> dict[str, str]:
    """Return the folders of the jobs whose results are whole and recorded, by their numbers."""
    return {
        str(outcome.number): str(place.relative_to(folder))
        for place, outcome in outcomes.left(folder, parent).items()
        if outcome.status == "FINISHED" and not outcome.lost and outcome.run_id in recorded
    }


def _record(folder: Path, run_id: str) -> Record | None:
    """Return what the sweep wrote down; raise ValueError if its folder has another one by now."""
    if not (folder / RECORD).is_file():  # killed before it was written
        return None
    record = Record.load(folder)
    if record.run_id != run_id:
        raise ValueError(
            f"resume={run_id}: its folder {folder} was used again by sweep {record.run_id}; run the command "
            "without resume, which computes nothing twice that is kept"
        )
    return record


def _supersede(client: Any, begun: Begun) -> None:
    """Mark the runs of jobs that did not finish, which are repeated, and drop models recorded in half."""
    place, parent = [begun.experiment_id], begun.record.run_id
    jobs = _jobs(client, begun.experiment_id, parent)
    for run in jobs:
        if run.info.status != "FINISHED":
            client.set_tag(run.info.run_id, SUPERSEDED, "true")
    own = {run.info.run_id for run in jobs}
    for model in tracking.all_pages(client.search_logged_models, place):  # MLflow cannot filter by status
        if model.source_run_id in own and str(model.status) != "READY":
            client.delete_logged_model(model.model_id)


def _jobs(client: Any, experiment_id: str, parent: str) -> list[Any]:
    """Return the runs below a sweep's."""
    query = f"tags.`mlflow.parentRunId` = '{parent}'"
    return list(tracking.all_pages(client.search_runs, [experiment_id], query))


def _clear(begun: Begun) -> None:
    """Remove what attempts left that did not finish: they would stand beside what is made now."""
    keep = {begun.folder / place for place in begun.record.finished.values()}
    for place in outcomes.left(begun.folder, begun.record.run_id):
        if place in keep:
            continue
        if place != begun.folder:  # else the sweep's own files are among those that are named
            run_folder.clear(place)
        (place / RESULT).unlink(missing_ok=True)
        with suppress(OSError):  # it holds what a person put there
            place.rmdir()


def _compare_code(tags: Mapping[str, str]) -> None:
    """Say so if the code or a library is not what the sweep began with."""
    now = environment()
    names = [name for name in tags if name in now and name.startswith(("git.", "version.", "python"))]
    changed = [f"{name} {tags[name][:12]} -> {now[name][:12]}" for name in names if tags[name] != now[name]]
    if changed:
        log.warning("the sweep goes on with other code than it began with: %s", ", ".join(changed))
