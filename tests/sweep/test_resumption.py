"""Resuming a sweep: which one is found, which jobs are repeated, and what is refused."""

import os
import shutil
import socket
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.messages import says

import experiments
from experiments import launch, sweep, tracking
from experiments.config import command_line, compose
from experiments.config.invocation import Invocation
from experiments.config.plan import Cache, Plan, Tracking
from experiments.job import run_folder
from experiments.job.perform import Outcome
from experiments.job.trace import Trace
from experiments.recorded import SUPERSEDED
from experiments.sweep import jobs, resumption, state
from experiments.sweep.state import SweepState

pytestmark = pytest.mark.slow

COMMAND = ["backbone=pixels", "cluster.k=10,20,30", "hydra/launcher=joblib"]


def read(*words: str) -> command_line.Request:
    return command_line.parse_request(command_line.parse_arguments(["-m", *words]))


def asked(*words: str) -> SweepState:
    return SweepState.of(read(*words))


@pytest.fixture(scope="module")
def command() -> SweepState:
    """Return the state of the sweep that most tests resume."""
    return asked(*COMMAND)


@pytest.fixture
def tracker(uri: str, tmp_path: Path) -> tracking.Tracker:
    """Open an experiment without a run."""
    return tracking.connect(Tracking(uri), tmp_path.name)


@pytest.fixture
def plan(tracker: tracking.Tracker, tmp_path: Path) -> Plan:
    parts: dict[str, Any] = {
        "tracking": Tracking(tracker.uri, tmp_path.name, log_model="none"),
        "cache": Cache(str(tmp_path / "cache")),
        "settings": SimpleNamespace(figures="none", report="none", objective="ari"),
        "stages": SimpleNamespace(dataset=SimpleNamespace(display_name="digits"), evaluators={}),
    }
    return SimpleNamespace(**parts)  # type: ignore[return-value]


@pytest.fixture
def made(plan: Plan, command: SweepState, tmp_path: Path) -> sweep.Sweep:
    """Start a sweep of three jobs."""
    return sweep.Sweep(plan, tmp_path / "sweep", ["cluster.k"], command.jobs, command)


def work(made: sweep.Sweep, number: int, status: str = "FINISHED") -> str:
    """Record a run and write a result into its folder, as a job does; return the run's id."""
    run = tracking.tracker_below(made.parent).open("job", made.folder / str(number), params={}, tags={})
    metrics = {"ari": number / 10} if status == "FINISHED" else {}
    about: dict[str, Any] = {"status": status, "metrics": metrics, "run_id": run.id}
    outcome = Outcome([f"cluster.k={number}"], number, made.run.id, **about)
    outcome.save(made.folder / str(number))
    run.end(status)
    return run.id


def status(tracker: tracking.Tracker, run_id: str) -> str:
    return str(tracker.client.get_run(run_id).info.status)


def fail_one(made: sweep.Sweep) -> list[str]:
    """End a sweep whose second of three jobs failed; return the runs' ids."""
    runs = [work(made, number, "FAILED" if number == 1 else "FINISHED") for number in range(3)]
    made.close()
    return runs


def test_only_what_did_not_finish_is_repeated_in_the_same_place(
    made: sweep.Sweep, plan: Plan, command: SweepState, tracker: tracking.Tracker
) -> None:
    runs = fail_one(made)
    elsewhere = replace(command, threads=64)  # on other cores, or with another launcher
    begun = resumption.find_resumable("true", elsewhere, tracker)
    assert begun.state.threads == command.threads > 0
    assert (begun.state.run_id, begun.folder, begun.complete) == (made.run.id, made.folder, False)
    assert begun.state.finished == {"0": "0", "2": "2"}
    again = sweep.Sweep(plan, begun.folder, ["cluster.k"], command.jobs, command, begun)
    assert (again.run.id, status(tracker, made.run.id)) == (made.run.id, "RUNNING")
    assert "error" not in tracker.client.get_run(made.run.id).data.tags
    assert state.finished_folders(made.folder) == {0: made.folder / "0", 2: made.folder / "2"}
    assert not (made.folder / "1").exists(), "results of a failed attempt are removed"
    assert tracker.client.get_run(runs[1]).data.tags[SUPERSEDED] == "true"
    work(again, 1)
    assert [outcome.metrics["ari"] for outcome in again.close()] == [0, 0.1, 0.2]
    assert status(tracker, made.run.id) == "FINISHED"
    assert resumption.find_resumable("true", command, tracker).complete
    assert [path.name for path in made.folder.glob(".*")] == [run_folder.FILES]


