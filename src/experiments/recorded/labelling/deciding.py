"""What an edited table decides anew, beside what the log says by now."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.dataset.labels.correction_log import Correction
from experiments.recorded.labelling.checking import WITHDRAWN, Edits
from experiments.recorded.labelling.clustered import Clustered


@dataclass(frozen=True, eq=False)
class Decisions:
    """The labels of n samples before and after, and what a table had to say of them.

    Parameters
    ----------
    before, after
        "" for none: object (n,).
    rows
        Those whose label is decided anew; a label that is confirmed is the same before and after.
    stale
        Labels of the table that the log had once and that are not its latest: they are skipped, as a table
        that was written before a newer correction still holds the older one.
    emptied
        Rows without a label, of images to which the log gives another one than they had.
    """

    before: np.ndarray
    after: np.ndarray
    rows: np.ndarray
    stale: tuple[str, ...]
    emptied: tuple[str, ...]

    @property
    def changed(self) -> np.ndarray:
        """Return the rows whose label is another now."""
        return np.array([row for row in self.rows if self.before[row] != self.after[row]], np.int64)


def decisions(
    clustered: Clustered, wanted: Edits, log: Sequence[Correction], *, accept_old: bool
) -> Decisions:
    """Compare what a table says with the log.

    Parameters
    ----------
    accept_old
        Take a label that the log had once for a new decision.
    """
    known = clustered.history(log).rows
    before = clustered.labels(clustered.applied(log))
    after = before.copy()
    rows, stale, emptied = [], [], []
    for row, name in enumerate(clustered.ids.tolist()):
        said = [each for each, _ in known.get(row, ())]
        label = wanted.labels.get(name)
        about = f"{wanted.places.get(name)}: {name} stays {_named(said[-1])}" if said else ""
        if label is None:
            if said and name in wanted.places and said[-1].after != said[0].before:
                emptied.append(f"{about}; to go back, write {_old(said[0].before)}")
        elif (said and label == said[-1].after) or (not said and not label and not before[row]):
            continue
        elif not accept_old and label in {each.after for each in said}:
            stale.append(f"{about}, which is newer than {label or WITHDRAWN!r}")
        else:
            rows.append(row)
            after[row] = label
    return Decisions(before, after, np.array(rows, np.int64), tuple(stale), tuple(emptied))


def _named(last: Correction) -> str:
    who = f" by {last.who} of {last.when[:10]}" if last.who else ""
    return f"{repr(last.after) if last.after else 'without a label'}{who}"


def _old(before: str) -> str:
    return f"the old label, {before!r}" if before else f"{WITHDRAWN} for none, as there was none"
