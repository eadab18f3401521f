"""Apply an edited table: append to the correction log, compute metrics before and after, record a run."""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.config import compose
from experiments.dataset.labels.correction_log import Correction, append_corrections, locked
from experiments.messages import counted
from experiments.recorded import PastRun
from experiments.recorded.labelling.checking import Edits, edits
from experiments.recorded.labelling.clustered import CORRECTS, ClusteredSamples
from experiments.recorded.labelling.deciding import Decisions, decisions
from experiments.recorded.labelling.scoring import SCORES, crosstab, scores
from experiments.report import tables
from experiments.tracking import Tracker

if TYPE_CHECKING:
    import pandas as pd

BEFORE = "_before"
CHANGES = ("image_id", "cluster", "from", "to")
SHOWN_KINDS = 30  # kinds of change on the run's page


@dataclass(frozen=True, eq=False)
class Applied:
    """The results of applying an edited table.

    Parameters
    ----------
    changes
        `image_id`, `cluster`, `from` and `to` of each image whose label has changed.
    confirmed
        Number of images whose label was confirmed.
    metrics
        Metrics after the changes, and before them as `<name>_before`.
    labelled_rows
        Number of rows of the table that have an applied label.
    missing
        Number of the run's images without a row in the table.
    unlabelled
        Number of the run's images without a label after the changes.
    new
        Labels that no image had before, with the line of the first use.
    stale, emptied
        Messages about ignored rows of the table: see `Decisions`.
    run_id, folder, unrecorded
        The run of the corrections, its folder, and the reason if it was not recorded.
    """

    log: Path
    changes: "pd.DataFrame"
    confirmed: int
    metrics: Mapping[str, float]
    labelled_rows: int
    missing: int
    unlabelled: int
    new: dict[str, str]
    stale: tuple[str, ...]
    emptied: tuple[str, ...]
    run_id: str = ""
    folder: Path | None = None
    unrecorded: str = ""

    @property
    def scored_images_note(self) -> str:
        """Return a note if corrections changed the number of labelled images, else ""."""
        if ((self.changes["from"] == "") == (self.changes["to"] == "")).all():
            return ""
        before, after = int(self.metrics[f"labelled{BEFORE}"]), int(self.metrics["labelled"])
        return f"labelled images: {before} before, {after} after"


def apply(
    clustered: ClusteredSamples,
    path: Path,
    who: str,
    *,
    log: Path | None = None,
    accept_new: bool = False,
    accept_old: bool = False,
) -> Applied:
    """Append the new decisions of a table to the log, score the clusters again, and record a run.

    The whole table is checked before anything is written; without new decisions nothing is written.

    Raises
    ------
    ValueError
        If the table has mistakes.
    """
    log, corrections = clustered.log(log)
    known = {*clustered.labels(clustered.applied(corrections)), *clustered.table["label"]} - {""}
    edited = edits(path, clustered.ids.tolist(), known, accept_new=accept_new)
    with locked(log) if edited.labels else nullcontext():  # no other process may change the log now
        new_decisions = decisions(clustered, edited, clustered.log(log)[1], accept_old=accept_old)
        applied = _score(log, clustered, edited, new_decisions)
        if not len(new_decisions.rows):
            return applied
        note = _note(clustered, applied)
        new_corrections = _corrections(clustered, new_decisions, who)
        folder = _write_folder_and_log(clustered, applied, new_decisions, new_corrections, note)
    params = {"who": who, "labels.file": str(path), "labels.log": str(log)}
    return _record_run(clustered.run, replace(applied, folder=folder), folder, note, params)


