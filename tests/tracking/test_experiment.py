"""The experiment of a data set, its description and its saved views."""

import json
import shutil
from pathlib import Path

import pytest
from tests.messages import says

from experiments import tracking
from experiments.config.plan import Tracking


def test_a_deleted_experiment_suggests_to_restore_it(tracker: tracking.Tracker) -> None:
    deleted = tracker.client.create_experiment("doomed")
    tracker.client.delete_experiment(deleted)
    with pytest.raises(ValueError) as error:
        tracking.connect(Tracking(tracker.uri, "doomed"), "x")
    says(error, key="tracking.experiment=doomed", use="restore it")


def test_probing_for_an_experiment_creates_none(tracker: tracking.Tracker) -> None:
    settings = Tracking(tracker.uri)
    assert tracking.probe(settings, "nothere").experiment_id == ""
    assert tracker.client.get_experiment_by_name("nothere") is None
    made = tracking.connect(settings, "here")
    assert tracking.probe(settings, "here").experiment_id == made.experiment_id


def tags(tracker: tracking.Tracker) -> dict[str, str]:
    """Return the tags of an experiment."""
    return dict(tracker.client.get_experiment(tracker.experiment_id).tags)


def test_an_experiment_has_a_description_and_saved_views(tracker: tracking.Tracker) -> None:
    tags_ = tags(tracker)
    assert f"]({tracking.metrics_page(tracker.experiment_id)})" in tags_["mlflow.note.content"]
    saved = json.loads(tags_["mlflow.sharedViewState.figures"])
    assert saved["name"] == "Main metrics"
    state = json.loads(saved["state"])
    assert state["selectedColumns"][2:5] == ["metrics.`ari`", "metrics.`ami`", "metrics.`nmi`"]
    assert "orderByKey" not in state, "ordered views do not nest jobs below their sweep"
    jobs = json.loads(json.loads(tags_["mlflow.sharedViewState.jobs"])["state"])
    assert jobs == state | {"orderByKey": "metrics.`ari`", "orderByAsc": False}
    assert state["columnOrder"][-1] == "attributes.`Description`"
    assert [chart["metricKey"] for chart in state["compareRunCharts"]][:2] == ["ari", "ami"]


VIEW = "mlflow.sharedViewState.figures"


def tags_after_opening(tracker: tracking.Tracker, name: str, **known: str) -> dict[str, str]:
    """Open an experiment with these tags; return its tags afterwards."""
    made = tracker.client.create_experiment(name, tags=known)
    tracking.connect(Tracking(tracker.uri, name), "x")
    return dict(tracker.client.get_experiment(made).tags)


@pytest.mark.parametrize("text", ['{"state": "{}", "createdAt": 1}', "[]", "no view"])
def test_an_outdated_view_is_replaced(tracker: tracking.Tracker, text: str) -> None:
    tags_ = tags_after_opening(tracker, f"with {text}", **{VIEW: text, "mlflow.note.content": "mine"})
    today = json.loads(tags(tracker)[VIEW])["state"]
    assert json.loads(tags_[VIEW])["state"] == today
    assert tags_["mlflow.note.content"] == "mine"


def test_swept_settings_become_the_first_columns(tables: Path, tmp_path: Path) -> None:
    settings = Tracking(f"sqlite:///{shutil.copy(tables, tmp_path)}")
    tracker = tracking.connect(settings, "swept")
    tracking.show_swept(tracker, ["reducer.n_components", "backbone", "seed"])
    tracking.show_swept(tracker, ["cluster.k"])
    tracking.show_swept(tracker, ["seed"])
    tracking.connect.cache_clear()
    tracking.connect(settings, "swept")
    state = json.loads(json.loads(tags(tracker)[VIEW])["state"])
    assert state["columnOrder"][1:4] == ["params.`seed`", "params.`cluster.k`", "metrics.`ari`"]
    shown = state["selectedColumns"]
    assert len(set(shown)) == len(shown)
    assert "tags.`backbone`" in shown, "it is behind the metrics again"


def test_a_current_view_is_not_written_again(tracker: tracking.Tracker) -> None:
    saved = json.dumps(json.loads(tags(tracker)[VIEW]) | {"createdAt": 1, "name": "My figures"})
    assert tags_after_opening(tracker, "today", **{VIEW: saved})[VIEW] == saved


def test_the_view_fits_into_a_tag(tracker: tracking.Tracker) -> None:
    from mlflow.utils.validation import MAX_EXPERIMENT_TAG_VAL_LENGTH

    assert max(map(len, tags(tracker).values())) < MAX_EXPERIMENT_TAG_VAL_LENGTH


def test_a_written_description_is_kept_and_missing_views_are_added(tracker: tracking.Tracker) -> None:
    older = tracker.client.create_experiment("older", tags={"mlflow.note.content": "mine"})
    tracking.connect(Tracking(tracker.uri, "older"), "x")
    tags_ = tracker.client.get_experiment(older).tags
    assert tags_["mlflow.note.content"] == "mine"
    assert "mlflow.sharedViewState.figures" in tags_
