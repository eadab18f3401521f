"""What a run would compute, what is kept, and how much disk it needs, without doing any of it (plan=true)."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from experiments import pipeline
from experiments.config.plan import Plan
from experiments.context import Context, Silent
from experiments.job import console, context
from experiments.store.cache import NotCachedError
from experiments.store.values import digest
from experiments.types import Stages

READ, KEPT, COMPUTE = "read", "kept", "compute"


@dataclass(frozen=True)
class Step:
    """One step of a run.

    Parameters
    ----------
    state
        `kept` or `compute`; `read` of a data set that was never read.
    size
        About how many bytes it adds to the cache, as far as that is known.
    """

    name: str
    key: str
    state: str
    size: int = 0


@dataclass(frozen=True)
class Unread:
    """The samples of a data set that was never read: as many as it lists, named after its settings.

    Steps of equal names are the same step; what is kept under their true names cannot be told.
    """

    n: int
    data_key: str
    rows: Any = field(default=lambda *parts: np.empty(0, np.int64))

    def __len__(self) -> int:
        return self.n

    @property
    def content_key(self) -> str:
        """Name the content."""
        return self.data_key

    @property
    def report_key(self) -> str:
        """Name all that evaluators tell of."""
        return self.data_key


def show(plans: Sequence[Plan]) -> None:
    """Print each job's steps, and the disk that all of them need together."""
    jobs = [preview(plan.stages, context.make(plan, Silent(), compute=False)) for plan in plans]
    unread = {
        plan.stages.dataset.name: plan.stages
        for plan, steps in zip(plans, jobs, strict=True)
        if steps[0].state == READ
    }
    for name, stages in unread.items():
        console.say(
            f"{name} was never read: it lists about {stages.dataset.count():,} samples; what these make "
            "impossible, such as too many clusters, is not checked"
        )
    names = list(dict.fromkeys(step.name for steps in jobs for step in steps))
    states = [{step.name: step.state for step in steps} for steps in jobs]
    rows = [[str(job), *(state.get(name, "") for name in names)] for job, state in enumerate(states)]
    console.table("plan", ["job", *names], rows)
    sizes = {step.key: step.size for steps in jobs for step in steps if step.state == COMPUTE}
    disk = f"{sum(sizes.values()) / 1e6:.1f} MB of disk"
    if unread:
        console.say(
            f"at most {len(sizes)} distinct steps to compute, at least {disk}; the number of values and "
            "their size are known once the data was read; nothing was done"
        )
    else:
        console.say(f"{len(sizes)} distinct values to compute, about {disk}; nothing was done")


def preview(stages: Stages, ctx: Context) -> list[Step]:
    """Return the steps of a run; `ctx.store` may not compute."""
    try:
        samples = stages.dataset.load(ctx)
    except NotCachedError:
        return _unread(stages, ctx)
    stages, _ = pipeline.check_stages(stages, samples)
    n, d = len(samples), stages.backbone.width(samples)
    p = stages.reducer.width(len(pipeline.fitted_rows(stages.protocol, samples)), d)
    resize = stages.backbone.resize
    pixels = (*samples.content.pixel_map(resize),) if resize else ("", 0)
    sizes = {"embed": n * d * 4, "reduce": n * p * 4, "cluster": n * 8}
    steps = [("pixels", *pixels), *_steps(stages, samples, ctx, sizes)]
    states = [KEPT if not key or ctx.store.holds(key) else COMPUTE for _, key, _ in steps]
    found = [Step(name, key, state, size) for (name, key, size), state in zip(steps, states, strict=True)]
    return [Step("dataset", samples.data_key, KEPT), *found]


def _unread(stages: Stages, ctx: Context) -> list[Step]:
    """Return the steps of a run on data that was never read: all are to compute, as far as anybody knows."""
    n, resize = stages.dataset.count(), stages.backbone.resize
    samples: Any = Unread(n, digest(stages.dataset))
    pixels = (digest(samples.data_key, resize), n * 3 * resize.size**2) if resize else ("", 0)
    steps = [("pixels", *pixels)] if resize else []
    steps += _steps(stages, samples, ctx, {"cluster": n * 8})
    return [
        Step("dataset", samples.data_key, READ),
        *(Step(name, key, COMPUTE, size) for name, key, size in steps),
    ]


def _steps(stages: Stages, samples: Any, ctx: Context, sizes: dict[str, int]) -> list[tuple[str, str, int]]:
    """Return name, key and size of each step after the data set."""
    step_keys = pipeline.StepKeys.of(stages, samples, ctx)
    keys = {
        "backbone": step_keys.for_backbone.key(stages.backbone),
        "embed": step_keys.embeddings,
        "fit reducer": step_keys.for_reducer.key(stages.reducer),
        "reduce": step_keys.reduced,
        "cluster": step_keys.for_cluster.key(stages.cluster),
        **{
            name: step_keys.for_evaluators[name].key(evaluator)
            for name, evaluator in stages.evaluators.items()
        },
    }
    return [(name, key, sizes.get(name, 0)) for name, key in keys.items()]