def test_a_job_that_is_finished_returns_its_objective_at_once(
    made: sweep.Sweep, plan: Plan, command: SweepState, tracker: tracking.Tracker, monkeypatch: Any
) -> None:
    fail_one(made)
    begun = resumption.find_resumable("true", command, tracker)
    again = sweep.Sweep(plan, made.folder, ["cluster.k"], command.jobs, command, begun)
    at_work = SimpleNamespace(
        runtime=SimpleNamespace(output_dir=str(made.folder / "2")),
        overrides=SimpleNamespace(task=["cluster.k=30"]),
        job=compose.compose_config([], hydra=True).hydra.job,
    )
    at_work.job.num = 2
    monkeypatch.setattr(jobs.HydraConfig, "get", lambda: at_work)
    before = (made.folder / "2" / "result.json").stat().st_mtime_ns
    cfg: Any = SimpleNamespace(objective="ari")
    with again.for_jobs(Invocation()).passed_to_jobs():
        assert launch.run_job(cfg) == 0.2
    assert (made.folder / "2" / "result.json").stat().st_mtime_ns == before


def test_a_result_that_was_not_recorded_whole_is_repeated(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker
) -> None:
    runs = [work(made, number) for number in range(3)]
    tracker.client.set_terminated(runs[0], "KILLED")  # killed between its result and its record
    lost = "tracking.uri=http://server stopped answering"
    replace(Outcome.load(made.folder / "1"), unrecorded=lost).save(made.folder / "1")
    made.close(KeyboardInterrupt())
    begun = resumption.find_resumable("true", command, tracker)
    assert begun.state.finished == {"2": "2"}
    assert not begun.complete


def test_a_sweep_is_found_by_its_id_and_by_its_folder(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker
) -> None:
    fail_one(made)
    for word in (made.run.id, str(made.folder)):
        assert resumption.find_resumable(word, command, tracker).state.run_id == made.run.id


def test_launcher_and_figures_may_change_and_the_jobs_may_not(
    made: sweep.Sweep, tracker: tracking.Tracker
) -> None:
    fail_one(made)
    other = asked("backbone=pixels", "cluster.k=10,20,30", "figures=all", "objective=nmi")
    assert resumption.find_resumable("true", other, tracker).state.run_id == made.run.id
    made.run.log(tags={"command": "run.py -m cluster.k=1,2"})
    for words, then, now in (
        (["backbone=pixels", "cluster.k=10"], "cluster.k=10,20,30", "cluster.k=10;"),
        ([*COMMAND, "seed=1"], "", "seed=1;"),
    ):
        other = asked(*words)
        with pytest.raises(ValueError) as error:
            resumption.find_resumable(made.run.id, other, tracker)
        assert then in says(error, key=f"resume={made.run.id}", use=now)
        says(error, key=f"resume={made.run.id}", use="without resume")
        with pytest.raises(ValueError) as error:
            resumption.find_resumable("true", other, tracker)
        says(error, key="run.py -m cluster.k=1,2", use=f"resume={made.run.id}")


def test_settings_that_changed_under_the_same_words_are_not_mixed(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker
) -> None:
    fail_one(made)
    edited = replace(command, settings=[*command.settings[:-1], "another"])
    with pytest.raises(ValueError) as error:
        resumption.find_resumable(made.run.id, edited, tracker)
    says(error, key=f"resume={made.run.id}", use="without resume")
    turned = replace(command, settings=command.settings[::-1])
    with pytest.raises(ValueError) as error:
        resumption.find_resumable(made.run.id, turned, tracker)
    says(error, key=f"resume={made.run.id}", use="another order")


def test_a_path_is_another_from_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["dataset=image_folder", "dataset.root=photos", "seed=0"]
    keys = set()
    for name in "ab":
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        keys.add(asked(*words).key)
    assert len(keys) == 2


def test_a_sweep_at_work_is_not_resumed(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker
) -> None:
    for word in ("true", made.run.id):
        with pytest.raises(ValueError) as error:
            resumption.find_resumable(word, command, tracker)
        says(error, key=f"sweep {made.run.id}", use=f"process {os.getpid()} on {socket.gethostname()}; wait")


def test_a_worker_that_outlived_its_sweep_is_waited_for(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker
) -> None:
    work(made, 0)
    running = tracking.tracker_below(tracking.Parent(tracker.uri, tracker.experiment_id, made.run.id))
    worker = running.open("job", made.folder / "1", params={}, tags={})
    tracker.client.set_terminated(made.run.id, "KILLED")
    with pytest.raises(ValueError) as error:
        resumption.find_resumable("true", command, tracker)
    says(error, key=f"sweep {made.run.id}", use=f"process {os.getpid()}")
    worker.end("FINISHED")
    assert not resumption.find_resumable("true", command, tracker).complete


