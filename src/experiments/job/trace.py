"""What is recorded of every run so that it can be verified later: digests of what each stage gave."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.config.plan import Plan
from experiments.config.stage import GROUPS
from experiments.context import Context
from experiments.figures import Figure
from experiments.pipeline import Result
from experiments.store.values import class_name, digest
from experiments.tracking.environment import circumstances
from experiments.types import Clustering, Findings

if TYPE_CHECKING:
    import pandas as pd


TRACE = "stages.json"  # of each run, beside its config.yaml
STEPS = ("samples", "pixels", "embedding", "projection", "clustering")  # in the order of a run


@dataclass(frozen=True)
class Trace:
    """What the stages of one run gave.

    Parameters
    ----------
    steps
        A digest of each step's whole output; "" where it was not there to be read.
    metrics, shown
        By evaluator: its figures, and a digest of each table and picture that it shows.
    circumstances
        What else the run may depend on, each as text: commit, versions, device, threads.
    kept
        By step that was read from the store: the circumstances that it was computed in, as far as they
        are others than the run's own.
    described
        The samples with all that evaluators tell of them; "" of a run that is older than this.
    """

    steps: dict[str, str]
    metrics: dict[str, dict[str, float]]
    shown: dict[str, dict[str, str]]
    circumstances: dict[str, str]
    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    described: str = ""

    def save(self, folder: Path) -> None:
        """Write stages.json."""
        (folder / TRACE).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Trace":
        """Read what `save` wrote; raise ValueError if that was another version of this."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name} cannot be read ({error})") from error


def trace(result: Result, plan: Plan, ctx: Context) -> Trace:
    """Take the digests of a run; what the store kept from earlier runs is not read again for it."""
    keys = _keys(result, plan)
    steps = {
        "samples": result.samples.data_key,
        "pixels": ctx.store.digest(keys["pixels"]),
        "embedding": ctx.store.digest(keys["embedding"]),
        "projection": ctx.store.digest(keys["projection"]),
        "clustering": clustering_digest(result.clustering),
    }
    around = surroundings(plan, ctx)
    computed = set(ctx.store.computed)
    origins = {name: ctx.store.origin(key) for name, key in keys.items() if key not in computed}
    kept = {name: _others(origin, around) for name, origin in origins.items()}
    return Trace(
        steps,
        {name: dict(found.metrics) for name, found in result.findings.items()},
        {name: shown(found) for name, found in result.findings.items()},
        around,
        {name: others for name, others in kept.items() if others},
        result.samples.report_key,
    )


def surroundings(plan: Plan, ctx: Context) -> dict[str, str]:
    """Return what a run may depend on beside its config and its data.

    The weights of a pretrained network are among it, by what their file holds.
    """
    stages = {group: getattr(plan.stages, group) for group in GROUPS}
    stages |= {f"evaluator.{name}": stage for name, stage in plan.stages.evaluators.items()}
    found = {"threads": str(ctx.threads), "device": ctx.device, "precision": ctx.dtype}
    for place, stage in stages.items():
        kind = type(stage)
        found[f"{place}.VERSION"] = str(getattr(kind, "VERSION", 0))
        for name in getattr(kind, "DERIVED", ()):
            found[f"{place}.{name}"] = digest(getattr(stage, name))
    return circumstances() | found


def clustering_digest(clustering: Clustering) -> str:
    """Name all that a clustering is."""
    none = np.empty(0)
    values = (clustering.probabilities, clustering.centroids)
    parts = [none if value is None else value for value in values]
    return digest(clustering.assignments, *parts, clustering.inertia)


def shown(found: Findings) -> dict[str, str]:
    """Name each table by its columns and what stands in them, each picture by all that it is drawn from."""
    tables = {f"table {name}": digest(*_columns(table)) for name, table in found.tables.items()}
    return tables | {f"picture {name}": _drawn_from(figure) for name, figure in found.figures.items()}


def _columns(table: "pd.DataFrame") -> list[Any]:
    """Return the names, and each column: numbers as an array, anything else as one text, which is quicker."""
    parts: list[Any] = [[str(name) for name in table.columns]]
    for position in range(table.shape[1]):
        column = table.iloc[:, position]
        numeric = column.dtype.kind in "biuf"
        parts.append(column.to_numpy() if numeric else ",".join(map(repr, column.tolist())))
    return parts


def _drawn_from(figure: Figure) -> str:
    values = {f.name: getattr(figure, f.name) for f in fields(figure)}
    arrays = {name: values.pop(name) for name in list(values) if isinstance(values[name], np.ndarray)}
    told = {
        name: value for name, value in values.items() if value
    }  # a new setting, left out, changes nothing
    text = json.dumps(told, sort_keys=True, default=_drawn_from)  # a picture may be made of others
    return digest(class_name(figure), text, list(arrays), *arrays.values())


def _keys(result: Result, plan: Plan) -> dict[str, str]:
    """Name where the store keeps what each step gave."""
    resize = plan.stages.backbone.resize
    return {
        "pixels": result.samples.content.pixel_map(resize)[0] if resize else "",
        "encoder": result.step_keys.for_backbone.key(plan.stages.backbone),
        "embedding": result.step_keys.embeddings,
        "projection": result.step_keys.reduced,
        "clustering": result.step_keys.for_cluster.key(plan.stages.cluster),
    }


def _others(origin: Mapping[str, str], around: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in origin.items() if around.get(name, value) != value}
