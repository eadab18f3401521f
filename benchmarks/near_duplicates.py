"""Time the search for near-duplicates of embeddings against scikit-learn's radius neighbours.

    python benchmarks/near_duplicates.py               25,557 x 512, two cores
    python benchmarks/near_duplicates.py --rounds 3    medians of three

The data are `dataset=synthetic_vectors dataset.width=512`, of which every 50th row is replaced by a copy of
another with a little noise. Both sides must find the same pairs.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.near_duplicates import similar
from experiments.store.cache import Store

SIMILARITY = 0.98


def embeddings(ctx: Context) -> np.ndarray:
    """Return vectors of which some are near-duplicates."""
    chosen = ["dataset=synthetic_vectors", "dataset.width=512", "evaluator=[internal]"]
    dataset = build(compose.compose_config(chosen)).stages.dataset
    values = np.array(dataset.load(ctx).content.vectors())
    rng = np.random.default_rng(0)
    copies = values[rng.permutation(len(values))[: len(values[::50])]]
    values[::50] = copies + rng.normal(size=copies.shape, scale=0.05 * copies.std())
    return values


def scikit(values: np.ndarray, threads: int) -> int:
    """Return scikit-learn's number of pairs."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(radius=1 - SIMILARITY, metric="cosine", algorithm="brute", n_jobs=threads)
    neighbours = search.fit(values).radius_neighbors(values, return_distance=False)
    return (sum(map(len, neighbours)) - len(values)) // 2


def main() -> None:
    """Print times, counts and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder))), threads=options.threads)
        values = embeddings(ctx)
        similar(values[:100], SIMILARITY, 1000, np.zeros(100), ctx)
        scikit(values[:100], options.threads)
        times: dict[str, list[float]] = {"ours": [], "scikit-learn": []}
        pairs = {}
        for _ in range(options.rounds):
            start = time.perf_counter()
            pairs["ours"] = similar(values, SIMILARITY, 1000, np.zeros(len(values)), ctx).total
            middle = time.perf_counter()
            pairs["scikit-learn"] = scikit(values, options.threads)
            times["ours"].append(middle - start)
            times["scikit-learn"].append(time.perf_counter() - middle)
    print(f"{len(values):,} x {values.shape[1]}")
    for name, seconds in times.items():
        print(f"{name:14} {median(seconds):6.2f} s  {pairs[name]:,} pairs")
    print(f"time ratio {median(times['ours']) / median(times['scikit-learn']):.3f} (target 10 s)")


if __name__ == "__main__":
    main()
