"""What MLflow's own pages show of an experiment, and links from one to another."""

import json
import time
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from experiments.metric_names import MAIN

NOTE = "mlflow.note.content"  # the description of a run, a model or an experiment, in Markdown
VIEW, JOBS = "figures", "jobs"  # the saved views' keys, in links
VIEW_TAG = "mlflow.sharedViewState."  # and a view's key
BEST = str(MAIN[0])
NAMES = {VIEW: "Main metrics", JOBS: f"All jobs by {BEST}"}  # among the Views of the page
SORTED = {  # by another column than the time, MLflow shows jobs that are not opened below their sweep
    VIEW: {},
    JOBS: {"orderByKey": f"metrics.`{BEST}`", "orderByAsc": False},
}
KIND = "workflowType=machine_learning"  # or the pages for chat models come round what is linked
RUN, CREATED, TEXT = "attributes.`Run Name`", "runDateAndNestInfo", "attributes.`Description`"  # as MLflow's
WIDTHS = {RUN: 185, CREATED: 105, TEXT: 400}  # MLflow pins the first two at the left
USUAL = ("params.`cluster.k`", "params.`seed`")  # columns of what sweeps differ in, while there was none
MOST = 2  # such columns, or a screen of 1,280 pixels with MLflow's assistant shows no metric
OPTIONS = ("dataset", "backbone", "reducer", "cluster", "experiment")  # recorded as tags
AFTER = (
    *USUAL,
    "params.`protocol`",
    "tags.`backbone`",
    "tags.`reducer`",
    "tags.`cluster`",
    "attributes.`Models`",
)
LETTER, ROOM, LEAST = 8, 28, 85  # pixels of a column: a letter of its name, what is round it, four figures
WIDEST = 84  # of a setting


def run_page(experiment_id: str, run_id: str, file: str = "") -> str:
    """Return the link to a run, or to one of its files."""
    return f"#/experiments/{experiment_id}/runs/{run_id}{f'/artifacts/{file}' if file else ''}?{KIND}"


def figures_page(experiment_id: str, view: str = VIEW) -> str:
    """Return the link to all runs with the main metrics as columns."""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={view}&{KIND}"


def tags(experiment_id: str, swept: Sequence[str] = USUAL) -> dict[str, str]:
    """Return the tags of an experiment that say how to read it: a description, and saved views.

    Parameters
    ----------
    swept
        The columns of what its sweeps differ in.
    """
    runs, jobs = (figures_page(experiment_id, view) for view in (VIEW, JOBS))
    note = "A row is a run; + opens a sweep's jobs. "
    note += f"[The main metrics as columns]({runs}), [all jobs by {BEST}]({jobs})"
    now, state = int(time.time() * 1000), _state(swept)
    views = {
        f"{VIEW_TAG}{view}": {"name": name, "createdAt": now, "updatedAt": now, "state": _text(state | order)}
        for (view, name), order in zip(NAMES.items(), SORTED.values(), strict=True)
    }
    return {NOTE: note} | {tag: _text(saved) for tag, saved in views.items()}


def _text(saved: Mapping[str, Any]) -> str:
    return json.dumps(saved, separators=(",", ":"))  # a tag of an experiment has room for 5,000 characters


def column(key: str) -> str:
    """Return the column of a setting as MLflow names it."""
    return f"tags.`{key}`" if key in OPTIONS else f"params.`{key}`"


def state_of(view: str) -> dict[str, Any]:
    """Return what a saved view shows; nothing if it is none."""
    try:
        state = json.loads(json.loads(view)["state"])
    except (ValueError, KeyError, TypeError):
        return {}
    return state if isinstance(state, dict) else {}


def swept_in(known: Mapping[str, str]) -> list[str]:
    """Return the columns of what sweeps differ in from an experiment's tags: those before metrics."""
    columns = state_of(known.get(f"{VIEW_TAG}{VIEW}", "")).get("selectedColumns", [])
    before = takewhile(lambda name: not name.startswith("metrics."), columns)
    return [name for name in before if name.startswith(("params.", "tags."))] or list(USUAL)


def _state(swept: Sequence[str]) -> dict[str, Any]:
    """Return what MLflow's pages save as a view: columns, their order and width, and the charts."""
    metrics = [f"metrics.`{name}`" for name in MAIN]
    after = [name for name in AFTER if name not in swept]
    widths = {f"metrics.`{name}`": max(LEAST, LETTER * len(str(name)) + ROOM) for name in MAIN}
    widths |= {name: min(WIDEST, LETTER * len(name.split("`")[1]) + ROOM) for name in swept}
    sections = {"figures": NAMES[VIEW], "others": "Model metrics"}
    charted = [str(name) for name in MAIN if name.row.charted]
    return {
        "selectedColumns": [*swept, *metrics, *after, TEXT],
        "columnOrder": [RUN, *swept, *metrics, CREATED, *after, TEXT],
        "columnWidths": widths | WIDTHS,
        "compareRunCharts": [_chart(name) for name in charted],
        "compareRunSections": [
            {"uuid": key, "name": name, "display": True, "isReordered": False, "isGenerated": True}
            for key, name in sections.items()
        ],
        "isAccordionReordered": True,  # the sections stay in this order
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
