"""Compare study A's analysis (steps 6 to 12) by this project with a plain scikit-learn script.

    python benchmarks/study.py               as configured: well separated classes, a few minutes
    python benchmarks/study.py --noise 5     overlapping classes, for about the accuracy of the study
    python benchmarks/study.py --sweep       and 45 jobs: k x components x C
    python benchmarks/study.py --seeds 5     and the purities of both sides over so many seeds of k-means
    python benchmarks/study.py cluster.breath=0 cluster.n_redo=5     with other settings on our side

The data are `dataset=synthetic_vectors`: 25,557 x 256, 233 classes, imbalance 10.57; data and configs are
prepared before the timing, for both sides. Both use the labels of all rows (protocol=published), compute the
same metrics and draw no figures.
"""

import argparse
import itertools
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from experiments import pipeline
from experiments.comparison.intervals import mean_interval
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.measures.agreement import purity
from experiments.evaluator.measures.macro_categories import class_tree
from experiments.store.cache import Store
from experiments.types import Stages

GRANULARITIES = (5, 10, 15, 20, 30)
PROBES: dict[str, dict[str, Any]] = {
    "probe": {"C": 0.1},
    "probe_c1": {"C": 1.0},
    "probe_balanced": {"C": 0.1, "class_weight": "balanced"},
    "probe_pca": {"C": 0.1},
}
SCORES = {
    "normalized_mutual_info_score": "nmi",
    "adjusted_mutual_info_score": "ami",
    "adjusted_rand_score": "ari",
}
EVALUATORS = f"evaluator=[external,variance,{','.join(PROBES)},macro,macro_purity]"
Metrics = dict[str, float]


def plain(embeddings: np.ndarray, labels: np.ndarray, ks: list[int]) -> Metrics:
    """Return the metrics of a plain script, one step after the other."""
    from scipy.cluster.hierarchy import cut_tree, linkage
    from sklearn.cluster import KMeans
    from sklearn.decomposition import PCA
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score, normalized_mutual_info_score
    from sklearn.metrics.cluster import contingency_matrix
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    scaled = StandardScaler().fit_transform(embeddings)
    pca = PCA().fit(scaled)
    points = pca.transform(scaled)[:, :50]
    results = {"explained_variance_50": float(pca.explained_variance_ratio_[:50].sum())}
    train, test = train_test_split(np.arange(len(labels)), test_size=0.2, stratify=labels, random_state=42)

    def probe(name: str, features: np.ndarray, target: np.ndarray, **settings: Any) -> None:
        model = LogisticRegression(max_iter=1000, **settings).fit(features[train], target[train])
        results[name] = float(model.score(features[test], target[test]))

    for name, settings in PROBES.items():
        probe(f"{name}_accuracy", points if name == "probe_pca" else scaled, labels, **settings)
    means = np.array([points[labels == label].mean(axis=0) for label in np.unique(labels)])
    tree = linkage(means, "ward")
    categories = {g: cut_tree(tree, n_clusters=g)[labels, 0] for g in GRANULARITIES}
    for g, target in categories.items():
        probe(f"macro_accuracy_{g}", scaled, target, C=0.1)
    for k in ks:
        kmeans = KMeans(k, n_init=10, random_state=0).fit(points)
        results[f"k={k} inertia"] = float(kmeans.inertia_)
        truths = {"": labels} | {f"_macro_{g}": target for g, target in categories.items()}
        for name, truth in truths.items():
            table = contingency_matrix(truth, kmeans.labels_)
            results[f"k={k} purity{name}"] = float(table.max(axis=0).sum() / len(labels))
            for score in (normalized_mutual_info_score, adjusted_mutual_info_score, adjusted_rand_score):
                results[f"k={k} {SCORES[score.__name__]}{name}"] = float(score(truth, kmeans.labels_))
    return results


def ours(ctx: Context, ks: list[int], data: list[str]) -> Metrics:
    """Run one job of the framework per k."""
    results: Metrics = {}
    for k in ks:
        metrics = job(ctx, [*data, EVALUATORS, f"cluster.k={k}"])
        results |= {
            name: value for name, value in metrics.items() if name.startswith(("expl", "probe", "macro"))
        }
        results |= {f"k={k} {name}": value for name, value in metrics.items()}
    return results


@cache
def stages(overrides: tuple[str, ...]) -> Stages:
    """Compose and build a job's stages; cached, as the plain script has no configuration to read."""
    return build(compose.compose_config(overrides)).stages


def job(ctx: Context, overrides: list[str]) -> Metrics:
    """Run one job, as a sweep in one process does."""
    result = pipeline.run(stages(tuple(overrides)), ctx)
    steps = {step: round(spent, 1) for step, spent in result.seconds.items() if spent}
    print(f"{' '.join(overrides[4:])}: {steps or 'all cached'}", flush=True)
    return result.metrics | {"inertia": float(result.clustering.inertia or 0)}


