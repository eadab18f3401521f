"""What becomes of an edited table: lines in the log, figures before and after, and a run that has both."""

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
from experiments.recorded import Recorded
from experiments.recorded.labelling.checking import Edits, edits
from experiments.recorded.labelling.clustered import CORRECTS, Clustered
from experiments.recorded.labelling.deciding import Decisions, decisions
from experiments.recorded.labelling.scoring import SCORES, crosstab, scores
from experiments.report import tables
from experiments.tracking import Tracker

if TYPE_CHECKING:
    import pandas as pd

BEFORE = "_before"
CHANGES = ("image_id", "cluster", "from", "to")
LISTED = 30  # kinds of change that the note on the run's page names


@dataclass(frozen=True, eq=False)
class Applied:
    """What applying a table did.

    Parameters
    ----------
    changes
        `image_id`, `cluster`, `from` and `to` of each image whose label is another now.
    confirmed
        Images whose label is the same, and no longer in doubt.
    metrics
        After, and before as `<name>_before`.
    given
        Images for which the table has a label.
    missing
        Images of the run that it has no row for.
    unlabelled
        Images of the run that have no label after it.
    new
        Labels that no image had before, with the place of the first of each.
    stale, emptied
        What the table says that is not followed, each with its place: see `Decisions`.
    run_id, folder, lost
        The run that has all this, the folder with its files, and why it could not be recorded.
    """

    log: Path
    changes: "pd.DataFrame"
    confirmed: int
    metrics: Mapping[str, float]
    given: int
    missing: int
    unlabelled: int
    new: dict[str, str]
    stale: tuple[str, ...]
    emptied: tuple[str, ...]
    run_id: str = ""
    folder: Path | None = None
    lost: str = ""

    @property
    def others_scored(self) -> str:
        """Say that figures before and after are of other images; "" if they are of the same ones."""
        if ((self.changes["from"] == "") == (self.changes["to"] == "")).all():
            return ""
        before, after = int(self.metrics[f"labelled{BEFORE}"]), int(self.metrics["labelled"])
        return f"before is of {counted(before, 'image')}, after of {after}: of those that have a label"


def apply(
    clustered: Clustered,
    path: Path,
    who: str,
    *,
    log: Path | None = None,
    accept_new: bool = False,
    accept_old: bool = False,
) -> Applied:
    """Append what is new in an edited table to the log, score the clusters again, and record a run of it.

    Everything is checked before anything is written; a table that decides nothing anew writes nothing.

    Raises
    ------
    ValueError
        If anything is wrong with the table.
    """
    log, so_far = clustered.log(log)
    known = {*clustered.labels(clustered.applied(so_far)), *clustered.table["label"]} - {""}
    wanted = edits(path, clustered.ids.tolist(), known, accept_new=accept_new)
    with locked(log) if wanted.labels else nullcontext():  # from here on nobody else changes what was before
        decided = decisions(clustered, wanted, clustered.log(log)[1], accept_old=accept_old)
        done = _scored(log, clustered, wanted, decided)
        if not len(decided.rows):
            return done
        note = _note(clustered, done)
        folder = _keep(clustered, done, decided, _lines(clustered, decided, who), note)
    params = {"who": who, "labels.file": str(path), "labels.log": str(log)}
    return _recorded(clustered.run, replace(done, folder=folder), folder, note, params)


def _scored(log: Path, clustered: Clustered, wanted: Edits, decided: Decisions) -> Applied:
    """Return figures before and after."""
    import pandas as pd

    before, after, rows = decided.before, decided.after, decided.changed
    columns = (clustered.ids[rows], clustered.clusters[rows], before[rows], after[rows])
    changes = pd.DataFrame(dict(zip(CHANGES, columns, strict=True)))
    confirmed = len(decided.rows) - len(rows)
    new = {label: place for label, place in wanted.new.items() if label in set(after)}
    metrics = scores(after, clustered.clusters)
    metrics |= {f"{name}{BEFORE}": value for name, value in scores(before, clustered.clusters).items()}
    metrics |= {"labels_changed": float(len(rows)), "labels_confirmed": float(confirmed)}
    return Applied(
        log, changes, confirmed, metrics, len(wanted.labels), wanted.missing, int((after == "").sum()),
        new, decided.stale, decided.emptied,
    )  # fmt: skip


def _keep(
    clustered: Clustered, done: Applied, decided: Decisions, lines: Sequence[Correction], note: str
) -> Path:
    """Write the folder of files, then the log; without the one there is not the other."""
    for line in lines:
        line.line()  # raises where the log cannot hold it
    folder = compose.output_folder(anywhere=True)
    folder.mkdir(parents=True)
    try:
        _write(folder, clustered, done, (decided.before, decided.after), note)
        append_corrections(done.log, lines)
    except (ValueError, OSError):
        shutil.rmtree(folder)
        raise
    return folder


def _recorded(run: Recorded, done: Applied, folder: Path, note: str, params: dict[str, str]) -> Applied:
    """Record a run below the one whose labels were corrected."""
    tracker = Tracker(run.uri, str(run.info.info.experiment_id), run.id)
    name = f"labels of {run.info.info.run_name}"
    with tracker.run(name, folder, params=params, tags={CORRECTS: run.id}) as made:
        made.log(metrics=done.metrics)
        made.describe(note)
        made.artifacts()
    return replace(done, run_id=made.id, lost=made.lost)


def _lines(clustered: Clustered, decided: Decisions, who: str) -> list[Correction]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    hashes = clustered.table["hash"].to_numpy(str)
    columns = (clustered.ids, hashes, decided.before, decided.after)
    values = zip(*(column[decided.rows] for column in columns), strict=True)
    return [Correction(now, who, clustered.run.id, *map(str, cells)) for cells in values]


def _write(
    folder: Path, clustered: Clustered, done: Applied, labels: tuple[np.ndarray, np.ndarray], note: str
) -> None:
    import pandas as pd

    clusters = clustered.clusters
    tables.to_csv(done.changes, folder / "changes.csv")
    for name, each in zip(("before", "after"), labels, strict=True):
        tables.to_csv(crosstab(each, clusters), folder / f"cluster_label_crosstab_{name}.csv")
    everyone = pd.DataFrame({"image_id": clustered.ids, "cluster": clusters, "applied_label": labels[1]})
    tables.to_csv(everyone, folder / "image_labels_applied.csv")
    (folder / "label_changes.md").write_text(note, encoding="utf-8")


def _note(clustered: Clustered, done: Applied) -> str:
    """Tell in Markdown what changed."""
    import pandas as pd

    run = clustered.run
    rows = [
        (name, done.metrics.get(f"{name}{BEFORE}", np.nan), done.metrics.get(name, np.nan))
        for name in ("labelled", *SCORES)
    ]
    kinds = Counter(zip(done.changes["from"], done.changes["to"], strict=True)).most_common()
    lines = [f"- {count} x {old or '(none)'} -> {new or '(none)'}" for (old, new), count in kinds[:LISTED]]
    if len(kinds) > LISTED:
        lines.append(f"- and {len(kinds) - LISTED} kinds more; see changes.csv")
    if done.others_scored:
        lines.insert(0, f"{done.others_scored}\n")
    figures = tables.markdown(pd.DataFrame(rows, columns=["", "before", "after"]))
    changed = counted(len(done.changes), "label")
    head = f"{changed} changed, {done.confirmed} confirmed, of run {run.info.info.run_name} ({run.id})."
    return "\n".join([head, "", figures, *lines, ""])
