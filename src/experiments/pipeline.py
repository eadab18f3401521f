"""The story of one run: load, encode, reduce, cluster, judge. Never asks a stage for its name or type."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.types import (
    Clustering,
    Context,
    Encoder,
    Evaluator,
    Findings,
    Projection,
    Samples,
    Stages,
    Store,
    digest,
)


@dataclass(frozen=True, eq=False)
class Result:
    """What one run made, what was found, and the seconds that each step took (None: it was kept)."""

    samples: Samples
    encoder: Encoder
    embeddings: np.ndarray
    projection: Projection
    reduced: np.ndarray
    clustering: Clustering
    findings: dict[str, Findings]
    seconds: dict[str, float | None]

    @property
    def metrics(self) -> dict[str, float]:
        """Return every figure of every evaluator."""
        return {name: value for found in self.findings.values() for name, value in found.metrics.items()}


def run(stages: Stages, ctx: Context) -> Result:
    """Send the samples through the stages once; whatever is kept is not computed again."""
    clock = Clock(ctx.store)
    with clock("dataset"):
        samples = stages.dataset.load(ctx)
    check(stages, samples)

    at = Places.of(stages, samples, ctx)
    with clock("backbone"):
        encoder = at.samples.fitted(stages.backbone, lambda: stages.backbone.fit(samples, at.samples))
    if encoder.stopped:  # then it is another encoder than a finished one, and so is all that follows
        at = Places.of(stages, samples, ctx, encoder.stopped)
    with clock("embed"):
        embeddings = ctx.store.array(at.embedded, lambda: encoder.embed(samples, ctx))

    with clock("reduce"):
        rows = fitted_rows(stages.protocol, samples)
        projection = at.rows.fitted(stages.reducer, lambda: stages.reducer.fit(embeddings[rows], at.rows))
        reduced = ctx.store.array(at.reduced, lambda: projection.transform(embeddings))

    with clock("cluster"):
        clustering = at.points.fitted(stages.cluster, lambda: stages.cluster.fit(reduced, at.points))

    values = {
        "samples": samples,
        "encoder": encoder,
        "embeddings": embeddings,
        "reduced": reduced,
        "clustering": clustering,
    }
    findings = {}
    for name, evaluator in stages.evaluators.items():
        with clock(name):
            needs = {need: values[need] for need in evaluator.NEEDS}
            findings[name] = judge(evaluator, needs, at.needs[name])
    return Result(samples, encoder, embeddings, projection, reduced, clustering, findings, clock.seconds)


def judge(evaluator: Evaluator, needs: dict[str, Any], ctx: Context) -> Findings:
    """Hand an evaluator exactly what it needs; its findings are kept under the keys of that."""
    return ctx.fitted(evaluator, lambda: evaluator.evaluate(ctx=ctx, **needs))


@dataclass(frozen=True)
class Places:
    """Where each step stands: the key of what it is given, known before anything is computed.

    `samples`, `rows` and `points` are the contexts of backbone, reducer and clusterer, `needs` those of
    the evaluators; `embedded` and `reduced` are the keys of the two arrays between them.
    """

    samples: Context
    embedded: str
    rows: Context
    reduced: str
    points: Context
    needs: dict[str, Context]

    @classmethod
    def of(cls, stages: Stages, samples: Samples, ctx: Context, stopped: str = "") -> "Places":
        """Derive every key from the samples and the stages."""
        seen = ctx.on(samples.key if stages.backbone.TRAINS else "")
        encoded = digest(seen.key(stages.backbone), stopped)
        embedded = f"embeddings-{digest(encoded, samples.content_key)}"
        rows = ctx.on(embedded, digest(fitted_rows(stages.protocol, samples)))
        reduced = f"reduced-{digest(rows.key(stages.reducer), embedded)}"
        points = ctx.on(reduced)
        keys = {
            "samples": samples.key,
            "encoder": encoded,
            "embeddings": embedded,
            "reduced": reduced,
            "clustering": points.key(stages.cluster),
        }
        needs = {name: ctx.on(*(keys[n] for n in e.NEEDS)) for name, e in stages.evaluators.items()}
        return cls(seen, embedded, rows, reduced, points, needs)


def check(stages: Stages, samples: Samples) -> None:
    """Raise ValueError for what these samples make impossible, before anything is computed."""
    rows = fitted_rows(stages.protocol, samples)
    stages.reducer.width(len(rows), stages.backbone.width(samples))
    stages.cluster.check(len(samples))
    for evaluator in stages.evaluators.values():
        evaluator.check(samples)


def fitted_rows(protocol: str, samples: Samples) -> np.ndarray:
    """Return the rows that a reducer is fitted on: the training rows if `held_out`, all if `published`."""
    return samples.rows("training") if protocol == "held_out" else np.arange(len(samples))


class Clock:
    """Time each step; a step that computed nothing was kept."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seconds: dict[str, float | None] = {}

    @contextmanager
    def __call__(self, step: str) -> Iterator[None]:
        """Time one step."""
        computed, start = len(self.store.computed), time.perf_counter()
        yield
        new = len(self.store.computed) > computed
        self.seconds[step] = time.perf_counter() - start if new else None
