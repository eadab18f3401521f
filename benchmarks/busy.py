"""Time k-means, an embedding and an epoch of the CNN on all cores and on one, next to busy processes.

    python benchmarks/busy.py                    from the command line and as in a notebook: twenty minutes
    python benchmarks/busy.py --busy 1 --rounds 1 --scale 0.3    a first look

"notebook" imports scikit-learn and torch before this package, so that their OpenMP is loaded without
OMP_WAIT_POLICY=PASSIVE. Target: a ratio of at most 1.05, that is never slower than one thread. The number of
threads changes the CNN's weights, so the package only warns; its ratio shows the gain of fewer threads.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

if "--notebook" in sys.argv:
    import sklearn.cluster  # noqa: F401
    import torch  # noqa: F401

import numpy as np

from experiments.config import compose
from experiments.config.build import build
from experiments.config.plan import Plan
from experiments.context import Context, Silent
from experiments.job import context
from experiments.types import Stages

BUSY = "while True: pass"


def built(*overrides: str) -> Plan:
    """Return the plan of `python run.py <overrides>`."""
    return build(compose.compose_config(overrides), overrides)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep `count` cores busy by other processes."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    time.sleep(0.5)
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def steps(ctx: Context, scale: float) -> dict[str, Callable[[Context], object]]:
    """Return the timed functions by name, each run once before, so that imports and decoding are excluded."""
    n = int(100_000 * scale)
    points = np.random.default_rng(0).normal(size=(n, 64)).astype(np.float32)
    kmeans = built("cluster.k=100").stages.cluster

    def images(count: int, *overrides: str) -> Stages:
        size = f"dataset.n={int(count * scale)}"
        return built("dataset=synthetic", "dataset.width=32", size, *overrides).stages

    pretrained = images(64, "backbone=resnet50", "backbone.model=squeezenet1_0", "backbone.weights=none")
    photographs = pretrained.dataset.load(ctx)
    encoder = pretrained.backbone.fit(photographs, ctx.with_input("encoder"))
    cnn = images(1500, "dataset.image_size=32", "backbone.max_epochs=1")
    small = cnn.dataset.load(ctx)
    turn = iter(range(1_000_000))
    timed: dict[str, Callable[[Context], object]] = {
        f"k-means, {n:,} x 64, k=100": lambda ctx: kmeans.fit(points, ctx),
        f"embedding, {len(photographs)} images of 224": lambda ctx: encoder.embed(photographs, ctx),
        f"an epoch, {len(small):,} images of 32": lambda ctx: cnn.backbone.fit(
            small, ctx.with_input(f"{next(turn)}")
        ),
    }
    kmeans.fit(points[:1000], ctx)
    for step in [*timed.values()][1:]:
        step(ctx)
    return timed


def seconds(step: Callable[[Context], object], ctx: Context) -> float:
    """Return the seconds of one step."""
    start = time.perf_counter()
    step(ctx)
    return time.perf_counter() - start


def measure(options: argparse.Namespace) -> None:
    """Print a row per step and number of busy processes."""
    where = "notebook" if options.notebook else "command line"
    with tempfile.TemporaryDirectory() as folder:
        ctx = context.make(built(f"cache.root={folder}"), Silent())
        for name, step in steps(ctx, options.scale).items():
            for count in options.busy:
                with busy(count):
                    pairs = [
                        [seconds(step, replace(ctx, threads=threads)) for threads in (1, ctx.threads)]
                        for _ in range(options.rounds)
                    ]
                alone, many = (median(times) for times in zip(*pairs, strict=True))
                print(
                    f"| {where} | {name} | {count} | {alone:.2f} | {many:.2f} | {many / alone:.2f} |",
                    flush=True,
                )


def main() -> None:
    """Measure each mode in a new process, as the order of imports matters."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 3], help="busy processes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="of the amount of work")
    parser.add_argument("--alone", action="store_true", help="measure in this process")
    parser.add_argument("--notebook", action="store_true", help="import scikit-learn and torch first")
    options = parser.parse_args()
    if options.alone or options.notebook:
        measure(options)
        return
    print(
        "| from | step | busy processes | 1 thread, s | all cores, s | ratio |\n|---|---|---|---|---|---|",
        flush=True,
    )
    for mode in ("--alone", "--notebook"):
        subprocess.run([sys.executable, __file__, *sys.argv[1:], mode], check=True)


if __name__ == "__main__":
    main()
