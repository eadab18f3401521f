"""One run: load, encode, reduce, cluster, evaluate. Works for any stages that implement the Protocols."""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any

import numpy as np

from experiments.context import Context
from experiments.metric_names import main_metrics
from experiments.numerics.parallel import run_in_threads
from experiments.samples import Samples
from experiments.store.keys import cache_key, digest_of
from experiments.store.values import Store, T
from experiments.types import (
    Clustering,
    ClusteringRows,
    Encoder,
    Evaluator,
    Findings,
    Projection,
    Stages,
    UnlabelledError,
    cluster_names,
    missing_members,
    names_clusters,
)

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Result:
    """The outputs of a run's steps, the findings of its evaluators, and the time of each step.

    Parameters
    ----------
    seconds
        Seconds of each step; None if it was reused from the cache.
    finding_keys
        Cache key of each evaluator's findings.
    skipped_evaluators
        Reason why an evaluator was skipped, by its name.
    step_keys
        Cache keys of all steps before the evaluators.
    """

    samples: Samples
    encoder: Encoder
    embeddings: np.ndarray
    projection: Projection
    reduced: np.ndarray
    clustering: Clustering
    findings: dict[str, Findings]
    seconds: dict[str, float | None]
    finding_keys: dict[str, str]
    skipped_evaluators: dict[str, str]
    step_keys: "StepKeys"

    def __repr__(self) -> str:
        count = len(np.unique(self.clustering.assignments[self.clustering.assignments >= 0]))
        main = [f"{name} {self.metrics[name]:.4g}" for name in main_metrics(self.metrics)]
        return f"Result({self.samples!r}, {', '.join([f'{count} clusters', *main])})"

    @property
    def warnings(self) -> list[str]:
        """Return warnings about the metrics: skipped evaluators and doubtful values."""
        samples, skipped = self.samples, ", ".join(self.skipped_evaluators)
        warnings = (
            [f"{samples.name} has no labels: nothing from {skipped}; dataset.labels.path=<file> adds labels"]
            if skipped
            else []
        )
        if 0 < len(samples.labelled) < len(samples):
            warnings.append(
                f"metrics that need labels use the {len(samples.labelled):,} labelled samples of "
                f"{len(samples):,}; dataset.unlabelled=drop removes the others from all metrics"
            )
        return warnings + [text for findings in self.findings.values() for text in findings.warnings]

    @property
    def names(self) -> dict[int, str]:
        """Return the name of each cluster; empty if no evaluator gives names."""
        return cluster_names(self.findings)

    @property
    def metrics(self) -> dict[str, float]:
        """Return the metrics of all evaluators."""
        parts = [findings.metrics for findings in self.findings.values()]
        return {name: value for metrics in parts for name, value in metrics.items()}


def run(stages: Stages, ctx: Context) -> Result:
    """Run the five stages on the samples; cached values are reused."""
    clock = Clock(ctx.store)
    with clock("dataset"):
        samples = stages.dataset.load(ctx)
    stages, skipped = check_stages(stages, samples)

    keys = StepKeys.of(stages, samples, ctx)
    with clock("backbone"):
        encoder = keys.for_backbone.fitted(
            stages.backbone, lambda: _complete(stages.backbone.fit(samples, keys.for_backbone), Encoder)
        )
    if encoder.stopped:  # an unfinished encoder has other results, so the later steps get other keys
        keys = StepKeys.of(stages, samples, ctx, encoder.stopped)
    with clock("embed"):
        embeddings = ctx.store.array(keys.embeddings, lambda: encoder.embed(samples, ctx))

    with clock("reduce"):
        rows = fitted_rows(stages.protocol, samples)
        learns = getattr(stages.reducer, "LEARNS", True)
        projection = keys.for_reducer.fitted(
            stages.reducer,
            lambda: _complete(
                stages.reducer.fit(_take_rows(embeddings, rows) if learns else embeddings, keys.for_reducer),
                Projection,
            ),
        )
        reduced = ctx.store.array(keys.reduced, lambda: projection.transform(embeddings))

    with clock("cluster"):
        clustering = keys.for_cluster.fitted(
            stages.cluster, lambda: _complete(stages.cluster.fit(reduced, keys.for_cluster), Clustering)
        )

    values = {
        "samples": samples,
        "encoder": encoder,
        "embeddings": embeddings,
        "reduced": reduced,
        "clustering": clustering,
    }
    evaluators = stages.evaluators
    findings = evaluate(evaluators, values, keys, clock)
    finding_keys = {name: str(keys.for_evaluators[name].key(evaluators[name])) for name in evaluators}
    outputs = (samples, encoder, embeddings, projection, reduced, clustering)
    return Result(*outputs, findings, clock.seconds, finding_keys, skipped, keys)


