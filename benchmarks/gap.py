"""The gap statistic, as in conf/evaluator/k_selection.yaml, against a plain loop over scikit-learn's k-means.

    python benchmarks/gap.py                        k = 1..20, 20 references: a few minutes
    python benchmarks/gap.py --references 2 --peer 1    a first look

The data are `dataset=synthetic_vectors dataset.width=50`: 25,557 vectors in 233 classes. The framework
clusters all references; the fits of the data itself, which other methods share, are excluded. The loop
clusters `--peer` references, one after the other with all threads and n_init=3, as is common (which fits
them less well); its time is scaled to all references. Both draw references from the same box, and their
log W are compared too.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.k_methods.gap import Box
from experiments.evaluator.k_methods.reference import Reference
from experiments.evaluator.k_methods.trial import lighter
from experiments.numerics.parallel import run_in_threads
from experiments.store.cache import Store


def ours(points: np.ndarray, ks: range, references: int, ctx: Context) -> tuple[np.ndarray, float]:
    """Return log W of each reference and k by the framework, and the seconds."""
    chosen = ["dataset=synthetic_vectors", "evaluator=[k_selection]"]
    stage = build(compose.compose_config(chosen)).stages.evaluators["k_selection"]
    (clusterer,) = stage.clusterers.values()  # type: ignore[attr-defined]
    settings = stage.reference_settings(clusterer)  # type: ignore[attr-defined]
    fits = tuple(lighter(clusterer, k, settings) for k in ks)
    alone = replace(ctx, threads=1)
    start = time.perf_counter()
    box = Box.around(points)
    work = [partial(Reference(fits, b, 0).run, box, len(points), alone) for b in range(references)]
    return np.array(run_in_threads(work, ctx.threads)), time.perf_counter() - start


def peer(points: np.ndarray, ks: range, references: int, threads: int) -> tuple[np.ndarray, float]:
    """Return log W of each reference and k by scikit-learn, and the seconds of the loop."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    start = time.perf_counter()
    box = Box.around(points)
    results = []
    with threadpool_limits(threads):
        for number in range(references):
            drawn = box.draw(len(points), (0, number))
            results.append([np.log(KMeans(k, n_init=3, random_state=0).fit(drawn).inertia_) for k in ks])
    return np.array(results), time.perf_counter() - start


def main() -> None:
    """Print both times, and the difference of the references' log W."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--references", type=int, default=20)
    parser.add_argument("--peer", type=int, default=1, help="references of the loop, at most as many")
    parser.add_argument("--k-max", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    ks = range(1, options.k_max + 1)
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder))), threads=options.threads)
        stages = build(
            compose.compose_config(["dataset=synthetic_vectors", "dataset.width=50", "evaluator=[internal]"])
        ).stages
        points = np.asarray(stages.dataset.load(ctx).content.vectors())
        mine, seconds = ours(points, ks, options.references, ctx)
        print(
            f"ours: {options.references} references, k=1..{ks[-1]}: {seconds:.1f} s (target 120)", flush=True
        )
        theirs, loop = peer(points, ks, options.peer, options.threads)
    scaled = loop / options.peer * options.references
    print(f"scikit-learn's loop: {options.peer} references took {loop:.1f} s", end="; ")
    print(f"scaled to {options.references}: {scaled:.0f} s")
    print(f"ratio {seconds / scaled:.3f}, the loop's time scaled")
    apart = mine[: options.peer] - theirs
    print(
        f"log W of the same references, ours less theirs: {apart.mean():+.5f} (worst {abs(apart).max():.5f})"
    )
    print(f"s of the gap is {mine.std(axis=0).mean():.5f} on average")


if __name__ == "__main__":
    main()
