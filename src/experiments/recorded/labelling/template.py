"""The table that a person edits: a row per image, those whose label is in doubt first."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.config import commands
from experiments.dataset.labels.correction_log import Correction
from experiments.evaluator.measures.majority import majority
from experiments.recorded.labelling.clustered import Clustered
from experiments.report import tables

if TYPE_CHECKING:
    import pandas as pd

SCRIPT = "scripts/labels.py"
COLUMNS = ("image_id", "file", "cluster", "current_label", "applied_label", "suggestion")
NAME = "label_overrides_template.csv"


def command(run: str, file: Path | str, options: Sequence[str] = ()) -> str:
    """Return the line to type that applies an edited table."""
    return shlex.join([commands.python(), SCRIPT, "apply", run, str(file), *options])


def template(clustered: Clustered, corrections: Sequence[Correction]) -> "pd.DataFrame":
    """Return the table to edit: text without gaps, but for `cluster`.

    `applied_label` is what the corrections say, "" without one, `WITHDRAWN` for no label; `suggestion` the
    label that most of the cluster have. First come the rows whose label is another than that and that nobody
    corrected, then those without a label, then the others; each by cluster, noise last, the uncertain first
    where the run recorded how certain each is.
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
        majorities(clustered.labels(applied), clustered.clusters),
    )
    rows = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)))
    certain = table["probability"] if "probability" in table else -table.get("distance", rows["cluster"] * 0)
    cluster = rows["cluster"].to_numpy()
    order = np.lexsort((certain.to_numpy(), cluster, cluster < 0, ~unlabelled(rows), ~doubtful(rows)))
    return rows.iloc[order].reset_index(drop=True)


def write(rows: "pd.DataFrame", path: Path) -> None:
    """Write the table; raise ValueError if there is a file already, which may hold hours of work."""
    plain = all(text.isascii() for column in rows.select_dtypes(exclude="number") for text in rows[column])
    try:  # spreadsheets take a file for their country's encoding unless a mark says that it is UTF-8
        tables.to_csv(rows, path, new=True, encoding="utf-8" if plain else "utf-8-sig")
    except FileExistsError:
        raise ValueError(
            f"FILE={path} is there already and may hold your work, so it is left alone; name another file, "
            f"or apply it: {command('RUN_ID', path)}"
        ) from None
    except OSError as error:
        raise ValueError(f"FILE={path} cannot be written ({error.strerror}); name another file") from error


def doubtful(rows: "pd.DataFrame") -> np.ndarray:
    """Tell of each row whether its label is not its cluster's, and nobody corrected it: bool (n,)."""
    undecided = (rows["applied_label"] == "") & (rows["current_label"] != "") & (rows["suggestion"] != "")
    return (undecided & (rows["current_label"] != rows["suggestion"])).to_numpy(bool)


def unlabelled(rows: "pd.DataFrame") -> np.ndarray:
    """Tell of each row whether it has no label, and nobody decided that it has none: bool (n,)."""
    return ((rows["applied_label"] == "") & (rows["current_label"] == "")).to_numpy(bool)


def majorities(labels: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return the most frequent label of each row's cluster, "" for noise and where there is none: (n,)."""
    most = np.full(len(labels), "", object)
    for cluster in np.unique(clusters[clusters >= 0]):
        rows = clusters == cluster
        most[rows] = majority(labels[rows]).first
    return most
