"""What a run leaves in its folder: config, assignments, centroids, tables, pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from omegaconf import DictConfig, OmegaConf

from experiments.figures import Figure
from experiments.figures.training import training_curves
from experiments.numerics.scale import rescaled
from experiments.pipeline import Result
from experiments.report import tables
from experiments.samples import Samples
from experiments.types import Findings

if TYPE_CHECKING:
    import pandas as pd

ASSIGNMENTS = "assignments.parquet"  # a row per sample: id, hash, cluster, and label where there is one
BLOCK = 1 << 16  # rows that are compared at a time
TRAINING = "training"  # the name of the table of epochs


def write(folder: Path, cfg: DictConfig, result: Result) -> None:
    """Write everything that a person may want from the run: config, assignments, centroids, tables."""
    import pandas as pd

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(OmegaConf.to_yaml(cfg, resolve=True), encoding="utf-8")
    _assignments(result).to_parquet(folder / ASSIGNMENTS)
    if result.clustering.centroids is not None:
        centroids = pd.DataFrame(result.clustering.centroids)
        centroids.columns = [f"d{column}" for column in centroids]
        centroids.to_parquet(folder / "centroids.parquet")
    if result.encoder.history:
        epochs = pd.DataFrame(result.encoder.history)
        epochs.insert(0, "epoch", range(1, len(epochs) + 1))
        tables.write(epochs, folder, TRAINING)
    for name, left in _left_out(result.samples).items():
        tables.to_csv(reasons(left), folder / f"{name}.csv")
    for found in result.findings.values():
        for name, rows in found.tables.items():
            tables.write(rows, folder, name)


def _assignments(result: Result) -> "pd.DataFrame":
    """Return a row per sample: id, hash, cluster, and probability, distance and label where there are any."""
    import pandas as pd

    samples, clustering = result.samples, result.clustering
    columns = {"id": samples.ids, "hash": samples.content.hashes, "cluster": clustering.assignments}
    table = pd.DataFrame(columns)
    if clustering.probabilities is not None:
        table["probability"] = clustering.probabilities
    if clustering.centroids is not None:
        table["distance"] = _distances(result.reduced, clustering.centroids, clustering.assignments)
    if samples.labels is not None:
        table["label"] = samples.label_names
    return table


def _left_out(samples: Samples) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return what was left out, and why, by the name of its table."""
    lists = {"skipped_files": samples.skipped, "unmatched_labels": samples.unmatched}
    if 0 < len(samples.labelled) < len(samples):
        without = np.delete(samples.ids, samples.labelled)
        lists["unlabelled_samples"] = tuple((str(name), "no label") for name in without)
    return lists


def _distances(reduced: np.ndarray, centroids: np.ndarray, assignments: np.ndarray) -> np.ndarray:
    """Return how far each row is from its centroid, (n,), a block at a time."""
    blocks = [slice(start, start + BLOCK) for start in range(0, len(reduced), BLOCK)]
    offsets = (rescaled(reduced[rows] - np.asarray(centroids)[assignments[rows]]) for rows in blocks)
    return np.concatenate([np.ldexp(np.linalg.norm(part, axis=1), power) for part, power in offsets])


def reasons(left: Sequence[tuple[str, str]]) -> "pd.DataFrame":
    """Return a table of what was left out, and why."""
    import pandas as pd

    return pd.DataFrame(left, columns=["id", "reason"])


def pictures(result: Result) -> dict[str, Figure]:
    """Return every picture of a run, by name."""
    found: dict[str, Figure] = dict(training_curves(result.encoder.history))
    for each in result.findings.values():
        found |= each.figures
    return found


def check_names(findings: Mapping[str, Findings], params: Mapping[str, Any]) -> None:
    """Raise ValueError if two evaluators call a picture or a table the same, as one would be lost.

    Parameters
    ----------
    params
        The settings, by their dotted keys: those that have the name can be changed.
    """
    for kind in ("figures", "tables"):
        owners: dict[str, str] = {}
        for evaluator, found in findings.items():
            twice = [name for name in getattr(found, kind) if name in owners]
            if twice:
                raise ValueError(_both(kind, twice[0], (owners[twice[0]], evaluator), params))
            owners |= dict.fromkeys(getattr(found, kind), evaluator)


def _both(kind: str, name: str, evaluators: tuple[str, str], params: Mapping[str, Any]) -> str:
    """Return which two evaluators use a name, and which setting gives another."""
    first, second = (f"evaluator.{evaluator}" for evaluator in evaluators)
    places = (f"{first}.", f"{second}.")
    named = [key for key, value in params.items() if key.startswith(places) and value == name]
    use = f"{named[-1]}=<another name>" if named else "one of them alone"
    return f"{first} and {second} both make {kind} called {name}; use {use}"
