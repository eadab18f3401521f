"""A run being recorded: its ends, and a server that stops answering."""

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
    found = recorded(tracker, run)
    assert found.info.status == "FINISHED"
    assert found.data.params["cluster.k"] == "10"
    assert len(found.data.params["long"]) == 6000
    assert found.data.metrics == {"ari": 0.5, "val_loss": 1.0}
    epochs = tracker.client.get_metric_history(run.id, "val_loss")
    assert [(entry.step, entry.value) for entry in epochs] == [(1, 2.0), (2, 1.0)]
    assert found.data.tags["version.numpy"]
    assert [file.path for file in tracker.client.list_artifacts(run.id)] == ["table.csv"]


def test_a_file_is_recorded_at_its_place_below_the_folder(tracker: tracking.Tracker, tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "one.png").write_text("a picture", encoding="utf-8")
    (tmp_path / "table.csv").write_text("a table", encoding="utf-8")
    with open_run(tracker, tmp_path) as run:
        run.artifact(tmp_path / "figures" / "one.png")
        run.artifact(tmp_path / "table.csv")
    assert [file.path for file in tracker.client.list_artifacts(run.id)] == ["figures", "table.csv"]
    assert [file.path for file in tracker.client.list_artifacts(run.id, "figures")] == ["figures/one.png"]


def test_an_error_ends_a_run_failed_and_is_its_tag(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="k=0"), open_run(tracker, tmp_path) as run:
        raise ValueError("k=0 is nothing")
    found = recorded(tracker, run)
    assert (found.info.status, found.data.tags["error"]) == ("FAILED", "k=0 is nothing")


def test_an_interruption_ends_a_run_killed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), open_run(tracker, tmp_path) as run:
        raise KeyboardInterrupt
    assert recorded(tracker, run).info.status == "KILLED"


def die(run: tracking.Run) -> None:
    """Do as the end of a process does: its lock is free, and the run not ended."""
    assert run._lock
    run._lock.release(keep=True)


def test_runs_whose_lock_nobody_holds_are_ended(tracker: tracking.Tracker, tmp_path: Path) -> None:
    dead = tracker.open("trial", tmp_path, params={}, tags={})
    die(dead)
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
    assert not list(living(tracker).iterdir())


def living(tracker: tracking.Tracker) -> Path:
    return Path(tracker.uri.removeprefix("sqlite:///")).parent / ".running"


def test_a_run_is_alive_to_whoever_sees_the_store(tracker: tracking.Tracker, tmp_path: Path) -> None:
    """Another container has other process numbers, and may have the store at another path."""
    moved = tmp_path / "mounted"
    with open_run(tracker, tmp_path) as run:
        tags = recorded(tracker, run).data.tags
        moved.symlink_to(living(tracker).parent)
        mounted = f"sqlite:///{moved}/mlflow.db"

        def look() -> None:
            assert tracking.is_alive(mounted, tags) is True
            assert tracking.is_alive(tracker.uri, tags) is True

        in_another_pid_namespace(look)
        die(run)
        assert tracking.is_alive(mounted, tags) is False


