"""The clustered samples of a past run, with their labels and corrections."""

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
from experiments.recorded import PastRun
from experiments.recorded.labelling.checking import WITHDRAWN

if TYPE_CHECKING:
    import pandas as pd

CORRECTS = "corrects"  # tag of a run of corrected labels: id of the corrected run
KEY = "--log"


@dataclass(frozen=True, eq=False)
class ClusteredSamples:
    """The recorded samples of a run.

    Parameters
    ----------
    table
        A row per sample: `id`, `hash`, `cluster` (-1 is noise), `label` ("" for none), and `probability` or
        `distance` if the run recorded them.
    """

    run: PastRun
    table: "pd.DataFrame"

    @classmethod
    def of(cls, uri: str, run_id: str) -> "ClusteredSamples":
        """Read the samples of a run, of a sweep's best job, or of the run that a label run corrects.

        Raises
        ------
        ValueError
            If there is no such run, or it recorded no samples or no content hashes.
        """
        import pandas as pd

        run = PastRun.of(uri, run_id)
        for tag in (tracking.BEST, CORRECTS):
            linked = run.info.data.tags.get(tag)
            run = PastRun.of(uri, linked) if linked else run
        with tempfile.TemporaryDirectory(prefix="experiments-") as folder:
            table = pd.read_parquet(run.file("assignments.parquet", Path(folder)))
        if "hash" not in table:
            raise ValueError(
                f"RUN_ID={run.id} recorded no content hashes, which corrections of renamed files need; run "
                "the same command again, which reuses all cached values"
            )
        label = table["label"].astype(object) if "label" in table else ""
        return cls(run, table.assign(label=label))

    @property
    def name(self) -> str:
        """Return the name of its data set."""
        return self.run.data or "labels"

    @property
    def ids(self) -> np.ndarray:
        """Return the ids of the samples: str (n,)."""
        return self.table["id"].to_numpy(str)

    @property
    def clusters(self) -> np.ndarray:
        """Return the clusters of the samples: int64 (n,), -1 is noise."""
        return self.table["cluster"].to_numpy(np.int64)

    def log(self, path: Path | None = None) -> tuple[Path, list[Correction]]:
        """Return the path of the data set's correction log, and the corrections in it."""
        path = path or compose.project_root() / "corrections" / f"{self.name.replace('/', '_')}.csv"
        return path, read_log(path, KEY) if path.exists() else []

    def history(self, corrections: Sequence[Correction]) -> History:
        """Return the corrections of each sample."""
        return match_corrections(corrections, self.ids, self.table["hash"].to_numpy(str))

    def applied(self, corrections: Sequence[Correction]) -> np.ndarray:
        """Return the corrected label of each sample: object (n,).

        It is "" without a correction, and `WITHDRAWN` if the correction removes the label.
        """
        labels = np.full(len(self.table), "", object)
        for row, correction in self.history(corrections).last.items():
            labels[row] = correction.after or WITHDRAWN
        return labels

    def labels(self, applied: np.ndarray) -> np.ndarray:
        """Return the labels after the corrections `applied`, "" for none: object (n,)."""
        labels = np.where(applied != "", applied, self.table["label"].to_numpy(object))
        return np.where(applied == WITHDRAWN, "", labels)
