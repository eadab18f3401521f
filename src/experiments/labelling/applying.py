"""What becomes of an edited table: lines in the log, figures before and after, and a run that has both."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments import compose, tables
from experiments.dataset.corrections import Correction, append
from experiments.labelling.checking import edits
from experiments.labelling.clustered import CORRECTS, Clustered
from experiments.labelling.scoring import SCORES, crosstab, scores
from experiments.recorded import Recorded
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
    metrics
        After, and before as `<name>_before`.
    given
        Images for which the table has a label.
    missing
        Images of the run that it has no row for.
    new
        Labels that no image had before, with the line of the first of each.
    run_id, folder, lost
        The run that has all this, the folder with its files, and why it could not be recorded.
    """

    log: Path
    changes: "pd.DataFrame"
    metrics: Mapping[str, float]
    given: int
    missing: int
    new: dict[str, int]
    run_id: str = ""
    folder: Path | None = None
    lost: str = ""


def apply(
    clustered: Clustered, path: Path, who: str, *, log: Path | None = None, accept_new: bool = False
) -> Applied:
    """Append what is new in an edited table to the log, score the clusters again, and record a run of it.

    Everything is checked before anything is written; a table that changes nothing writes nothing.

    Raises
    ------
    ValueError
        If anything is wrong with the table.
    """
    import pandas as pd

    log, so_far = clustered.log(log)
    before = clustered.labels(clustered.applied(so_far))
    known = {*before, *clustered.table["label"]} - {""}
    wanted = edits(path, clustered.ids.tolist(), known, accept_new=accept_new)
    pairs = zip(clustered.ids, before, strict=True)
    after = np.array([wanted.labels.get(str(name), label) for name, label in pairs], object)
    rows = np.flatnonzero(after != before)
    columns = (clustered.ids[rows], clustered.clusters[rows], before[rows], after[rows])
    changes = pd.DataFrame(dict(zip(CHANGES, columns, strict=True)))
    metrics = scores(after, clustered.clusters)
    metrics |= {f"{name}{BEFORE}": value for name, value in scores(before, clustered.clusters).items()}
    metrics["labels_changed"] = float(len(rows))
    done = Applied(log, changes, metrics, len(wanted.labels), wanted.missing, wanted.new)
    if not len(rows):
        return done
    note = _note(clustered, done)
    with compose.output_folder() as folder:  # before the log: what fails here can be repeated
        folder.mkdir(parents=True)
        _write(folder, clustered, done, (before, after), note)
    append(log, _lines(clustered, changes, rows, who))
    params = {"who": who, "labels.file": str(path), "labels.log": str(log)}
    return _recorded(clustered.run, replace(done, folder=folder), folder, note, params)


def _recorded(run: Recorded, done: Applied, folder: Path, note: str, params: dict[str, str]) -> Applied:
    """Record a run below the one whose labels were corrected."""
    tracker = Tracker(run.uri, str(run.info.info.experiment_id), run.id)
    name = f"labels of {run.info.info.run_name}"
    with tracker.run(name, folder, params=params, tags={CORRECTS: run.id}) as made:
        made.log(metrics=done.metrics)
        made.describe(note)
        made.artifacts()
    return replace(done, run_id=made.id, lost=made.lost)


def _lines(clustered: Clustered, changes: "pd.DataFrame", rows: np.ndarray, who: str) -> list[Correction]:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    hashes = clustered.table["hash"].to_numpy(str)[rows]
    values = zip(changes["image_id"], hashes, changes["from"], changes["to"], strict=True)
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
    lines = [f"- {count} x {old or '(none)'} -> {new}" for (old, new), count in kinds[:LISTED]]
    if len(kinds) > LISTED:
        lines.append(f"- and {len(kinds) - LISTED} kinds more; see changes.csv")
    figures = tables.markdown(pd.DataFrame(rows, columns=["", "before", "after"]))
    head = f"Corrected labels of {len(done.changes)} images of run {run.info.info.run_name} ({run.id})."
    return "\n".join([head, "", figures, *lines, ""])