def _complete(output: T, protocol: type) -> T:
    """Return the output of a fit; raise TypeError if it lacks members of its Protocol."""
    if missing := missing_members(protocol, output):
        raise TypeError(
            f"{type(output).__module__}.{type(output).__name__} is not a {protocol.__name__}: it lacks "
            f"{', '.join(missing)}; see experiments.types.{protocol.__name__}"
        )
    return output


def evaluate(
    evaluators: Mapping[str, Evaluator], values: Mapping[str, Any], keys: "StepKeys", clock: "Clock"
) -> dict[str, Findings]:
    """Return the findings of each evaluator, cached by the keys of its inputs.

    Evaluators that need no clustering, such as probes, leave most cores idle, so they run in parallel
    threads. The others run one after the other, each with all cores.
    """

    def findings_of(name: str) -> Findings:
        evaluator, ctx = evaluators[name], keys.for_evaluators[name]
        try:
            with clock(name, ctx.key(evaluator)):
                return ctx.fitted(
                    evaluator, lambda: evaluator.evaluate(ctx=ctx, **inputs_of(evaluator, values))
                )
        except Exception as error:
            error.add_note(f"raised by evaluator.{name}")
            raise

    naming = [name for name in evaluators if names_clusters(evaluators[name])]
    findings = {name: findings_of(name) for name in naming}
    values = {**values, "names": cluster_names(findings)}

    def is_cached(name: str) -> bool:
        ctx = keys.for_evaluators[name]
        return ctx.store.holds(ctx.key(evaluators[name]))

    parallel = [name for name, evaluator in evaluators.items() if "clustering" not in evaluator.NEEDS]
    new = [name for name in parallel if not is_cached(name)]
    tasks = [partial(findings_of, name) for name in new]
    if new:
        findings |= dict(zip(new, run_in_threads(tasks, keys.for_cluster.threads), strict=True))
    findings |= {name: findings_of(name) for name in evaluators if name not in findings}
    for name in evaluators:  # restore the order of the config
        clock.seconds[name] = clock.seconds.pop(name)
    return {name: findings[name] for name in evaluators}


