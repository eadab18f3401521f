"""FAISS k-means, as configured in conf/cluster/, against one start of FAISS and scikit-learn's with ten.

    python benchmarks/kmeans.py                                  both tables, on two free cores: half an hour
    python benchmarks/kmeans.py --only growth --n 10000 100000 --seeds 1      a minute
    python benchmarks/kmeans.py --only sklearn --k 233 --seeds 2
    python benchmarks/kmeans.py --threads 1 --cpu-seconds ...    where others keep the cores busy

Growth: `dataset=synthetic_vectors dataset.width=64`, k=100, against one start of faiss.Kmeans (k-means++, at
most 100 iterations, early_stop_threshold 1e-4). From 10^6 rows on: at most 4 times its time.
Against scikit-learn: `dataset=synthetic_vectors dataset.width=50`, 25,557 vectors in 233 classes.
Inertia and time are medians over the seeds; both sides alternate, so that noise meets both.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median

import faiss
import numpy as np
from threadpoolctl import threadpool_limits

from experiments.cluster.kmeans.centroids import nearest
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.store.cache import Store
from experiments.types import Cluster, Stages

Fit = Callable[[np.ndarray, Context], float]  # points and where to cluster them -> inertia


def stages(*overrides: str) -> Stages:
    """Build the stages of `python run.py dataset=synthetic_vectors <overrides>`."""
    chosen = ["dataset=synthetic_vectors", "evaluator=[internal]", *overrides]
    return build(compose.compose_config(chosen)).stages


@contextmanager
def vectors(ctx: Context, **settings: float) -> Iterator[np.ndarray]:
    """Return float32 (n, width) of `dataset=synthetic_vectors` with these settings, in a temporary store."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = stages(*(f"dataset.{name}={value}" for name, value in settings.items())).dataset
        yield dataset.load(replace(ctx, store=Store(Path(folder)))).content.vectors()


def ours(name: str, k: int, seed: int) -> Fit:
    """Return the fit of `cluster=<name>`."""
    stage: Cluster = stages(f"cluster={name}", f"cluster.k={k}", f"seed={seed}").cluster
    return lambda points, ctx: float(stage.fit(points, ctx).inertia or 0)


@dataclass(frozen=True)
class OneStart:
    """One start of faiss.Kmeans on all points."""

    k: int
    seed: int

    def __call__(self, points: np.ndarray, ctx: Context) -> float:
        """Return the inertia."""
        kmeans = faiss.Kmeans(
            points.shape[1],
            self.k,
            niter=100,
            early_stop_threshold=1e-4,
            init_method=faiss.ClusteringInitMethod_KMEANS_PLUS_PLUS,
            seed=self.seed,
            min_points_per_centroid=1,
            max_points_per_centroid=len(points),
        )
        with threadpool_limits(ctx.threads):
            kmeans.train(points)
            return float(nearest(np.asarray(kmeans.centroids), points)[1].sum())


def measured(fit: Fit, points: np.ndarray, ctx: Context, clock: Callable[[], float]) -> tuple[float, float]:
    """Return inertia and seconds."""
    start = clock()
    inertia = fit(points, ctx)
    return inertia, clock() - start


def compared(
    sides: Sequence[Callable[[int], Fit]], points: np.ndarray, ctx: Context, args: argparse.Namespace
) -> list[float]:
    """Return median inertia and seconds over the seeds, of the first side, then of the second."""
    clock = time.process_time if args.cpu_seconds else time.perf_counter
    values = [
        [value for side in sides for value in measured(side(seed), points, ctx, clock)]
        for seed in range(args.seeds)
    ]
    return [median(column) for column in zip(*values, strict=True)]


def growth(ctx: Context, args: argparse.Namespace) -> None:
    """Print one line per number of rows and noise level."""
    print("        n  noise  cluster=faiss_kmeans  one start  time ratio  inertia ratio")
    for n in args.n:
        for noise in args.noise:
            with vectors(ctx, n=n, width=64, noise=noise) as points:
                sides = partial(ours, "faiss_kmeans", 100), partial(OneStart, 100)
                inertia, seconds, reference, shorter = compared(sides, points, ctx, args)
            times = f"{seconds:19.2f}s {shorter:9.2f}s  {seconds / shorter:10.2f}"
            print(f"{n:9}  {noise:5g} {times}  {inertia / reference:13.4f}", flush=True)


def against_sklearn(ctx: Context, args: argparse.Namespace) -> None:
    """Print one line per k."""
    print("    k  inertia ratio (target <= 1.001)  time ratio (target <= 0.5 at 233)  seconds")
    with vectors(ctx, width=50) as points:
        for k in args.k:
            sides = [partial(ours, f"{library}_kmeans", k) for library in ("faiss", "sklearn")]
            inertia, seconds, reference, longer = compared(sides, points, ctx, args)
            times = f"{seconds / longer:33.3f}  {seconds:.2f} against {longer:.2f}"
            print(f"{k:5}  {inertia / reference:31.5f}  {times}", flush=True)


TABLES = {"growth": growth, "sklearn": against_sklearn}


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=TABLES)
    parser.add_argument("--n", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 2_000_000])
    parser.add_argument("--noise", type=float, nargs="+", default=[0.3, 1, 3], help="within a class")
    parser.add_argument("--k", type=int, nargs="+", default=[10, 50, 233], help="against scikit-learn")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2, help="1 where others keep the cores busy")
    parser.add_argument("--cpu-seconds", action="store_true", help="count CPU time, with --threads 1")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder))), threads=args.threads)
        few = np.random.default_rng(0).standard_normal((1000, 8)).astype(np.float32)
        for name in ("faiss_kmeans", "sklearn_kmeans"):
            ours(name, 10, 0)(few, ctx)  # imports, which are not compared
        for name in [args.only] if args.only else TABLES:
            TABLES[name](ctx, args)


if __name__ == "__main__":
    main()
