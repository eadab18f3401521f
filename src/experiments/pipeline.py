"""The story of one run: load, encode, reduce, cluster, judge. Never asks a stage for its name or type."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from experiments.context import Context
from experiments.metric_names import main_metrics
from experiments.numerics.parallel import beside
from experiments.samples import Samples
from experiments.store.keys import cache_key, digest_of
from experiments.store.values import Store
from experiments.types import Clustering, Encoder, Evaluator, Findings, Projection, Stages, UnlabelledError


@dataclass(frozen=True, eq=False)
class Result:
    """What one run made, what was found, and the seconds that each step took (None: it was kept).

    `keys` names where the store keeps what each evaluator found, `at` where all that is before them stands;
    `left_out` says why an evaluator was not asked.
    """

    samples: Samples
    encoder: Encoder
    embeddings: np.ndarray
    projection: Projection
    reduced: np.ndarray
    clustering: Clustering
    findings: dict[str, Findings]
    seconds: dict[str, float | None]
    keys: dict[str, str]
    left_out: dict[str, str]
    at: "Places"

    def __repr__(self) -> str:
        count = len(np.unique(self.clustering.assignments[self.clustering.assignments >= 0]))
        main = [f"{name} {self.metrics[name]:.4g}" for name in main_metrics(self.metrics)]
        return f"Result({self.samples!r}, {', '.join([f'{count} clusters', *main])})"

    @property
    def doubts(self) -> list[str]:
        """Return what a reader of the figures has to know: what was left out, and what is weak."""
        samples = self.samples
        found = [f"left out: {reason}" for reason in self.left_out.values()]
        if 0 < len(samples.labelled) < len(samples):
            found.append(
                f"figures that need labels are about the {len(samples.labelled):,} samples of "
                f"{len(samples):,} that have one; dataset.unlabelled=drop leaves the others out"
            )
        return found + [doubt for each in self.findings.values() for doubt in each.warnings]

    @property
    def metrics(self) -> dict[str, float]:
        """Return every figure of every evaluator."""
        return {name: value for found in self.findings.values() for name, value in found.metrics.items()}


def run(stages: Stages, ctx: Context) -> Result:
    """Send the samples through the stages once; whatever is kept is not computed again."""
    clock = Clock(ctx.store)
    with clock("dataset"):
        samples = stages.dataset.load(ctx)
    stages, left_out = checked(stages, samples)

    at = Places.of(stages, samples, ctx)
    with clock("backbone"):
        encoder = at.samples.fitted(stages.backbone, lambda: stages.backbone.fit(samples, at.samples))
    if encoder.stopped:  # then it is another encoder than a finished one, and so is all that follows
        at = Places.of(stages, samples, ctx, encoder.stopped)
    with clock("embed"):
        embeddings = ctx.store.array(at.embedded, lambda: encoder.embed(samples, ctx))

    with clock("reduce"):
        rows = fitted_rows(stages.protocol, samples)
        looks = getattr(stages.reducer, "LOOKS", True)
        projection = at.rows.fitted(
            stages.reducer,
            lambda: stages.reducer.fit(_taken(embeddings, rows) if looks else embeddings, at.rows),
        )
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
    findings = judge(stages.evaluators, values, at, clock)
    keys = {name: str(at.needs[name].key(each)) for name, each in stages.evaluators.items()}
    fitted = (samples, encoder, embeddings, projection, reduced, clustering)
    return Result(*fitted, findings, clock.seconds, keys, left_out, at)


def judge(
    evaluators: Mapping[str, Evaluator], values: Mapping[str, Any], at: "Places", clock: "Clock"
) -> dict[str, Findings]:
    """Hand each evaluator exactly what it needs; its findings are kept under the keys of that.

    One that is about labels is given the samples alone that have one.
    Those that look at no clustering fit models of their own, which leave most cores idle: they run beside
    each other. Those that do look at one come once per k, one after the other with all cores.
    """

    def one(name: str) -> Findings:
        evaluator, ctx = evaluators[name], at.needs[name]
        try:
            with clock(name, ctx.key(evaluator)):
                return ctx.fitted(evaluator, lambda: evaluator.evaluate(ctx=ctx, **needed(evaluator, values)))
        except Exception as error:
            error.add_note(f"raised by evaluator.{name}")
            raise

    free = [name for name, evaluator in evaluators.items() if "clustering" not in evaluator.NEEDS]
    new = [name for name in free if not at.needs[name].store.holds(at.needs[name].key(evaluators[name]))]
    work = [partial(one, name) for name in new]
    found = dict(zip(new, beside(work, at.points.threads), strict=True)) if new else {}
    found |= {name: one(name) for name in evaluators if name not in found}
    for name in evaluators:  # in the order of the config, whichever ended first
        clock.seconds[name] = clock.seconds.pop(name)
    return {name: found[name] for name in evaluators}


def needed(evaluator: Evaluator, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an evaluator needs; if it is about labels, of the samples alone that have one."""
    given = {need: values[need] for need in evaluator.NEEDS}
    samples: Samples = values["samples"]
    rows = samples.labelled
    if not evaluator.LABELLED or len(rows) == len(samples):
        return given
    taken: dict[str, Callable[[Any], Any]] = {
        "samples": lambda whole: whole.take(rows),
        "embeddings": lambda whole: whole[rows],
        "reduced": lambda whole: whole[rows],
        "clustering": lambda whole: Assigned.of(whole, rows),
    }
    return {need: taken[need](whole) if need in taken else whole for need, whole in given.items()}


