"""What an edited table decides anew, beside what the log says by now."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.dataset.corrections import Correction
from experiments.labelling.checking import Edits
from experiments.labelling.clustered import Clustered


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
        Rows without a label, of images that the log has a label for.
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
        label = wanted.labels.get(name, "")
        about = f"{wanted.places.get(name)}: {name} stays {said[-1].after!r}{_by(said[-1])}" if said else ""
        if not label:
            if said and name in wanted.places:
                emptied.append(f"{about}; to go back, write the old label{_old(said[0].before)}")
        elif said and label == said[-1].after:
            continue
        elif not accept_old and label in {each.after for each in said}:
            stale.append(f"{about}, which is newer than {label!r}")
        else:
            rows.append(row)
            after[row] = label
    return Decisions(before, after, np.array(rows, np.int64), tuple(stale), tuple(emptied))


def _by(last: Correction) -> str:
    return f" by {last.who} of {last.when[:10]}" if last.who else ""


def _old(before: str) -> str:
    return f", {before!r}" if before else " (there was none)"
