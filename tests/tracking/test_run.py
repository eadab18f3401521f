"""Recording a run: how it ends, and a server that stops answering."""

import json
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.forked import in_another_pid_namespace
from tests.messages import says

from experiments import tracking
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.samples import Samples
from experiments.tracking.environment import environment


def open_run(tracker: tracking.Tracker, folder: Path, **params: object) -> Any:
    return tracker.run("trial", folder, params=params, tags={})


def recorded(tracker: tracking.Tracker, run: tracking.Run) -> Any:
    return tracker.client.get_run(run.id)


def test_a_run_ends_finished_with_what_was_logged(tracker: tracking.Tracker, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("a,b\n", encoding="utf-8")
    with open_run(tracker, tmp_path, **{"cluster.k": 10, "long": "x" * 7000}) as run:
        run.epoch(1, {"val_loss": 2.0})
        run.history([{"val_loss": 9.0}, {"val_loss": 1.0}])
        run.log(metrics={"ari": 0.5}, tags={"data.key": "abc"})
        run.artifacts()
    finished = recorded(tracker, run)
    assert finished.info.status == "FINISHED"
    assert finished.data.params["cluster.k"] == "10"
    assert len(finished.data.params["long"]) == 6000
    assert finished.data.metrics == {"ari": 0.5, "val_loss": 1.0}
    epochs = tracker.client.get_metric_history(run.id, "val_loss")
    assert [(entry.step, entry.value) for entry in epochs] == [(1, 2.0), (2, 1.0)]
    assert finished.data.tags["version.numpy"]
    assert [file.path for file in tracker.client.list_artifacts(run.id)] == ["table.csv"]


def test_a_file_is_recorded_under_its_path_below_the_folder(
    tracker: tracking.Tracker, tmp_path: Path
) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "one.png").write_text("a picture", encoding="utf-8")
    (tmp_path / "table.csv").write_text("a table", encoding="utf-8")
    with open_run(tracker, tmp_path) as run:
        run.artifact(tmp_path / "figures" / "one.png")
        run.artifact(tmp_path / "table.csv")
    assert [file.path for file in tracker.client.list_artifacts(run.id)] == ["figures", "table.csv"]
    assert [file.path for file in tracker.client.list_artifacts(run.id, "figures")] == ["figures/one.png"]


def test_an_error_ends_a_run_failed_with_a_tag(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="k=0"), open_run(tracker, tmp_path) as run:
        raise ValueError("k=0 is nothing")
    failed = recorded(tracker, run)
    assert (failed.info.status, failed.data.tags["error"]) == ("FAILED", "k=0 is nothing")


def test_an_interruption_ends_a_run_killed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_run(tracker, tmp_path) as run:
        raise KeyboardInterrupt
    assert recorded(tracker, run).info.status == "KILLED"


@pytest.fixture(autouse=True)
def _no_orphaned_runs(tracker: tracking.Tracker) -> None:
    """End the runs that earlier tests left running."""
    tracker.kill_orphaned_runs()


def release_lock_only(run: tracking.Run) -> None:
    """Release the lock without ending the run, like the death of its process."""
    assert run._lock
    run._lock.release(keep=True)


def test_runs_with_a_free_lock_are_killed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    dead = tracker.open("trial", tmp_path, params={}, tags={})
    release_lock_only(dead)
    unseen = {"lock": str(tmp_path / "another machine's.lock")}
    elsewhere = tracker.client.create_run(tracker.experiment_id, tags=environment() | unseen)
    without = tracker.client.create_run(tracker.experiment_id, tags=environment())
    with open_run(tracker, tmp_path) as mine:
        assert tracker.kill_orphaned_runs() == 1
        assert recorded(tracker, mine).info.status == "RUNNING"
        alive = {
            run: tracking.is_alive(tracker.uri, recorded(tracker, run).data.tags) for run in (mine, dead)
        }
        assert alive == {mine: True, dead: None}
    status = [
        tracker.client.get_run(run_id).info.status
        for run_id in (dead.id, mine.id, elsewhere.info.run_id, without.info.run_id)
    ]
    assert status == ["KILLED", "FINISHED", "RUNNING", "RUNNING"]
    assert not [*lock_folder(tracker).glob(f"*{dead.id}*"), *lock_folder(tracker).glob(f"*{mine.id}*")]


