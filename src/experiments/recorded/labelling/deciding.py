"""Find the decisions of an edited table that the correction log does not have yet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.dataset.labels.correction_log import Correction
from experiments.recorded.labelling.checking import WITHDRAWN, Edits
from experiments.recorded.labelling.clustered import ClusteredSamples


@dataclass(frozen=True, eq=False)
class Decisions:
    """The labels of n samples before and after an edited table, and the ignored rows of the table.

    Parameters
    ----------
    before, after
        Labels, "" for none: object (n,).
    rows
        Row numbers of new decisions; a confirmed label is the same before and after.
    stale
        Messages about labels of the table that are older corrections in the log. They are skipped, as a
        table that was written before a newer correction still contains the older one.
    emptied
        Messages about rows without a label whose images have a correction in the log.
    """

    before: np.ndarray
    after: np.ndarray
    rows: np.ndarray
    stale: tuple[str, ...]
    emptied: tuple[str, ...]

    @property
    def changed(self) -> np.ndarray:
        """Return the rows whose label has changed."""
        return np.array([row for row in self.rows if self.before[row] != self.after[row]], np.int64)


def decisions(
    clustered: ClusteredSamples, edited: Edits, log: Sequence[Correction], *, accept_old: bool
) -> Decisions:
    """Compare an edited table with the log.

    Parameters
    ----------
    accept_old
        Treat a label that is an older correction in the log as a new decision.
    """
    known = clustered.history(log).rows
    before = clustered.labels(clustered.applied(log))
    after = before.copy()
    rows, stale, emptied = [], [], []
    for row, name in enumerate(clustered.ids.tolist()):
        corrections = [correction for correction, _ in known.get(row, ())]
        label = edited.labels.get(name)
        line = edited.lines.get(name)
        message = f"{line}: {name} stays {_described(corrections[-1])}" if corrections else ""
        latest = corrections[-1].after if corrections else before[row]
        if label is None:
            if corrections and name in edited.lines and latest != corrections[0].before:
                emptied.append(f"{message}; to go back, write {_undo_text(corrections[0].before)}")
        elif label == latest and (corrections or not label):
            continue
        elif not accept_old and label in {correction.after for correction in corrections}:
            stale.append(f"{message}, which is newer than {label or WITHDRAWN!r}")
        else:
            rows.append(row)
            after[row] = label
    return Decisions(before, after, np.array(rows, np.int64), tuple(stale), tuple(emptied))


def _described(last: Correction) -> str:
    author = f" by {last.who} of {last.when[:10]}" if last.who else ""
    return f"{repr(last.after) if last.after else 'without a label'}{author}"


def _undo_text(before: str) -> str:
    return f"the old label, {before!r}" if before else f"{WITHDRAWN}, as there was no label"
