"""FAISS k-means, as configured in conf/cluster/, against scikit-learn's with ten starts.

    python benchmarks/kmeans.py                      k=10, 50, 233, five seeds each: ten minutes
    python benchmarks/kmeans.py --k 233 --seeds 2    a first look

The data are `dataset=synthetic_vectors dataset.width=50`: 25,557 vectors in 233 classes, imbalance 10.57.
Inertia and time are medians over the seeds; both sides alternate, so that noise meets both.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

from experiments import compose, config
from experiments.cache import Store
from experiments.types import Cluster, Context, Stages

SIDES = ("faiss_kmeans", "sklearn_kmeans")


def stages(*overrides: str) -> Stages:
    """Build what `python run.py dataset=synthetic_vectors dataset.width=50 <overrides>` would run."""
    chosen = ["dataset=synthetic_vectors", "dataset.width=50", "evaluator=[internal]", *overrides]
    return config.build(compose.compose_config(chosen)).stages


def measure(stage: Cluster, points: Any, ctx: Context) -> tuple[float, float]:
    """Return inertia and seconds."""
    start = time.perf_counter()
    inertia = stage.fit(points, ctx).inertia
    return float(inertia or 0), time.perf_counter() - start


def main() -> None:
    """Print one line per k."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--k", type=int, nargs="+", default=[10, 50, 233])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="1 where others keep the cores busy")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder))), threads=options.threads)
        points = stages().dataset.load(ctx).content.vectors()
        for name in SIDES:
            stages(f"cluster={name}").cluster.fit(points[:1000], ctx)  # imports, which are not compared
        print("    k  inertia ratio (target <= 1.001)  time ratio (target <= 0.5 at 233)  seconds")
        for k in options.k:
            sides: dict[str, list[tuple[float, float]]] = {name: [] for name in SIDES}
            for seed in range(options.seeds):
                for name, figures in sides.items():
                    cluster = stages(f"cluster={name}", f"cluster.k={k}", f"seed={seed}").cluster
                    figures.append(measure(cluster, points, ctx))
            (inertia, seconds), (reference, longer) = (
                [median(figure) for figure in zip(*figures, strict=True)] for figures in sides.values()
            )
            times = f"{seconds / longer:33.3f}  {seconds:.2f} against {longer:.2f}"
            print(f"{k:5}  {inertia / reference:31.5f}  {times}", flush=True)


if __name__ == "__main__":
    main()