def lock_folder(tracker: tracking.Tracker) -> Path:
    return Path(tracker.uri.removeprefix("sqlite:///")).parent / ".running"


def test_a_run_is_alive_from_another_container(tracker: tracking.Tracker, tmp_path: Path) -> None:
    """In another container, process numbers and the path of the store are different."""
    moved = tmp_path / "mounted"
    with open_run(tracker, tmp_path) as run:
        tags = recorded(tracker, run).data.tags
        moved.symlink_to(lock_folder(tracker).parent)
        mounted = f"sqlite:///{moved}/mlflow.db"

        def look() -> None:
            assert tracking.is_alive(mounted, tags) is True
            assert tracking.is_alive(tracker.uri, tags) is True

        in_another_pid_namespace(look)
        release_lock_only(run)
        assert tracking.is_alive(mounted, tags) is False


def test_a_servers_run_has_its_lock_in_its_folder(silent_tracker: tracking.Tracker, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    silent_tracker.kill_orphaned_runs()  # of other tests
    with open_run(silent_tracker, folder) as run:
        [lock] = folder.iterdir()
        assert recorded(silent_tracker, run).data.tags["lock"] == str(lock)
        assert silent_tracker.kill_orphaned_runs() == 0
        release_lock_only(run)
        assert silent_tracker.kill_orphaned_runs() == 1
    assert not list(folder.iterdir())


def test_locks_of_runs_that_ended_are_removed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    """The process was killed after ending its run and before removing its lock."""
    run = tracker.open("trial", tmp_path, params={}, tags={})
    tracker.client.set_terminated(run.id, "FINISHED")
    release_lock_only(run)
    assert tracker.kill_orphaned_runs() == 0
    assert recorded(tracker, run).info.status == "FINISHED"
    assert not list(lock_folder(tracker).glob(f"*{run.id}*"))


def test_a_run_deleted_while_running_is_reported_once(
    tracker: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_run(tracker, tmp_path) as run:
        tracker.client.delete_run(run.id)
        for step in range(3):
            run.epoch(step, {"loss": 1.0, "accuracy": 0.5})
    says(run.unrecorded, key=run.id, use=f"tracking.uri={tracker.uri} was deleted")
    assert len(caplog.records) == 1
    assert not list(lock_folder(tracker).glob(f"*{run.id}*"))
    says(caplog.text, key=str(tmp_path))


class SilentClient:
    """A client that fails once `silent` is set."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.silent = False
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*words: Any, **named: Any) -> Any:
            from mlflow.exceptions import MlflowException

            if self.silent:
                self.asked.append(name)
                raise MlflowException("connection refused\nand more")
            return getattr(self.client, name)(*words, **named)

        return call


@pytest.fixture
def silent_tracker(tracker: tracking.Tracker) -> tracking.Tracker:
    """Return a tracker with a SilentClient."""
    made = tracking.Tracker("http://server", tracker.experiment_id)
    made.client = SilentClient(tracker.client)
    return made


STOPPED = {"key": "tracking.uri=http://server", "use": "(connection refused)"}


def test_a_server_that_stops_answering_is_reported_once_with_the_folder(
    silent_tracker: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_run(silent_tracker, tmp_path) as run:
        silent_tracker.client.silent = True
        for step in range(3):
            run.epoch(step, {"loss": 1.0})
    assert silent_tracker.client.asked == ["log_batch", "set_terminated"], "the end is tried once more"
    says(run.unrecorded, **STOPPED)
    assert caplog.text.count(str(tmp_path)) == 1


def test_a_server_that_answers_again_ends_the_run(silent_tracker: tracking.Tracker, tmp_path: Path) -> None:
    with open_run(silent_tracker, tmp_path) as run:
        silent_tracker.client.silent = True
        run.epoch(1, {"loss": 1.0})
        silent_tracker.client.silent = False
    says(run.unrecorded, **STOPPED)
    assert recorded(silent_tracker, run).info.status == "FINISHED"
    assert not list(tmp_path.iterdir()), "its lock is not left behind"


def test_a_run_continues_without_a_server(
    silent_tracker: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    silent_tracker.client.silent = True
    with open_run(silent_tracker, tmp_path, k=1) as run:
        run.epoch(1, {"loss": 1.0})
        run.artifacts()
    assert run.id == ""
    says(run.unrecorded, **STOPPED)
    assert silent_tracker.client.asked == ["create_run"]
    says(caplog.text, key=str(tmp_path))


def test_a_refused_value_is_named_and_the_others_are_recorded(
    tracker: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_run(tracker, tmp_path) as run:
        run.log(metrics={"p@10": 1, "ari": 0.5}, tags={"device": "cpu"})
        run.log(metrics={"nmi": 0.6})
    finished = recorded(tracker, run)
    assert run.unrecorded == ""
    assert finished.info.status == "FINISHED"
    assert finished.data.metrics == {"ari": 0.5, "nmi": 0.6}
    assert finished.data.tags["device"] == "cpu"
    (warning,) = [record.getMessage() for record in caplog.records]
    says(warning, key="p@10=1.0")
    assert "\n" not in warning


def test_orphaned_children_are_killed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with open_run(tracker, tmp_path) as parent, open_run(tracker, tmp_path) as other:
        jobs = tracking.tracker_below(tracking.Parent(tracker.uri, tracker.experiment_id, parent.id))
        with open_run(jobs, tmp_path) as finished:
            pass
        orphaned, working = (jobs.open("trial", tmp_path, params={}, tags={}) for _ in "ab")
        release_lock_only(orphaned)
        parent.end_children()
        ends = [recorded(tracker, run).info.status for run in (finished, orphaned, working, other)]
        working.end("FINISHED")
    assert ends == ["FINISHED", "KILLED", "RUNNING", "RUNNING"]


def note(tracker: tracking.Tracker, run: tracking.Run) -> str:
    """Return the description of a run's page."""
    return str(recorded(tracker, run).data.tags["mlflow.note.content"])


def test_an_error_is_shown_first_unless_the_description_contains_it(
    tracker: tracking.Tracker, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="<key>"), open_run(tracker, tmp_path) as run:
        raise ValueError("<key> is nothing")
    assert note(tracker, run) == "**FAILED**\n\n```\n<key> is nothing\n```"
    described = tracker.open("trial", tmp_path, params={}, tags={})
    described.describe("10 clusters")
    described.end("FAILED", "later")
    assert note(tracker, described) == "**FAILED**\n\n```\nlater\n```\n\n10 clusters"
    with_reason = tracker.open("trial", tmp_path, params={}, tags={})
    with_reason.describe("1 of 2 jobs failed", has_reason=True)
    with_reason.end("FAILED", "later")
    assert note(tracker, with_reason) == "1 of 2 jobs failed"
    assert recorded(tracker, with_reason).data.tags["error"] == "later"


def test_a_long_description_loses_whole_paragraphs_to_an_error(
    tracker: tracking.Tracker, tmp_path: Path
) -> None:
    run = tracker.open("trial", tmp_path, params={}, tags={})
    run.describe(f"first\n\n{'x' * 7500}")
    run.end("FAILED", "e" * 2500)
    assert note(tracker, run) == f"**FAILED**\n\n```\n{'e' * 2000}\n```\n\nfirst"
    assert recorded(tracker, run).data.tags["error"] == "e" * 2500


def limit_pages_to_one_result(monkeypatch: pytest.MonkeyPatch, tracker: tracking.Tracker) -> None:
    """Make searches return one result per page instead of a thousand."""
    for name in ("search_runs", "search_experiments"):
        search = getattr(tracker.client, name)
        monkeypatch.setattr(tracker.client, name, partial(search, max_results=1))


def test_orphaned_runs_on_later_result_pages_are_killed(
    tracker: tracking.Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_pages_to_one_result(monkeypatch, tracker)
    with open_run(tracker, tmp_path) as parent:
        jobs = tracking.tracker_below(tracking.Parent(tracker.uri, tracker.experiment_id, parent.id))
        orphaned = [jobs.open("trial", tmp_path, params={}, tags={}) for _ in range(3)]
        for run in orphaned:
            release_lock_only(run)
        parent.end_children()
    assert [recorded(tracker, run).info.status for run in orphaned] == ["KILLED"] * 3
    experiments = [tracker.client.create_experiment(f"another {number}") for number in range(2)]
    for experiment in (*experiments, *experiments):
        release_lock_only(
            tracking.Tracker(tracker.uri, experiment).open("trial", tmp_path, params={}, tags={})
        )
    assert tracker.kill_orphaned_runs() == 4


def test_a_run_links_to_its_files(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with open_run(tracker, tmp_path) as run:
        pass
    page = f"#/experiments/{tracker.experiment_id}/runs/{run.id}"
    assert run.page() == f"{page}?workflowType=machine_learning"
    assert run.page("report.html") == f"{page}/artifacts/report.html?workflowType=machine_learning"


def digits(ctx: Context, limit: int = 40) -> Samples:
    typed = [f"dataset.limit={limit}"]
    return build(compose.compose_config(typed), typed).stages.dataset.load(ctx)


def test_the_data_set_is_recorded_with_source_and_skipped_samples(
    tracker: tracking.Tracker, tmp_path: Path, ctx: Context
) -> None:
    samples = digits(ctx, 41)  # its own, as MLflow gives equal data the source of its first run
    with open_run(tracker, tmp_path) as run:
        run.dataset(replace(samples, source="somewhere", skipped=[("a.png", "no image")]))
    (used,) = recorded(tracker, run).inputs.dataset_inputs
    assert used.dataset.digest == samples.data_key
    assert json.loads(used.dataset.profile) == {
        "source": "somewhere",
        "rows": 41,
        "classes": 10,
        "skipped": 1,
    }


COLUMNS = {"inputs": {"vector": "double"}, "outputs": {"cluster": "long"}, "params": {"least": 0.0}}


def test_the_models_page_has_the_runs_metrics_data_and_settings(
    tracker: tracking.Tracker, tmp_path: Path, ctx: Context
) -> None:
    (tmp_path / "model" / "data").mkdir(parents=True)
    samples = digits(ctx)
    with open_run(tracker, tmp_path, **{"cluster.k": 4, "tracking.uri": "x"}) as run:
        run.dataset(samples)
        run.log(metrics={"ari": 0.5, "undefined": float("nan")})
        run.epoch(3, {"val_loss": 0.25})
        run.model(tmp_path / "model", COLUMNS)
    assert run.has_model()
    (output,) = recorded(tracker, run).outputs.model_outputs
    model = tracker.client.get_logged_model(output.model_id)
    assert {(metric.key, metric.value, metric.step) for metric in model.metrics} == {
        ("ari", 0.5, 0),
        ("val_loss", 0.25, 3),
    }
    assert {metric.dataset_digest for metric in model.metrics} == {samples.data_key}
    assert model.params == {"cluster.k": "4"}
    typed = f"`python scripts/assign.py {run.id} <new images> tracking.uri={tracker.uri}`"
    assert typed in model.tags["mlflow.note.content"]
    assert run.page() in model.tags["mlflow.note.content"]
    assert [len(tracker.client.get_metric_history(run.id, key)) for key in ("ari", "val_loss")] == [1, 1]
