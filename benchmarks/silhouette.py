"""Measure how often the interval of the sampled silhouette contains the mean over all rows.

    python benchmarks/silhouette.py                                       eight kinds of data, half an hour
    python benchmarks/silhouette.py --n 40000 --draws 20 --only blobs_64  a first look

For each kind of data: the mean silhouette over all rows, each against all others; then, over many draws of
10,000 rows, the share whose interval contains it, the root mean squared error, half the interval's width, and
the bias from sampling the members, which the interval does not include.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from experiments.evaluator.measures.extents import extents
from experiments.evaluator.measures.silhouette import exact_silhouettes, half_interval, silhouettes


@dataclass(frozen=True)
class Kind:
    """Blobs of `width` values around `classes` centres `apart`, k-means with `k`, and what is done to it."""

    width: int
    classes: int
    apart: float
    k: int
    change: Callable[[np.ndarray, np.ndarray, np.random.Generator], tuple[np.ndarray, np.ndarray]] | None = (
        None
    )


def scattered(
    points: np.ndarray, clusters: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Turn a tenth of the rows into noise, a cluster that is spread everywhere."""
    noise = rng.random(len(points)) < 0.1
    points = np.where(noise[:, None], rng.standard_normal(points.shape) * points.std(axis=0), points)
    return points.astype(np.float32), np.where(noise, -1, clusters)


def far(points: np.ndarray, clusters: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Scale one row in a thousand by a hundred, like fill values."""
    moved = np.where(rng.random(len(points)) < 0.001, 100, 1)
    return (points * moved[:, None]).astype(np.float32), clusters


KINDS = {
    "blobs_64": Kind(64, 100, 1.0, 100),
    "blobs_64_k10": Kind(64, 100, 1.0, 10),
    "blobs_64_k1000": Kind(64, 100, 1.0, 1000),
    "blobs_2": Kind(2, 30, 5.0, 100),
    "blobs_2_k1000": Kind(2, 30, 5.0, 1000),
    "blobs_8_k2": Kind(8, 2, 2.0, 2),
    "noise_16": Kind(16, 50, 3.0, 50, scattered),
    "far_8": Kind(8, 30, 3.0, 30, far),
}


def made(kind: Kind, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 (n, width) and the clusters of a short k-means."""
    import faiss

    rng = np.random.default_rng(0)
    centres = kind.apart * rng.standard_normal((kind.classes, kind.width))
    blobs = centres[rng.integers(0, kind.classes, n)] + rng.standard_normal((n, kind.width))
    points = np.asarray(blobs, np.float32)
    kmeans = faiss.Kmeans(kind.width, kind.k, niter=10, seed=1, max_points_per_centroid=256)
    kmeans.train(points)
    clusters = kmeans.index.search(points, 1)[1][:, 0]
    return (points, clusters) if kind.change is None else kind.change(points, clusters, rng)


def main() -> None:
    """Print one line per kind of data."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=10_000)
    parser.add_argument("--draws", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", nargs="+", default=list(KINDS), choices=list(KINDS))
    options = parser.parse_args()
    print("kind            all rows   within   error   half interval   bias by members   CPU seconds a draw")
    for name in options.only:
        with threadpool_limits(options.threads):
            points, clusters = made(KINDS[name], options.n)
            exact = exact_silhouettes(points, clusters, np.arange(options.n))
        known, start = extents(points, clusters), time.process_time()
        errors, halves, biases = [], [], []
        for seed in range(options.draws):
            rows = np.sort(np.random.default_rng(seed).choice(options.n, options.sample, replace=False))
            scores = silhouettes(points, clusters, rows, seed, known)
            errors.append(scores.mean() - exact.mean())
            halves.append(half_interval(scores, options.n))
            biases.append(scores.mean() - exact[rows].mean())
        inside = np.mean(np.abs(errors) <= halves)
        spent = (time.process_time() - start) / options.draws
        print(
            f"{name:<15} {exact.mean():8.5f} {inside:8.2f} {np.sqrt(np.square(errors).mean()):8.5f} "
            f"{np.mean(halves):12.5f} {np.mean(biases):19.6f} {spent:15.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
