"""Digests of all outputs of a run, recorded so that the run can be verified later."""

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
from experiments.store.sources import sources
from experiments.store.values import class_name, digest
from experiments.tracking.environment import circumstances
from experiments.types import Clustering, Findings

if TYPE_CHECKING:
    import pandas as pd


TRACE = "stages.json"  # in a run's folder, next to config.yaml
CODE_OF = "code of "  # prefix of the circumstance that a stage from outside this package has
STEPS = ("samples", "pixels", "embedding", "projection", "clustering")  # in the order of a run


@dataclass(frozen=True)
class Trace:
    """Digests of a run's outputs, and the circumstances of the run.

    Parameters
    ----------
    steps
        Digest of each step's whole output; "" if it could not be read.
    metrics, shown
        By evaluator: its metrics, and a digest of each of its tables and figures.
    circumstances
        Everything else the run can depend on, as text: commit, versions, device, threads.
    reused
        By reused step: the circumstances of its computation that differ from the run's.
    described
        Key of everything that evaluators can report about the samples; "" for runs recorded without it.
    """

    steps: dict[str, str]
    metrics: dict[str, dict[str, float]]
    shown: dict[str, dict[str, str]]
    circumstances: dict[str, str]
    reused: dict[str, dict[str, str]] = field(default_factory=dict)
    described: str = ""

    def save(self, folder: Path) -> None:
        """Write stages.json."""
        (folder / TRACE).write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Trace":
        """Return the trace of a stages.json; raise ValueError if another version wrote it."""
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{path.name} cannot be read ({error})") from error


def trace(result: Result, plan: Plan, ctx: Context) -> Trace:
    """Return the trace of a run; digests of cached values come from the cache, without reading the values."""
    keys = _step_keys(result, plan)
    steps = {
        "samples": result.samples.data_key,
        "pixels": ctx.store.digest(keys["pixels"]),
        "embedding": ctx.store.digest(keys["embedding"]),
        "projection": ctx.store.digest(keys["projection"]),
        "clustering": clustering_digest(result.clustering),
    }
    now = run_circumstances(plan, ctx)
    computed = set(ctx.store.computed)
    origins = {name: ctx.store.origin(key) for name, key in keys.items() if key not in computed}
    reused = {name: _differences(origin, now) for name, origin in origins.items()}
    return Trace(
        steps,
        {name: dict(findings.metrics) for name, findings in result.findings.items()},
        {name: shown_digests(findings) for name, findings in result.findings.items()},
        now,
        {name: differences for name, differences in reused.items() if differences},
        result.samples.report_key,
    )


def run_circumstances(plan: Plan, ctx: Context) -> dict[str, str]:
    """Return everything that a run can depend on besides its config and data.

    It includes a digest of the weights of a pretrained network.
    """
    stages = {group: getattr(plan.stages, group) for group in GROUPS}
    stages |= {f"evaluator.{name}": stage for name, stage in plan.stages.evaluators.items()}
    facts = {"threads": str(ctx.threads), "device": ctx.device, "precision": ctx.dtype}
    for key, stage in stages.items():
        kind = type(stage)
        facts[f"{key}.VERSION"] = str(getattr(kind, "VERSION", 0))
        for name in getattr(kind, "DERIVED", ()):
            facts[f"{key}.{name}"] = digest(getattr(stage, name))
    facts |= {f"{CODE_OF}{name}": digest(text) for name, text in sources(stages).items()}
    return circumstances() | facts


def clustering_digest(clustering: Clustering) -> str:
    """Return a digest of all arrays of a clustering."""
    none = np.empty(0)
    values = (clustering.probabilities, clustering.centroids)
    parts = [none if value is None else value for value in values]
    return digest(clustering.assignments, *parts, clustering.inertia)


def shown_digests(findings: Findings) -> dict[str, str]:
    """Return a digest of each table's columns and cells, and of the data of each figure."""
    tables = {f"table {name}": digest(*_columns(table)) for name, table in findings.tables.items()}
    return tables | {f"figure {name}": _figure_digest(figure) for name, figure in findings.figures.items()}


def _columns(table: "pd.DataFrame") -> list[Any]:
    """Return the names and the columns of a table: numbers as an array, others as one text, for speed."""
    parts: list[Any] = [[str(name) for name in table.columns]]
    for position in range(table.shape[1]):
        column = table.iloc[:, position]
        numeric = column.dtype.kind in "biuf"
        parts.append(column.to_numpy() if numeric else ",".join(map(repr, column.tolist())))
    return parts


def _figure_digest(figure: Figure) -> str:
    values = {f.name: getattr(figure, f.name) for f in fields(figure)}
    arrays = {name: values.pop(name) for name in list(values) if isinstance(values[name], np.ndarray)}
    used = {name: value for name, value in values.items() if value}  # a new field, if empty, changes nothing
    text = json.dumps(used, sort_keys=True, default=_figure_digest)  # a figure can contain figures
    return digest(class_name(figure), text, list(arrays), *arrays.values())


def _step_keys(result: Result, plan: Plan) -> dict[str, str]:
    """Return the cache key of each step's output."""
    resize = plan.stages.backbone.resize
    return {
        "pixels": result.samples.content.pixel_map(resize)[0] if resize else "",
        "encoder": result.step_keys.for_backbone.key(plan.stages.backbone),
        "embedding": result.step_keys.embeddings,
        "projection": result.step_keys.reduced,
        "clustering": result.step_keys.clustering,
    }


def _differences(origin: Mapping[str, str], now: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in origin.items() if now.get(name, value) != value}
