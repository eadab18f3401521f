"""The experiment of a data set, and what its page says."""

import json

import pytest

from experiments import tracking
from experiments.config import Tracking


def test_a_deleted_experiment_says_so(tracker: tracking.Tracker) -> None:
    doomed = tracker.client.create_experiment("doomed")
    tracker.client.delete_experiment(doomed)
    with pytest.raises(ValueError, match=r"tracking\.experiment=doomed was deleted; restore it"):
        tracking.connect(Tracking(tracker.uri, "doomed"), "x")


def tags(tracker: tracking.Tracker) -> dict[str, str]:
    """Return what an experiment says of itself."""
    return dict(tracker.client.get_experiment(tracker.experiment_id).tags)


def test_an_experiment_says_how_to_read_it(tracker: tracking.Tracker) -> None:
    told = tags(tracker)
    assert f"]({tracking.figures_page(tracker.experiment_id)})" in told["mlflow.note.content"]
    saved = json.loads(told["mlflow.sharedViewState.figures"])
    assert saved["name"] == "Figures"
    state = json.loads(saved["state"])
    assert state["selectedColumns"][1:4] == ["metrics.`ari`", "metrics.`ami`", "metrics.`nmi`"]
    assert [chart["metricKey"] for chart in state["compareRunCharts"]][:2] == ["ari", "ami"]


def test_what_a_person_wrote_stays_and_an_older_experiment_gets_the_rest(tracker: tracking.Tracker) -> None:
    older = tracker.client.create_experiment("older", tags={"mlflow.note.content": "mine"})
    tracking.connect(Tracking(tracker.uri, "older"), "x")
    told = tracker.client.get_experiment(older).tags
    assert told["mlflow.note.content"] == "mine"
    assert "mlflow.sharedViewState.figures" in told