def test_another_host_cannot_be_asked_so_an_id_is_a_persons_word(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    made.run.log(tags={"host": "elsewhere", "lock": "a folder of that machine"})
    with pytest.raises(ValueError) as error:
        resumption.find_resumable("true", command, tracker)
    says(error, key="elsewhere", use=f"resume={made.run.id}")
    assert not resumption.find_resumable(made.run.id, command, tracker).complete
    says(caplog.text, key="elsewhere", use="has ended")


def test_two_processes_do_not_resume_one_sweep(
    made: sweep.Sweep, plan: Plan, command: SweepState, tracker: tracking.Tracker
) -> None:
    fail_one(made)
    both = [resumption.find_resumable("true", command, tracker) for _ in "ab"]
    run = resumption.reopen(both[0])
    with pytest.raises(ValueError) as error:
        resumption.reopen(both[1])
    says(error, key=f"resume={made.run.id}", use="wait until it ends")
    run.end("KILLED")


def test_what_is_no_sweep_to_resume_is_named(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker, tmp_path: Path
) -> None:
    runs = fail_one(made)
    old = tracker.open("old sweep", tmp_path, params={}, tags={"sweep": "parent"})
    alone = tracker.open("run", tmp_path, params={}, tags={})
    again = tracker.open("verify run", tmp_path, params={}, tags={"mlflow.parentRunId": alone.id})
    for word, use in {
        "abc": f"tracking.uri={tracker.uri}",
        runs[0]: f"is a single run; use resume={made.run.id}",
        alone.id: "is a single run; use the same command without resume",
        old.id: "run the command without resume",
        again.id: "is a single run; use the same command without resume",
        str(tmp_path): "sweep.json",
    }.items():
        with pytest.raises(ValueError) as error:
            resumption.find_resumable(word, command, tracker)
        says(error, key=f"resume={word}", use=use)


def test_a_folder_that_is_gone_or_used_again_cannot_be_gone_on_with(
    made: sweep.Sweep, plan: Plan, command: SweepState, tracker: tracking.Tracker
) -> None:
    fail_one(made)
    later = sweep.Sweep(plan, made.folder, ["cluster.k"], command.jobs, command)
    later.close()
    with pytest.raises(ValueError) as error:
        resumption.find_resumable(made.run.id, command, tracker)
    says(error, key=f"sweep {later.run.id}", use="without resume")
    made.folder.rename(made.folder.with_name("moved"))
    with pytest.raises(ValueError) as error:
        resumption.find_resumable(made.run.id, command, tracker)
    says(error, key=f"{made.folder} does not exist", use="without resume")


@pytest.mark.parametrize("text", ["{", '{"commands": []}', "[]"])
def test_a_record_of_another_version_is_not_read(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker, text: str
) -> None:
    fail_one(made)
    (made.folder / "sweep.json").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as error:
        resumption.find_resumable("true", command, tracker)
    says(error, key=f"{made.folder}/sweep.json", use="without resume")


def test_nothing_that_was_ever_begun(command: SweepState, tracker: tracking.Tracker) -> None:
    with pytest.raises(ValueError) as error:
        resumption.find_resumable("true", command, tracker)
    says(error, key="resume=true", use="without resume")


def test_a_kill_before_the_folder_was_made_is_resumed(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker
) -> None:
    shutil.rmtree(made.folder)
    tracker.client.set_terminated(made.run.id, "KILLED")
    begun = resumption.find_resumable("true", command, tracker)
    assert (begun.state.finished, begun.state.files) == ({}, [])
    resumption.reopen(begun)
    assert SweepState.load(made.folder).run_id == made.run.id


def test_other_code_is_said(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    made.run.log(tags={"git.commit": "an earlier one"})
    fail_one(made)
    resumption.find_resumable("true", command, tracker)
    says(caplog.text, key="git.commit", use="an earlier o ->")


def test_a_sweep_that_is_complete_goes_on_with_no_code(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker, caplog: pytest.LogCaptureFixture
) -> None:
    made.run.log(tags={"git.commit": "an earlier one"})
    for number in range(3):
        work(made, number)
    made.close()
    assert resumption.find_resumable("true", command, tracker).complete
    assert "git.commit" not in caplog.text


def seen(made: sweep.Sweep, number: int, samples: str, described: str = "") -> None:
    """Write the data keys of a job; older versions have no `described`."""
    Trace({"samples": samples}, {}, {}, {}, described=described).save(made.folder / str(number))


def data(*names: str) -> list[resumption.DataKeys]:
    """Return data keys of each job: the first letter is what models learn from, the rest what is reported."""
    return [resumption.DataKeys(f"samples-{name[0]}", f"described-{name}") for name in names]


def test_jobs_on_other_data_are_not_mixed(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker
) -> None:
    fail_one(made)
    seen(made, 0, "samples-a")
    begun = resumption.find_resumable("true", command, tracker)
    resumption.refuse_other_data(begun, data("a", "b", "c"))
    seen(made, 2, "samples-a")
    resumption.refuse_other_data(begun, data("a", "b", "a"))
    with pytest.raises(ValueError) as error:
        resumption.refuse_other_data(begun, data("a", "a", "b"))
    says(error, key=f"resume={made.run.id}", use="restore it")


def test_data_of_which_something_else_is_told_is_not_mixed(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker
) -> None:
    fail_one(made)
    seen(made, 0, "samples-a", "described-a with tags")
    seen(made, 2, "samples-a")
    begun = resumption.find_resumable("true", command, tracker)
    resumption.refuse_other_data(begun, data("a with tags", "a", "a"))
    with pytest.raises(ValueError) as error:
        resumption.refuse_other_data(begun, data("a", "a", "a"))
    says(error, key=f"resume={made.run.id}", use="restore it")


@pytest.mark.parametrize("text", ["{", '{"stages": {}}'])
def test_a_trace_of_another_version_says_what_to_do(
    made: sweep.Sweep, command: SweepState, tracker: tracking.Tracker, text: str
) -> None:
    fail_one(made)
    (made.folder / "0" / "stages.json").write_text(text, encoding="utf-8")
    begun = resumption.find_resumable("true", command, tracker)
    with pytest.raises(ValueError) as error:
        resumption.refuse_other_data(begun, data("a", "a", "a"))
    says(error, key=f"resume={made.run.id}: stages.json", use="without resume")


def test_data_that_changed_is_found_before_anything_goes_on(
    made: sweep.Sweep, tracker: tracking.Tracker, tmp_path: Path
) -> None:
    fail_one(made)
    seen(made, 0, "samples-of-another-time")
    request = replace(read(*COMMAND, f"cache.root={tmp_path}/cache"), resume=made.run.id)
    with pytest.raises(ValueError) as error:
        launch._sweep(request, tracker, Invocation(), lambda *words: pytest.fail("it went on"))
    says(error, key=f"resume={made.run.id}", use="restore it")
    assert status(tracker, made.run.id) == "FAILED"
    assert (made.folder / "1" / "result.json").exists()


def test_tables_of_an_earlier_attempt_go_with_it(
    made: sweep.Sweep, plan: Plan, command: SweepState, tracker: tracking.Tracker
) -> None:
    (made.folder / "training.csv").write_text("of the one job that had finished", encoding="utf-8")
    assert made.state
    made.state = replace(made.state, files=["training.csv"])
    made.run.artifact(made.folder / "training.csv")
    (made.folder / "mine.txt").write_text("a person's own", encoding="utf-8")
    for number in range(3):
        work(made, number)
    made.close()
    recorded = {file.path for file in tracker.client.list_artifacts(made.run.id)}
    assert recorded == {"sweep.csv", "sweep.md"}
    assert not (made.folder / "training.csv").exists()
    assert (made.folder / "mine.txt").exists()
    assert SweepState.load(made.folder).files == ["sweep.csv", "sweep.md"]


@pytest.mark.parametrize(
    ("typed", "value"), [("resume=true", "true"), ("resume='a b'", "a b"), ("resume=null", "")]
)
def test_resume_is_read_and_no_job_has_it(typed: str, value: str) -> None:
    request = read(*COMMAND[:1], "cluster.k=10", typed)
    assert request.resume == value
    for words in (request.typed, *request.jobs):
        assert not [word for word in words if word.startswith("resume")]
    assert {plan.cfg.resume for plan in request.plans} == {None}


def test_a_single_run_has_nothing_to_resume() -> None:
    with pytest.raises(ValueError) as error:
        command_line.parse_request(command_line.parse_arguments(["resume=true"]))
    says(error, key="resume=true", use="without it")
    with pytest.raises(ValueError) as error:
        read("hydra.sweeper._target_=an.Optimiser", "resume=true")
    says(error, key="resume=true", use="optimiser")


def test_from_python_there_is_no_sweep_to_resume() -> None:
    with pytest.raises(ValueError) as error:
        experiments.run(["resume=true"])
    says(error, key="resume=True", use="python run.py -m")
