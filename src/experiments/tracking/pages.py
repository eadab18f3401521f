"""MLflow's pages of an experiment: saved views, their columns and charts, and links to them."""

import json
import time
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from experiments.metric_names import MAIN

NOTE = "mlflow.note.content"  # the description of a run, a model or an experiment, in Markdown
VIEW, JOBS = "figures", "jobs"  # the saved views' keys, in links
VIEW_TAG = "mlflow.sharedViewState."  # followed by a view's key
BEST = str(MAIN[0])
NAMES = {VIEW: "Main metrics", JOBS: f"All jobs by {BEST}"}  # in the page's list of views
VIEW_ORDER = {  # MLflow shows the jobs of collapsed sweeps only if rows are not ordered by time
    VIEW: {},
    JOBS: {"orderByKey": f"metrics.`{BEST}`", "orderByAsc": False},
}
KIND = "workflowType=machine_learning"  # otherwise the link opens MLflow's pages for chat models
RUN_COLUMN, TIME_COLUMN = "attributes.`Run Name`", "runDateAndNestInfo"  # MLflow's names
DESCRIPTION_COLUMN = "attributes.`Description`"
WIDTHS = {RUN_COLUMN: 185, TIME_COLUMN: 105, DESCRIPTION_COLUMN: 400}  # MLflow pins the first two on the left
DEFAULT_SWEPT = ("params.`cluster.k`", "params.`seed`")  # columns before the first sweep
SWEPT_COLUMNS = 2  # more would hide all metrics on a 1,280-pixel screen with MLflow's assistant
OPTIONS = ("dataset", "backbone", "reducer", "cluster", "experiment")  # recorded as tags
LAST_COLUMNS = (
    *DEFAULT_SWEPT,
    "params.`protocol`",
    "tags.`backbone`",
    "tags.`reducer`",
    "tags.`cluster`",
    "attributes.`Models`",
)
CHARACTER_WIDTH, MARGIN, MIN_METRIC_WIDTH = 8, 28, 85  # pixels of a column
MAX_SETTING_WIDTH = 84  # pixels


def run_page(experiment_id: str, run_id: str, file: str = "") -> str:
    """Return the link to a run, or to one of its files."""
    return f"#/experiments/{experiment_id}/runs/{run_id}{f'/artifacts/{file}' if file else ''}?{KIND}"


def metrics_page(experiment_id: str, view: str = VIEW) -> str:
    """Return the link to all runs with the main metrics as columns."""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={view}&{KIND}"


def tags(experiment_id: str, swept: Sequence[str] = DEFAULT_SWEPT) -> dict[str, str]:
    """Return the tags of an experiment that hold its description and saved views.

    Parameters
    ----------
    swept
        Columns of the swept settings.
    """
    runs, jobs = (metrics_page(experiment_id, view) for view in (VIEW, JOBS))
    note = "A row is a run; + opens a sweep's jobs. "
    note += f"[The main metrics as columns]({runs}), [all jobs by {BEST}]({jobs})"
    now, state = int(time.time() * 1000), _state(swept)
    views = {
        f"{VIEW_TAG}{view}": {"name": name, "createdAt": now, "updatedAt": now, "state": _text(state | order)}
        for (view, name), order in zip(NAMES.items(), VIEW_ORDER.values(), strict=True)
    }
    return {NOTE: note} | {tag: _text(saved) for tag, saved in views.items()}


def _text(saved: Mapping[str, Any]) -> str:
    return json.dumps(saved, separators=(",", ":"))  # an experiment's tag is limited to 5,000 characters


def column(key: str) -> str:
    """Return MLflow's name of a setting's column."""
    return f"tags.`{key}`" if key in OPTIONS else f"params.`{key}`"


def state_of(view: str) -> dict[str, Any]:
    """Return the state of a saved view; {} if it cannot be read."""
    try:
        state = json.loads(json.loads(view)["state"])
    except (ValueError, KeyError, TypeError):
        return {}
    return state if isinstance(state, dict) else {}


def swept_in(known: Mapping[str, str]) -> list[str]:
    """Return the columns of swept settings, which are before the metrics, from an experiment's tags."""
    columns = state_of(known.get(f"{VIEW_TAG}{VIEW}", "")).get("selectedColumns", [])
    before = takewhile(lambda name: not name.startswith("metrics."), columns)
    return [name for name in before if name.startswith(("params.", "tags."))] or list(DEFAULT_SWEPT)


def _state(swept: Sequence[str]) -> dict[str, Any]:
    """Return the state of a view in MLflow's format: columns, their order and width, and charts."""
    metrics = [f"metrics.`{name}`" for name in MAIN]
    last = [name for name in LAST_COLUMNS if name not in swept]
    widths = {
        f"metrics.`{name}`": max(MIN_METRIC_WIDTH, CHARACTER_WIDTH * len(str(name)) + MARGIN) for name in MAIN
    }
    widths |= {
        name: min(MAX_SETTING_WIDTH, CHARACTER_WIDTH * len(name.split("`")[1]) + MARGIN) for name in swept
    }
    sections = {"figures": NAMES[VIEW], "others": "Model metrics"}
    charted = [str(name) for name in MAIN if name.row.charted]
    return {
        "selectedColumns": [*swept, *metrics, *last, DESCRIPTION_COLUMN],
        "columnOrder": [RUN_COLUMN, *swept, *metrics, TIME_COLUMN, *last, DESCRIPTION_COLUMN],
        "columnWidths": widths | WIDTHS,
        "compareRunCharts": [_chart(name) for name in charted],
        "compareRunSections": [
            {"uuid": key, "name": name, "display": True, "isReordered": False, "isGenerated": True}
            for key, name in sections.items()
        ],
        "isAccordionReordered": True,  # keep the sections in this order
        "runsHiddenMode": "FIRST_20_RUNS",  # in the charts
    }


def _chart(metric: str) -> dict[str, Any]:
    return {
        "type": "BAR",
        "uuid": f"{VIEW}-{metric}",
        "metricKey": metric,
        "displayName": metric,
        "metricSectionId": "figures",
        "runsCountToCompare": 20,
        "deleted": False,
        "isGenerated": False,
    }
