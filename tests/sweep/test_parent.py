"""The parent run of a sweep: its record, the results of its jobs, and its end."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.messages import says
from tests.sweep.conftest import JOBS

from experiments import comparison, report, sweep, tracking
from experiments.config.plan import Plan, Tracking
from experiments.job.perform import Outcome
from experiments.sweep import best_model


def leave(made: sweep.Sweep, number: int, path: str, status: str = "FINISHED") -> None:
    metrics = {"ari": 0.5} if status == "FINISHED" else {}
    outcome = Outcome(JOBS[number][:1], number, made.run.id, status=status, metrics=metrics)
    outcome.save(made.folder / path)


def ends(outcomes: list[Outcome]) -> list[tuple[str, str, str]]:
    return [(" ".join(outcome.overrides), outcome.status, outcome.error) for outcome in outcomes]


def status(made: sweep.Sweep) -> str:
    client = tracking.connect(Tracking(made.run._experiment.uri), "digits").client
    return str(client.get_run(made.run.id).info.status)


def test_jobs_are_found_by_their_number_wherever_they_are(begun: sweep.Sweep) -> None:
    for number, path in enumerate(("zebra", "a/b", "10", "0")):
        leave(begun, number, path)
    Outcome(["cluster.k=7"], number=1, parent="an earlier sweep").save(begun.folder / "1")
    assert ends(begun.close()) == [(f"cluster.k={k}", "FINISHED", "") for k in (10, 20, 30, 40)]
    assert status(begun) == "FINISHED"


def test_its_row_has_the_settings_that_are_swept_and_the_best_jobs_metrics(begun: sweep.Sweep) -> None:
    for number, ari in enumerate((0.2, 0.6, 0.4, 0.1)):
        metrics = {"purity": 1 - ari, "ari": ari, "homogeneity": 0.5}
        outcome = Outcome(JOBS[number][:1], number, begun.run.id, status="FINISHED", metrics=metrics)
        replace(outcome, run_id=f"run {number}").save(begun.folder / str(number))
    begun.close()
    client = tracking.connect(Tracking(begun.run._experiment.uri), "digits").client
    row = client.get_run(begun.run.id)
    assert row.data.params == {"cluster.k": "10, 20, 30, 40"}
    assert row.data.metrics == {"ari": 0.6, "purity": 0.4}
    says(row.data.tags["metrics"], key="best job by ari", use="k=20, run 1")


def test_a_report_is_titled_by_the_settings_that_are_swept(begun: sweep.Sweep) -> None:
    begun.command = ["backbone=pixels", "cluster.k=10,20"]
    assert begun.name == "sweep of k=10,20"
    begun.command = ["experiment=caltech101"]  # which sweeps cluster.k
    assert begun.name == "sweep of experiment=caltech101"


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}


def test_tables_and_figures_of_the_sweep_are_recorded(begun: sweep.Sweep) -> None:
    begun.plan.settings.figures = "auto"  # type: ignore[misc]
    for number in range(4):
        leave(begun, number, f"{number}/cluster.metric=l2")
    begun.close()
    client = tracking.connect(Tracking(begun.run._experiment.uri), "digits").client
    path = Path(client.get_run(begun.run.id).info.artifact_uri.removeprefix("file://"))
    wanted = {"sweep.csv", "sweep.md", "figures/sweep_cluster.k.html", "figures/sweep_cluster.k.png"}
    assert files(path) == wanted
    assert wanted <= files(begun.folder)


def test_the_table_of_jobs_outlives_an_error_in_what_is_made_of_it(
    begun: sweep.Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*words: object) -> None:
        raise TypeError("cannot be compared")

    for number in range(4):
        leave(begun, number, str(number))
    monkeypatch.setattr(comparison, "compare", fail)
    with pytest.raises(TypeError, match="cannot be compared"):
        begun.close()
    client = tracking.connect(Tracking(begun.run._experiment.uri), "digits").client
    run = client.get_run(begun.run.id)
    wanted = {"sweep.csv", "sweep.md"}
    assert wanted <= files(begun.folder)
    assert files(Path(run.info.artifact_uri.removeprefix("file://"))) == wanted
    assert run.data.tags["mlflow.note.content"].startswith("**FAILED**\n\n```\ncannot be compared")


@pytest.mark.parametrize("recorded", [True, False])
def test_new_images_are_promised_where_the_best_model_is_recorded(
    begun: sweep.Sweep, monkeypatch: pytest.MonkeyPatch, recorded: bool
) -> None:
    for number in range(3):
        leave(begun, number, str(number))
    monkeypatch.setattr(best_model, "record_best", lambda *words: recorded)
    begun.close()
    client = tracking.connect(Tracking(begun.run._experiment.uri), "digits").client
    text = client.get_run(begun.run.id).data.tags["mlflow.note.content"]
    assert text.startswith("3 of 4 jobs"), "which tells of the failure"
    says(text, key="ari", use="(0.5): k=10")
    assert (f"scripts/assign.py {begun.run.id}" in text) == recorded


def test_the_report_says_what_makes_the_figures_of_all_jobs_doubtful(begun: sweep.Sweep) -> None:
    begun.plan.settings.report = "auto"  # type: ignore[misc]
    for number in range(4):
        leave(begun, number, str(number))
        doubts = ["about 100 of 300 samples", f"only job {number}"]
        path = begun.folder / str(number)
        replace(Outcome.load(path), warnings=doubts).save(path)
    begun.close()
    text = (begun.folder / report.REPORT_FILE).read_text(encoding="utf-8")
    assert "<li>about 100 of 300 samples</li>" in text
    assert "only job" not in text


def test_a_job_that_left_no_end_failed_and_keeps_its_settings(begun: sweep.Sweep) -> None:
    for number, end in enumerate(("FINISHED", "RUNNING", "FINISHED")):
        leave(begun, number, str(number), end)
    outcomes = begun.close()
    assert [(*outcome.overrides, outcome.status) for outcome in outcomes] == [
        ("cluster.k=10", "FINISHED"),
        ("cluster.k=20", "FAILED"),
        ("cluster.k=30", "FINISHED"),
        ("cluster.k=40", "FAILED"),
    ]
    for outcome in outcomes:
        says(outcome.error, use="process ended" if outcome.status == "FAILED" else "")
    assert [bool(outcome.error) for outcome in outcomes] == [False, True, False, True]
    assert status(begun) == "FAILED"


def test_an_interrupted_sweep_knows_which_jobs_did_not_run(begun: sweep.Sweep) -> None:
    for number, end in enumerate(("FINISHED", "RUNNING")):
        leave(begun, number, str(number), end)
    assert ends(begun.close(KeyboardInterrupt())) == [
        ("cluster.k=10", "FINISHED", ""),
        ("cluster.k=20", "KILLED", "interrupted"),
        ("cluster.k=30", "NOT RUN", ""),
        ("cluster.k=40", "NOT RUN", ""),
    ]
    assert status(begun) == "KILLED"


def test_a_launcher_that_broke_down_is_the_callers_to_raise(begun: sweep.Sweep) -> None:
    leave(begun, 0, "0")
    outcomes = begun.close(RuntimeError("a worker was killed"))
    assert [outcome.status for outcome in outcomes] == ["FINISHED", "FAILED", "FAILED", "FAILED"]
    assert status(begun) == "FAILED"


def test_an_optimiser_has_the_jobs_that_it_ran(plan: Plan, tmp_path: Path) -> None:
    made = sweep.Sweep(plan, tmp_path, [], None)
    for number in (2, 0):
        leave(made, number, f"{number}")
    assert [outcome.number for outcome in made.close()] == [0, 2]
    assert sweep.Sweep(plan, tmp_path, [], None).close() == [], "not one job, and the files of another sweep"


def test_a_job_that_was_stopped_ends_killed_in_the_record(begun: sweep.Sweep, tmp_path: Path) -> None:
    tracker = tracking.tracker_below(begun.parent)
    child, working = (tracker.open("job", tmp_path, params={}, tags={}) for _ in "ab")
    assert child._lock
    child._lock.release(keep=True)  # as the end of its process does
    begun.close()
    assert tracker.client.get_run(working.id).info.status == "RUNNING", "it ends itself"
    working.end("FINISHED")
    assert tracker.client.get_run(child.id).info.status == "KILLED"


def test_a_sweep_that_cannot_be_recorded_does_not_begin(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracker = tracking.Tracker("http://127.0.0.1:9", "1")
    monkeypatch.setattr(tracking, "connect", lambda *words: tracker)
    with pytest.raises(ConnectionError) as error:
        sweep.Sweep(plan, tmp_path / "sweep", [], JOBS)
    says(error, key="tracking.uri=http://127.0.0.1:9")
    assert not (tmp_path / "sweep").exists()


def test_a_sweep_says_that_its_table_is_not_recorded(begun: sweep.Sweep) -> None:
    assert begun.unrecorded == ""
    begun.run._experiment = tracking.Tracker("http://127.0.0.1:9", "1")
    for number in range(4):
        leave(begun, number, str(number))
    begun.close()
    says(begun.unrecorded, key="tracking.uri=http://127.0.0.1:9")
    assert (begun.folder / "sweep.csv").exists()