def compare(results: Metrics, reference: Metrics) -> None:
    """Print the differences between the metrics and those of the script, and the largest of each kind.

    Purities differ as much as between two seeds of the script: with --noise 5, k=10 and 20, seeds 0 to 3, by
    up to 1.0 points, while inertias are equal within 0.05 %.
    """
    ratios = {name: results[name] / value for name, value in reference.items() if "inertia" in name}
    print(f"inertia, ours to theirs: {max(ratios.values()):.4f} at worst (at most 1.001); ", end="")
    print(", ".join(f"{name.split()[0]} {ratio:.4f}" for name, ratio in ratios.items()))
    for kind in ("explained", "probe", "macro_accuracy", "purity"):
        points = {n: 100 * (results[n] - value) for n, value in reference.items() if kind in n}
        low, high = min(points, key=lambda n: points[n]), max(points, key=lambda n: points[n])
        print(f"{kind}, ours less theirs in points: mean {np.mean(list(points.values())):.2f}", end="")
        print(f", {points[low]:.2f} ({low}) to {points[high]:.2f} ({high})")


def purities(ctx: Context, ks: list[int], data: list[str], seeds: int) -> None:
    """Print the mean difference in purity over seeds of k-means on both sides, with 95 % intervals."""
    from sklearn.cluster import KMeans

    chosen = stages((*data, EVALUATORS))
    samples = chosen.dataset.load(ctx)
    result = pipeline.run(replace(chosen, evaluators={"external": chosen.evaluators["external"]}), ctx)
    points, labels = np.array(result.reduced), np.asarray(samples.labels)
    tree = class_tree(samples, points, "published")
    truths = {"fine": labels} | {str(g): tree.categories(labels, g) for g in GRANULARITIES}
    cells: dict[str, list[float]] = {}
    for k, seed in itertools.product(ks, range(seeds)):
        theirs = KMeans(k, n_init=10, random_state=seed).fit(points).labels_
        clusterer: Any = chosen.cluster
        ours = replace(clusterer, k=k, seed=seed).fit(points, ctx).assignments
        for name, truth in truths.items():
            points_apart = 100 * (purity(truth, ours) - purity(truth, np.asarray(theirs, np.int64)))
            cells.setdefault(f"k={k} {name}", []).append(points_apart)
    print(f"purity over {seeds} seeds each, ours less theirs in points, mean and 95 % interval:")
    for name, values in sorted(cells.items(), key=lambda cell: -abs(float(np.mean(cell[1])))):
        mean, low, high = mean_interval(values)
        print(f"  {name}: {mean:+.2f} ({low:+.2f} to {high:+.2f})")


def sweep(ctx: Context, ks: list[int], data: list[str], seconds: float) -> None:
    """Run 45 jobs with an empty cache; print their time relative to as many plain scripts."""
    build(compose.compose_config(data)).stages.dataset.load(ctx)
    ctx.store.computed.clear()
    start = time.perf_counter()
    for p, c, k in itertools.product((30, 50, 75), (0.01, 0.1, 1), ks):
        swept = [f"reducer.n_components={p}", f"evaluator.probe.C={c}", f"cluster.k={k}"]
        job(ctx, [*data, EVALUATORS, *swept])
    spent, computed = time.perf_counter() - start, ctx.store.computed
    print(
        f"{9 * len(ks)} jobs: {spent:.1f} s, {spent / seconds / 9 / len(ks):.3f} of as many plain scripts",
        end="",
    )
    print(f" (at most 0.1); {len(computed)} values computed, {len(set(computed))} of them distinct")


def main() -> None:
    """Print times and metrics of both sides."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--k", type=int, nargs="+", default=[10, 20, 50, 100, 233])
    parser.add_argument("--noise", type=float, default=1, help="standard deviation within a class")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sweep", action="store_true")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("overrides", nargs="*", help="settings of ours, such as cluster.n_redo=4")
    options = parser.parse_intermixed_args()
    data = ["dataset=synthetic_vectors", f"dataset.noise={options.noise}", "protocol=published"]
    data += options.overrides
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder))), threads=options.threads)
        samples = build(compose.compose_config(data)).stages.dataset.load(ctx)
        embeddings, labels = np.array(samples.content.vectors()), np.asarray(samples.labels)
        plain(embeddings[::13], labels[::13], [10])  # imports, and threads, before the clock starts
        job(ctx, [*data, "dataset.limit=2000", "cluster.k=10", "evaluator=[external]"])
        for k in options.k:
            stages((*data, EVALUATORS, f"cluster.k={k}"))
        sides: dict[str, tuple[Metrics, float]] = {}
        for name in ("plain", "ours", "cached"):
            start = time.perf_counter()
            metrics = plain(embeddings, labels, options.k) if name == "plain" else ours(ctx, options.k, data)
            sides[name] = metrics, time.perf_counter() - start
        (reference, longer), (results, seconds), (_, again) = sides.values()
        print(
            f"empty cache: {seconds:.1f} s against {longer:.1f}, ratio {seconds / longer:.3f} (at most 0.45)"
        )
        print(f"all cached: {again:.2f} s, ratio {again / longer:.4f} (at most 0.03)")
        compare(results, reference)
        if options.seeds:
            purities(ctx, options.k, data, options.seeds)
        if options.sweep:
            sweep(replace(ctx, store=Store(Path(folder) / "sweep")), options.k, data, longer)


if __name__ == "__main__":
    main()