def test_a_run_of_a_server_has_its_lock_in_its_folder(deaf: tracking.Tracker, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    with open_run(deaf, folder) as run:
        [lock] = folder.iterdir()
        assert recorded(deaf, run).data.tags["lock"] == str(lock)
        assert deaf.kill_orphaned_runs() == 0
        die(run)
        assert deaf.kill_orphaned_runs() == 1
    assert not list(folder.iterdir())


def test_locks_of_runs_that_ended_are_removed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    """Killed between the end of its run and that of its lock."""
    run = tracker.open("trial", tmp_path, params={}, tags={})
    tracker.client.set_terminated(run.id, "FINISHED")
    die(run)
    assert tracker.kill_orphaned_runs() == 0
    assert recorded(tracker, run).info.status == "FINISHED"
    assert not list(living(tracker).iterdir())


def test_a_run_that_is_deleted_while_it_works_says_so_once(
    tracker: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_run(tracker, tmp_path) as run:
        tracker.client.delete_run(run.id)
        for step in range(3):
            run.epoch(step, {"loss": 1.0, "accuracy": 0.5})
    says(run.lost, key=run.id, use=f"tracking.uri={tracker.uri} was deleted")
    assert len(caplog.records) == 1
    assert not list(living(tracker).iterdir())
    says(caplog.text, key=str(tmp_path))


class Deaf:
    """A client that answers until it is told to stop."""

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
def deaf(tracker: tracking.Tracker) -> tracking.Tracker:
    """Make a tracker whose client is a Deaf one."""
    made = tracking.Tracker("http://server", tracker.experiment_id)
    made.client = Deaf(tracker.client)
    return made


STOPPED = {"key": "tracking.uri=http://server", "use": "(connection refused)"}


def test_a_server_that_stops_answering_is_asked_once_and_the_folder_named(
    deaf: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_run(deaf, tmp_path) as run:
        deaf.client.silent = True
        for step in range(3):
            run.epoch(step, {"loss": 1.0})
    assert deaf.client.asked == ["log_batch", "set_terminated"], "the end is tried once more"
    says(run.lost, **STOPPED)
    assert caplog.text.count(str(tmp_path)) == 1


def test_a_server_that_is_back_at_the_end_ends_the_run(deaf: tracking.Tracker, tmp_path: Path) -> None:
    with open_run(deaf, tmp_path) as run:
        deaf.client.silent = True
        run.epoch(1, {"loss": 1.0})
        deaf.client.silent = False
    says(run.lost, **STOPPED)
    assert recorded(deaf, run).info.status == "FINISHED"
    assert not list(tmp_path.iterdir()), "its lock is not left behind"


def test_a_run_goes_on_without_a_server(
    deaf: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    deaf.client.silent = True
    with open_run(deaf, tmp_path, k=1) as run:
        run.epoch(1, {"loss": 1.0})
        run.artifacts()
    assert run.id == ""
    says(run.lost, **STOPPED)
    assert deaf.client.asked == ["create_run"]
    says(caplog.text, key=str(tmp_path))


def test_a_refused_value_is_named_and_the_others_are_recorded(
    tracker: tracking.Tracker, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_run(tracker, tmp_path) as run:
        run.log(metrics={"p@10": 1, "ari": 0.5}, tags={"device": "cpu"})
        run.log(metrics={"nmi": 0.6})
    found = recorded(tracker, run)
    assert run.lost == ""
    assert found.info.status == "FINISHED"
    assert found.data.metrics == {"ari": 0.5, "nmi": 0.6}
    assert found.data.tags["device"] == "cpu"
    (warning,) = [record.getMessage() for record in caplog.records]
    says(warning, key="p@10=1.0")
    assert "\n" not in warning


def test_children_that_did_not_end_are_killed(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with open_run(tracker, tmp_path) as parent, open_run(tracker, tmp_path) as other:
        jobs = tracking.tracker_below(tracking.Parent(tracker.uri, tracker.experiment_id, parent.id))
        with open_run(jobs, tmp_path) as finished:
            pass
        left, working = (jobs.open("trial", tmp_path, params={}, tags={}) for _ in "ab")
        die(left)
        parent.end_children()
        ends = [recorded(tracker, run).info.status for run in (finished, left, working, other)]
        working.end("FINISHED")
    assert ends == ["FINISHED", "KILLED", "RUNNING", "RUNNING"]


def note(tracker: tracking.Tracker, run: tracking.Run) -> str:
    """Return the text at the top of a run's page."""
    return str(recorded(tracker, run).data.tags["mlflow.note.content"])


def test_an_error_stands_at_the_top_of_the_page_unless_the_text_tells_it(
    tracker: tracking.Tracker, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match="<key>"), open_run(tracker, tmp_path) as run:
        raise ValueError("<key> is nothing")
    assert note(tracker, run) == "**FAILED**\n\n```\n<key> is nothing\n```"
    described = tracker.open("trial", tmp_path, params={}, tags={})
    described.describe("10 clusters")
    described.end("FAILED", "later")
    assert note(tracker, described) == "**FAILED**\n\n```\nlater\n```\n\n10 clusters"
    telling = tracker.open("trial", tmp_path, params={}, tags={})
    telling.describe("1 of 2 jobs failed", has_reason=True)
    telling.end("FAILED", "later")
    assert note(tracker, telling) == "1 of 2 jobs failed"
    assert recorded(tracker, telling).data.tags["error"] == "later"


def test_a_long_text_gives_way_to_an_error_by_whole_paragraphs(
    tracker: tracking.Tracker, tmp_path: Path
) -> None:
    run = tracker.open("trial", tmp_path, params={}, tags={})
    run.describe(f"first\n\n{'x' * 7500}")
    run.end("FAILED", "e" * 2500)
    assert note(tracker, run) == f"**FAILED**\n\n```\n{'e' * 2000}\n```\n\nfirst"
    assert recorded(tracker, run).data.tags["error"] == "e" * 2500


def one_a_page(monkeypatch: pytest.MonkeyPatch, tracker: tracking.Tracker) -> None:
    """Let the store give one result at a time, as it gives a thousand."""
    for name in ("search_runs", "search_experiments"):
        search = getattr(tracker.client, name)
        monkeypatch.setattr(tracker.client, name, partial(search, max_results=1))


def test_what_does_not_fit_on_a_page_of_results_is_ended_too(
    tracker: tracking.Tracker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_a_page(monkeypatch, tracker)
    with open_run(tracker, tmp_path) as parent:
        jobs = tracking.tracker_below(tracking.Parent(tracker.uri, tracker.experiment_id, parent.id))
        left = [jobs.open("trial", tmp_path, params={}, tags={}) for _ in range(3)]
        for run in left:
            die(run)
        parent.end_children()
    assert [recorded(tracker, run).info.status for run in left] == ["KILLED"] * 3
    places = [tracker.client.create_experiment(f"another {number}") for number in range(2)]
    for place in (*places, *places):
        die(tracking.Tracker(tracker.uri, place).open("trial", tmp_path, params={}, tags={}))
    assert tracker.kill_orphaned_runs() == 4


def test_a_run_links_to_its_files(tracker: tracking.Tracker, tmp_path: Path) -> None:
    with open_run(tracker, tmp_path) as run:
        pass
    page = f"#/experiments/{tracker.experiment_id}/runs/{run.id}"
    assert run.page() == f"{page}?workflowType=machine_learning"
    assert run.page("report.html") == f"{page}/artifacts/report.html?workflowType=machine_learning"


def digits(ctx: Context) -> Samples:
    """Load a few."""
    typed = ["dataset.limit=40"]
    return build(compose.compose_config(typed), typed).stages.dataset.load(ctx)


def test_the_data_set_is_shown_with_its_source_and_what_was_left_out(
    tracker: tracking.Tracker, tmp_path: Path, ctx: Context
) -> None:
    samples = digits(ctx)
    with open_run(tracker, tmp_path) as run:
        run.dataset(replace(samples, source="somewhere", skipped=[("a.png", "no image")]))
    (used,) = recorded(tracker, run).inputs.dataset_inputs
    assert used.dataset.digest == samples.data_key
    assert json.loads(used.dataset.profile) == {
        "source": "somewhere",
        "rows": 40,
        "classes": 10,
        "skipped": 1,
    }


COLUMNS = {"inputs": {"vector": "double"}, "outputs": {"cluster": "long"}, "params": {"least": 0.0}}


def test_the_models_page_has_the_runs_figures_data_and_settings(
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
    assert {(found.key, found.value, found.step) for found in model.metrics} == {
        ("ari", 0.5, 0),
        ("val_loss", 0.25, 3),
    }
    assert {found.dataset_digest for found in model.metrics} == {samples.data_key}
    assert model.params == {"cluster.k": "4"}
    typed = f"`python scripts/assign.py {run.id} <new images> tracking.uri={tracker.uri}`"
    assert typed in model.tags["mlflow.note.content"]
    assert run.page() in model.tags["mlflow.note.content"]
    assert [len(tracker.client.get_metric_history(run.id, key)) for key in ("ari", "val_loss")] == [1, 1]