def inputs_of(evaluator: Evaluator, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs of an evaluator; only labelled rows if it is `LABELLED`."""
    inputs = {need: values[need] for need in evaluator.NEEDS}
    samples: Samples = values["samples"]
    rows = samples.labelled
    if not evaluator.LABELLED or len(rows) == len(samples):
        return inputs
    select: dict[str, Callable[[Any], Any]] = {
        "samples": lambda whole: whole.take(rows),
        "embeddings": lambda whole: whole[rows],
        "reduced": lambda whole: whole[rows],
        "clustering": lambda whole: ClusteringRows.of(whole, rows),
    }
    return {need: select[need](whole) if need in select else whole for need, whole in inputs.items()}


@dataclass(frozen=True)
class StepKeys:
    """Cache keys of all steps, derived from the samples and the stages before anything runs.

    `embeddings`, `reduced` and `clustering` are the keys of these values. The other fields are the contexts
    of the stages, each with the key of the stage's input.
    """

    for_backbone: Context
    embeddings: str
    for_reducer: Context
    reduced: str
    for_cluster: Context
    clustering: str
    for_evaluators: dict[str, Context]

    @classmethod
    def of(cls, stages: Stages, samples: Samples, ctx: Context, stopped: str = "") -> "StepKeys":
        """Derive all keys; `stopped` is `encoder.stopped`, known once the backbone is fitted."""
        for_backbone = ctx.with_input(samples=samples.data_key if stages.backbone.TRAINS else "")
        encoder = digest_of(backbone=for_backbone.key(stages.backbone), stopped=stopped)
        embeddings = cache_key("embeddings", encoder=encoder, content=samples.content_key)
        for_reducer = ctx.with_input(embeddings=embeddings, rows=fitted_rows(stages.protocol, samples))
        reduced = cache_key("reduced", reducer=for_reducer.key(stages.reducer), embeddings=embeddings)
        for_cluster = ctx.with_input(reduced=reduced)
        keys = {
            "samples": samples.report_key,
            "encoder": encoder,
            "embeddings": embeddings,
            "reduced": reduced,
            "clustering": for_cluster.key(stages.cluster),
        }
        naming = [stage for stage in stages.evaluators.values() if names_clusters(stage)]
        if naming:
            keys["names"] = digest_of(names=[_for_evaluator(stage, keys, ctx).key(stage) for stage in naming])
        for_evaluators = {name: _for_evaluator(stage, keys, ctx) for name, stage in stages.evaluators.items()}
        parts = (for_backbone, embeddings, for_reducer, reduced, for_cluster, keys["clustering"])
        return cls(*parts, for_evaluators)


def _for_evaluator(evaluator: Evaluator, keys: Mapping[str, str], ctx: Context) -> Context:
    """Return the context of an evaluator; without names, their key is no part of its input."""
    return ctx.with_input(**{need: keys[need] for need in evaluator.NEEDS if need in keys})


def check_stages(stages: Stages, samples: Samples) -> tuple[Stages, dict[str, str]]:
    """Raise ValueError if a stage's settings do not fit the samples, before anything is computed.

    Returns
    -------
    Stages, dict
        Stages without the evaluators that lack labels, and the reason by evaluator unless it is `OPTIONAL`;
        if no evaluator remains, the last one's error is raised.
    """
    rows = fitted_rows(stages.protocol, samples)
    width = stages.backbone.width(samples)
    stages.cluster.check(len(samples))  # first, as it has the better message for too few samples
    stages.reducer.width(len(rows), width)
    skipped: dict[str, str] = {}
    labelled = samples if len(samples.labelled) in (0, len(samples)) else samples.take(samples.labelled)
    for name, evaluator in stages.evaluators.items():
        try:
            evaluator.check(labelled if evaluator.LABELLED else samples)
            getattr(evaluator, "check_backbone", lambda backbone: None)(stages.backbone)
        except UnlabelledError as error:
            skipped[name] = str(error)
            if len(skipped) == len(stages.evaluators):
                raise
    usable = {name: stage for name, stage in stages.evaluators.items() if name not in skipped}
    expected = [name for name in skipped if getattr(stages.evaluators[name], "OPTIONAL", False)]
    if expected:
        _say_once(f"{samples.name} has no labels, so {', '.join(expected)} is left out")
    unexpected = {name: reason for name, reason in skipped.items() if name not in expected}
    return replace(stages, evaluators=usable), unexpected


@cache
def _say_once(message: str) -> None:
    log.info(message)


def fitted_rows(protocol: str, samples: Samples) -> np.ndarray:
    """Return the rows that a reducer is fitted on: the training rows if `held_out`, all if `published`."""
    return samples.rows("training") if protocol == "held_out" else np.arange(len(samples))


def _take_rows(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return these rows; without a copy if they are all rows."""
    return values if len(rows) == len(values) else values[rows]


class Clock:
    """Measure the time of each step; None for a reused step."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seconds: dict[str, float | None] = {}

    @contextmanager
    def __call__(self, step: str, key: str = "") -> Iterator[None]:
        """Measure one step; for steps in parallel, only the computation of `key` counts."""
        computed, start = len(self.store.computed), time.perf_counter()
        yield
        new = self.store.computed[computed:]
        if key:  # the store lists the keys of parallel steps too
            new = [new_key for new_key in new if new_key == key]
        self.seconds[step] = time.perf_counter() - start if new else None
