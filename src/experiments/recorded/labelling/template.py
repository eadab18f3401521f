"""The table of labels to edit: a row per image, doubtful labels first."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.config import commands
from experiments.dataset.labels.correction_log import Correction
from experiments.evaluator.measures.majority import majority
from experiments.evaluator.measures.vocabulary import UNNAMED
from experiments.recorded.labelling.clustered import ClusteredSamples
from experiments.report import tables

if TYPE_CHECKING:
    import pandas as pd

SCRIPT = "scripts/labels.py"
COLUMNS = ("image_id", "file", "cluster", "current_label", "applied_label", "suggestion")
NAME = "label_overrides_template.csv"


def apply_command(run: str, file: Path | str, options: Sequence[str] = ()) -> str:
    """Return the command that applies an edited table."""
    return shlex.join([commands.python_path(), SCRIPT, "apply", run, str(file), *options])


def template(clustered: ClusteredSamples, corrections: Sequence[Correction]) -> "pd.DataFrame":
    """Return the table to edit: text without missing values, and the number in `cluster`.

    `applied_label` is the corrected label, "" without a correction, `WITHDRAWN` for no label; `suggestion` is
    the most frequent label of the cluster, or without labels its name, if the run named it. The order is:
    doubtful rows, rows without a label, all others; each by cluster, noise last, and by certainty, lowest
    first, if the run recorded it.
    """
    import pandas as pd

    table = clustered.table
    names = table["id"].astype(str)
    applied = clustered.applied(corrections)
    columns = (
        names,
        names.str.rpartition("/")[2],
        clustered.clusters,
        table["label"],
        applied,
        _suggestions(clustered, applied),
    )
    rows = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    certain = table["probability"] if "probability" in table else -table.get("distance", rows["cluster"] * 0)
    cluster = rows["cluster"].to_numpy()
    order = np.lexsort((certain.to_numpy(), cluster, cluster < 0, ~unlabelled(rows), ~doubtful(rows)))
    return rows.iloc[order].reset_index(drop=True)


def write(rows: "pd.DataFrame", path: Path) -> None:
    """Write the table; raise ValueError if the file exists, as it may contain hours of work."""
    is_ascii = all(text.isascii() for column in rows.select_dtypes(exclude="number") for text in rows[column])
    try:  # without a byte order mark, spreadsheets do not read a file as UTF-8
        tables.to_csv(rows, path, new=True, encoding="utf-8" if is_ascii else "utf-8-sig")
    except FileExistsError:
        raise ValueError(
            f"FILE={path} exists and may contain your work, so it is not overwritten; use another file, "
            f"or apply it: {apply_command('RUN_ID', path)}"
        ) from None
    except OSError as error:
        raise ValueError(f"FILE={path} cannot be written ({error.strerror}); use another file") from error


def doubtful(rows: "pd.DataFrame") -> np.ndarray:
    """Return a mask of rows without correction whose label is not their cluster's majority: bool (n,)."""
    undecided = (rows["applied_label"] == "") & (rows["current_label"] != "") & (rows["suggestion"] != "")
    return (undecided & (rows["current_label"] != rows["suggestion"])).to_numpy(bool)


def unlabelled(rows: "pd.DataFrame") -> np.ndarray:
    """Return a mask of rows with neither a label nor a correction: bool (n,)."""
    return ((rows["applied_label"] == "") & (rows["current_label"] == "")).to_numpy(bool)


def _suggestions(clustered: ClusteredSamples, applied: np.ndarray) -> np.ndarray:
    most = majorities(clustered.labels(applied), clustered.clusters)
    if "name" not in clustered.table:
        return most
    names = clustered.table["name"].to_numpy(object)
    return np.where((most == "") & (names != UNNAMED), names, most)


def majorities(labels: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return the most frequent label of each row's cluster, "" for noise and without labels: (n,)."""
    most = np.full(len(labels), "", object)
    for cluster in np.unique(clusters[clusters >= 0]):
        rows = clusters == cluster
        most[rows] = majority(labels[rows]).first
    return most
