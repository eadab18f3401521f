"""A recorded run as a person goes through it: its samples, their clusters and their labels."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments import tracking
from experiments.config import compose
from experiments.dataset.labels.apply_corrections import History, match_corrections
from experiments.dataset.labels.correction_log import Correction, read_log
from experiments.recorded import Recorded
from experiments.recorded.labelling.checking import WITHDRAWN

if TYPE_CHECKING:
    import pandas as pd

CORRECTS = "corrects"  # the tag of a run of corrected labels that names the run they are of
KEY = "--log"


@dataclass(frozen=True, eq=False)
class Clustered:
    """What a run recorded of its samples.

    Parameters
    ----------
    table
        A row per sample: `id`, `hash`, `cluster` (-1 is noise), `label` ("" for none), and `probability` or
        `distance` where the run recorded them.
    """

    run: Recorded
    table: "pd.DataFrame"

    @classmethod
    def of(cls, uri: str, run_id: str) -> "Clustered":
        """Read a run, the best job of a sweep, or the run whose labels a run corrected.

        Raises
        ------
        ValueError
            If there is no such run, or it recorded no samples, or no hashes of them.
        """
        import pandas as pd

        run = Recorded.of(uri, run_id)
        for tag in (tracking.BEST, CORRECTS):
            linked = run.info.data.tags.get(tag)
            run = Recorded.of(uri, linked) if linked else run
        with tempfile.TemporaryDirectory(prefix="experiments-") as fetched:
            table = pd.read_parquet(run.file("assignments.parquet", Path(fetched)))
        if "hash" not in table:
            raise ValueError(
                f"RUN_ID={run.id} recorded no content hashes, by which corrections know renamed files; run "
                "the same command again, which computes nothing twice"
            )
        label = table["label"].astype(object) if "label" in table else ""
        return cls(run, table.assign(label=label))

    @property
    def name(self) -> str:
        """Return the name of its data set."""
        return self.run.data or "labels"

    @property
    def ids(self) -> np.ndarray:
        """Return what samples are called: str (n,)."""
        return self.table["id"].to_numpy(str)

    @property
    def clusters(self) -> np.ndarray:
        """Return int64 (n,), -1 is noise."""
        return self.table["cluster"].to_numpy(np.int64)

    def log(self, path: Path | None = None) -> tuple[Path, list[Correction]]:
        """Return the log of corrections of its data set, and what is in it so far."""
        path = path or compose.project_root() / "corrections" / f"{self.name.replace('/', '_')}.csv"
        return path, read_log(path, KEY) if path.exists() else []

    def history(self, corrections: Sequence[Correction]) -> History:
        """Return what the corrections say of the samples."""
        return match_corrections(corrections, self.ids, self.table["hash"].to_numpy(str))

    def applied(self, corrections: Sequence[Correction]) -> np.ndarray:
        """Return the label that the corrections give each sample: object (n,).

        It is "" where they say nothing, and `WITHDRAWN` where they say that it has none.
        """
        labels = np.full(len(self.table), "", object)
        for row, each in self.history(corrections).last.items():
            labels[row] = each.after or WITHDRAWN
        return labels

    def labels(self, applied: np.ndarray) -> np.ndarray:
        """Return the labels with those applied in their place, "" for none: object (n,)."""
        labels = np.where(applied != "", applied, self.table["label"].to_numpy(object))
        return np.where(applied == WITHDRAWN, "", labels)