def _score(log: Path, clustered: ClusteredSamples, edited: Edits, decisions: Decisions) -> Applied:
    """Return the results, with metrics before and after."""
    import pandas as pd

    before, after, rows = decisions.before, decisions.after, decisions.changed
    columns = (clustered.ids[rows], clustered.clusters[rows], before[rows], after[rows])
    changes = pd.DataFrame(dict(zip(CHANGES, columns, strict=True)))
    confirmed = len(decisions.rows) - len(rows)
    new = {label: line for label, line in edited.new.items() if label in set(after)}
    metrics = scores(after, clustered.clusters)
    metrics |= {f"{name}{BEFORE}": value for name, value in scores(before, clustered.clusters).items()}
    metrics |= {"labels_changed": float(len(rows)), "labels_confirmed": float(confirmed)}
    return Applied(
        log, changes, confirmed, metrics, len(edited.labels), edited.missing, int((after == "").sum()),
        new, decisions.stale, decisions.emptied,
    )  # fmt: skip


def _write_folder_and_log(
    clustered: ClusteredSamples,
    applied: Applied,
    decisions: Decisions,
    corrections: Sequence[Correction],
    note: str,
) -> Path:
    """Write the folder of files, then the log; undo both if one fails."""
    for correction in corrections:
        correction.line()  # raises ValueError for text that does not fit into a log
    folder = compose.new_output_folder(anywhere=True)
    folder.mkdir(parents=True)
    try:
        _write_files(folder, clustered, applied, (decisions.before, decisions.after), note)
        append_corrections(applied.log, corrections)
    except (ValueError, OSError):
        shutil.rmtree(folder)
        raise
    return folder


def _record_run(run: PastRun, applied: Applied, folder: Path, note: str, params: dict[str, str]) -> Applied:
    """Record a child run of the run whose labels were corrected."""
    tracker = Tracker(run.uri, str(run.info.info.experiment_id), run.id)
    name = f"labels of {run.info.info.run_name}"
    with tracker.run(name, folder, params=params, tags={CORRECTS: run.id}) as record:
        record.log(metrics=applied.metrics)
        record.describe(note)
        record.artifacts()
    return replace(applied, run_id=record.id, unrecorded=record.unrecorded)


def _corrections(clustered: ClusteredSamples, decisions: Decisions, who: str) -> list[Correction]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    hashes = clustered.table["hash"].to_numpy(str)
    columns = (clustered.ids, hashes, decisions.before, decisions.after)
    values = zip(*(column[decisions.rows] for column in columns), strict=True)
    return [Correction(now, who, clustered.run.id, *map(str, cells)) for cells in values]


def _write_files(
    folder: Path,
    clustered: ClusteredSamples,
    applied: Applied,
    labels: tuple[np.ndarray, np.ndarray],
    note: str,
) -> None:
    import pandas as pd

    clusters = clustered.clusters
    tables.to_csv(applied.changes, folder / "changes.csv")
    for name, values in zip(("before", "after"), labels, strict=True):
        tables.to_csv(crosstab(values, clusters), folder / f"cluster_label_crosstab_{name}.csv")
    all_labels = pd.DataFrame({"image_id": clustered.ids, "cluster": clusters, "applied_label": labels[1]})
    tables.to_csv(all_labels, folder / "image_labels_applied.csv")
    (folder / "label_changes.md").write_text(note, encoding="utf-8")


def _note(clustered: ClusteredSamples, applied: Applied) -> str:
    """Return a summary of the changes in Markdown."""
    import pandas as pd

    run = clustered.run
    rows = [
        (name, applied.metrics.get(f"{name}{BEFORE}", np.nan), applied.metrics.get(name, np.nan))
        for name in ("labelled", *SCORES)
    ]
    kinds = Counter(zip(applied.changes["from"], applied.changes["to"], strict=True)).most_common()
    shown = kinds[:SHOWN_KINDS]
    lines = [f"- {count} x {old or '(none)'} -> {new or '(none)'}" for (old, new), count in shown]
    if len(kinds) > SHOWN_KINDS:
        lines.append(f"- and {len(kinds) - SHOWN_KINDS} kinds more; see changes.csv")
    if applied.scored_images_note:
        lines.insert(0, f"{applied.scored_images_note}\n")
    table = tables.markdown(pd.DataFrame(rows, columns=["", "before", "after"]))
    changed = counted(len(applied.changes), "label")
    head = f"{changed} changed, {applied.confirmed} confirmed, of run {run.info.info.run_name} ({run.id})."
    return "\n".join([head, "", table, *lines, ""])
