"""Say what a run would compute, what is kept, and how much disk it needs, and do nothing (plan=true)."""

from collections.abc import Sequence
from dataclasses import dataclass

from experiments import console, context, pipeline
from experiments.cache import NotKeptError
from experiments.config import Plan
from experiments.types import Context, Silent, Stages


@dataclass(frozen=True)
class Step:
    """One step of a run: its key, whether it is kept, and about how many bytes it adds to the cache."""

    name: str
    key: str
    kept: bool
    size: int


def show(plans: Sequence[Plan]) -> None:
    """Print each job's steps, and the disk that all of them need together."""
    rows: list[list[str]] = []
    names: list[str] = []
    sizes: dict[str, int] = {}
    unread: dict[str, str] = {}
    for number, plan in enumerate(plans):
        steps = preview(plan.stages, context.make(plan, Silent(), compute=False))
        if len(steps) == 1:
            unread[plan.stages.dataset.name] = _unread(plan)
            continue
        names += [step.name for step in steps if step.name not in names]
        states = {step.name: "kept" if step.kept else "compute" for step in steps}
        rows.append([str(number), *(states.get(name, "") for name in names)])
        sizes |= {step.key: step.size for step in steps if not step.kept}
    for line in unread.values():
        console.say(line)
    if rows:
        console.table("plan", ["job", *names], [[*row, *[""] * (len(names) + 1 - len(row))] for row in rows])
    total = sum(sizes.values())
    console.say(
        f"{len(sizes)} distinct values to compute, about {total / 1e6:.1f} MB of disk; nothing was done"
    )


def preview(stages: Stages, ctx: Context) -> list[Step]:
    """Return the steps of a run; `ctx.store` may not compute."""
    try:
        samples = stages.dataset.load(ctx)
    except NotKeptError:
        return [Step("dataset", "", False, 0)]
    stages, _ = pipeline.checked(stages, samples)
    at = pipeline.Places.of(stages, samples, ctx)
    n, d = len(samples), stages.backbone.width(samples)
    p = stages.reducer.width(len(pipeline.fitted_rows(stages.protocol, samples)), d)
    resize = stages.backbone.resize
    pixels = (*samples.content.pixel_map(resize),) if resize else ("", 0)
    steps = [
        ("pixels", *pixels),
        ("backbone", at.samples.key(stages.backbone), 0),
        ("embed", at.embedded, n * d * 4),
        ("fit reducer", at.rows.key(stages.reducer), 0),
        ("reduce", at.reduced, n * p * 4),
        ("cluster", at.points.key(stages.cluster), n * 8),
        *((name, at.needs[name].key(evaluator), 0) for name, evaluator in stages.evaluators.items()),
    ]
    found = [Step(name, key, not key or ctx.store.holds(key), size) for name, key, size in steps]
    return [Step("dataset", samples.key, True, 0), *found]


def _unread(plan: Plan) -> str:
    """Say what is known of a data set that was never read: its listing."""
    stages = plan.stages
    n, resize = stages.dataset.count(), stages.backbone.resize
    pixels = f", about {n * 3 * resize.size**2 / 1e6:.0f} MB of disk for their pixels" if resize else ""
    return f"{stages.dataset.name} was never read, so all is to compute: it lists about {n:,} samples{pixels}"