@dataclass(frozen=True, eq=False)
class Assigned:
    """What a clustering says of some of its rows; its clusters are those of all of them."""

    assignments: np.ndarray
    probabilities: np.ndarray | None
    centroids: np.ndarray | None

    @classmethod
    def of(cls, clustering: Clustering, rows: np.ndarray) -> "Assigned":
        """Take these rows of a clustering."""
        sure = clustering.probabilities
        assignments = np.asarray(clustering.assignments)[rows]
        return cls(assignments, None if sure is None else np.asarray(sure)[rows], clustering.centroids)


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
        seen = ctx.with_input(samples=samples.key if stages.backbone.TRAINS else "")
        encoded = digest_of(backbone=seen.key(stages.backbone), stopped=stopped)
        embedded = cache_key("embeddings", encoder=encoded, content=samples.content_key)
        rows = ctx.with_input(embeddings=embedded, rows=fitted_rows(stages.protocol, samples))
        reduced = cache_key("reduced", reducer=rows.key(stages.reducer), embeddings=embedded)
        points = ctx.with_input(reduced=reduced)
        keys = {
            "samples": samples.described,
            "encoder": encoded,
            "embeddings": embedded,
            "reduced": reduced,
            "clustering": points.key(stages.cluster),
        }
        evaluators = stages.evaluators.items()
        needs = {
            name: ctx.with_input(**{need: keys[need] for need in each.NEEDS}) for name, each in evaluators
        }
        return cls(seen, embedded, rows, reduced, points, needs)


def checked(stages: Stages, samples: Samples) -> tuple[Stages, dict[str, str]]:
    """Raise ValueError for what these samples make impossible, before anything is computed.

    Returns
    -------
    Stages, dict
        Without the evaluators that need labels where there are none, and what each of them says; if none is
        left, its error is raised.
    """
    rows = fitted_rows(stages.protocol, samples)
    width = stages.backbone.width(samples)
    stages.cluster.check(len(samples))  # before the reducer: it has the last word on how few are too few
    stages.reducer.width(len(rows), width)
    left_out: dict[str, str] = {}
    known = samples if len(samples.labelled) in (0, len(samples)) else samples.take(samples.labelled)
    for name, evaluator in stages.evaluators.items():
        try:
            evaluator.check(known if evaluator.LABELLED else samples)
        except UnlabelledError as error:
            left_out[name] = str(error)
            if len(left_out) == len(stages.evaluators):
                raise
    usable = {name: one for name, one in stages.evaluators.items() if name not in left_out}
    return replace(stages, evaluators=usable), left_out


def fitted_rows(protocol: str, samples: Samples) -> np.ndarray:
    """Return the rows that a reducer is fitted on: the training rows if `held_out`, all if `published`."""
    return samples.rows("training") if protocol == "held_out" else np.arange(len(samples))


def _taken(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return these rows, ascending; without a copy if they are all."""
    return values if len(rows) == len(values) else values[rows]


class Clock:
    """Time each step; one that computed nothing, or not its `key`, was kept."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seconds: dict[str, float | None] = {}

    @contextmanager
    def __call__(self, step: str, key: str = "") -> Iterator[None]:
        """Time one step."""
        computed, start = len(self.store.computed), time.perf_counter()
        yield
        new = self.store.computed[computed:]
        if key:  # other steps at work beside this one compute theirs
            new = [one for one in new if one == key]
        self.seconds[step] = time.perf_counter() - start if new else None
