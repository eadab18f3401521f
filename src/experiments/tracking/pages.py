"""What MLflow's own pages show of an experiment, and links from one to another."""

import json
import time
from typing import Any

from experiments.metric_names import MAIN

NOTE = "mlflow.note.content"  # the description of a run, a model or an experiment, in Markdown
VIEW = "figures"  # the saved view's key, in links
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"
NAME = "Figures"  # among the Views of the page
KIND = "workflowType=machine_learning"  # or the pages for chat models come round what is linked
WIDTHS = {"attributes.`Run Name`": 250, "runDateAndNestInfo": 145, "attributes.`Description`": 310}
FIRST = tuple(WIDTHS)  # columns, as MLflow names them
CHOSEN = FIRST[2:]  # of them; the others are always there
AFTER = (
    "params.`cluster.k`",
    "params.`seed`",
    "params.`protocol`",
    "tags.`backbone`",
    "tags.`reducer`",
    "tags.`cluster`",
    "attributes.`Models`",
)
LETTER, ROOM, LEAST = 8, 28, 85  # pixels of a column: a letter of its name, what is round it, four figures


def run_page(experiment_id: str, run_id: str, file: str = "") -> str:
    """Return the link to a run, or to one of its files."""
    return f"#/experiments/{experiment_id}/runs/{run_id}{f'/artifacts/{file}' if file else ''}?{KIND}"


def figures_page(experiment_id: str) -> str:
    """Return the link to all runs with the main figures as columns."""
    return f"#/experiments/{experiment_id}/runs?viewStateShareKey={VIEW}&{KIND}"


def tags(experiment_id: str) -> dict[str, str]:
    """Return the tags of an experiment that say how to read it: a description, and a saved view."""
    page = figures_page(experiment_id)
    note = f"A row is a run; + opens a sweep's jobs. [The main figures as columns]({page})"
    now = int(time.time() * 1000)
    saved = {"name": NAME, "createdAt": now, "updatedAt": now, "state": json.dumps(_state())}
    return {NOTE: note, VIEW_TAG: json.dumps(saved)}


def _state() -> dict[str, Any]:
    """Return what MLflow's pages save as a view: columns, their order and width, and the charts."""
    figures = [f"metrics.`{name}`" for name in MAIN]
    columns = [*figures, *AFTER]
    widths = {f"metrics.`{name}`": max(LEAST, LETTER * len(str(name)) + ROOM) for name in MAIN}
    widths |= WIDTHS
    sections = {"figures": NAME, "others": "Model metrics"}
    charted = [str(name) for name in MAIN if name.row.charted]
    return {
        "selectedColumns": [*CHOSEN, *columns],
        "columnOrder": [*FIRST, *columns],
        "columnWidths": widths,
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
