"""Files of a run: config, assignments, centroids, tables and figures."""

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
from experiments.store.sources import sources
from experiments.types import Findings, Stages

if TYPE_CHECKING:
    import pandas as pd

ASSIGNMENTS = "assignments.parquet"  # a row per sample: id, hash, cluster, and label if the data has labels
BLOCK = 1 << 16  # rows per block of the distances
TRAINING = "training"  # the name of the table of epochs


def write(folder: Path, cfg: DictConfig, stages: Stages, result: Result) -> None:
    """Write config, assignments, centroids, tables, and the code of stages from outside into a folder."""
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
    for name, skipped in _skipped(result.samples).items():
        tables.to_csv(reasons_table(skipped), folder / f"{name}.csv")
    for findings in result.findings.values():
        for name, rows in findings.tables.items():
            tables.write(rows, folder, name)
    for name, text in sources(stages).items():
        (folder / "code").mkdir(exist_ok=True)
        (folder / "code" / f"{name.rpartition('.')[0]}.py").write_text(text, encoding="utf-8")


def _assignments(result: Result) -> "pd.DataFrame":
    """Return a row per sample: id, hash, cluster, and name, probability, distance and label if available."""
    import pandas as pd

    samples, clustering = result.samples, result.clustering
    columns = {"id": samples.ids, "hash": samples.content.hashes, "cluster": clustering.assignments}
    table = pd.DataFrame(columns)
    if names := result.names:
        table["name"] = [names.get(cluster, "") for cluster in table["cluster"]]
    if clustering.probabilities is not None:
        table["probability"] = clustering.probabilities
    if clustering.centroids is not None:
        table["distance"] = _distances(result.reduced, clustering.centroids, clustering.assignments)
    if samples.labels is not None:
        table["label"] = samples.label_names
    return table


def _skipped(samples: Samples) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return pairs of id and reason for skipped files, unmatched labels and unlabelled samples."""
    lists = {"skipped_files": samples.skipped, "unmatched_labels": samples.unmatched}
    if 0 < len(samples.labelled) < len(samples):
        without = np.delete(samples.ids, samples.labelled)
        lists["unlabelled_samples"] = tuple((str(name), "no label") for name in without)
    return lists


def _distances(reduced: np.ndarray, centroids: np.ndarray, assignments: np.ndarray) -> np.ndarray:
    """Return the distance of each row from its centroid, (n,), computed in blocks."""
    blocks = [slice(start, start + BLOCK) for start in range(0, len(reduced), BLOCK)]
    offsets = (rescaled(reduced[rows] - np.asarray(centroids)[assignments[rows]]) for rows in blocks)
    return np.concatenate([np.ldexp(np.linalg.norm(part, axis=1), power) for part, power in offsets])


def reasons_table(skipped: Sequence[tuple[str, str]]) -> "pd.DataFrame":
    """Return a table of skipped ids and the reasons."""
    import pandas as pd

    return pd.DataFrame(skipped, columns=["id", "reason"])


def all_figures(result: Result) -> dict[str, Figure]:
    """Return all figures of a run by name: training curves and evaluators' figures."""
    figures: dict[str, Figure] = dict(training_curves(result.encoder.history))
    for findings in result.findings.values():
        figures |= findings.figures
    return figures


def check_names(findings: Mapping[str, Findings], params: Mapping[str, Any]) -> None:
    """Raise ValueError if two evaluators use the same name for a figure or table.

    Parameters
    ----------
    params
        The settings by dotted key; the error names the one to change.
    """
    for kind in ("figures", "tables"):
        owners: dict[str, str] = {}
        for evaluator, result in findings.items():
            duplicates = [name for name in getattr(result, kind) if name in owners]
            if duplicates:
                pair = (owners[duplicates[0]], evaluator)
                raise ValueError(_duplicate_name(kind, duplicates[0], pair, params))
            owners |= dict.fromkeys(getattr(result, kind), evaluator)


def _duplicate_name(kind: str, name: str, evaluators: tuple[str, str], params: Mapping[str, Any]) -> str:
    """Return the error for a name that two evaluators use, with the setting that changes it."""
    first, second = (f"evaluator.{evaluator}" for evaluator in evaluators)
    prefixes = (f"{first}.", f"{second}.")
    keys = [key for key, value in params.items() if key.startswith(prefixes) and value == name]
    use = f"{keys[-1]}=<another name>" if keys else "only one of them"
    return f"{first} and {second} both have {kind} named {name}; use {use}"
