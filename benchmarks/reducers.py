"""Compare reducers before k-means at the true k: ARI, accuracy, silhouettes in their own and in one space.

    python benchmarks/reducers.py                                     the digits' pixels
    python benchmarks/reducers.py --photographs caltech101_128.zip    and 30 photographs of each class
    python benchmarks/reducers.py --photographs caltech101_128.zip --squeezenet squeezenet1_0-imagenet.pth

Photographs are embedded by EfficientNet-Lite0 at 160 pixels, and by SqueezeNet if there are weights. Each
line has the mean and standard deviation over seeds of k-means (and of UMAP), for both protocols: `published`
fits the reducer on all rows, `held_out` on the training rows; k-means and metrics use all rows in both.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.samples import Samples
from experiments.store.cache import Store

REDUCERS = {
    "standardised, PCA 50": ["reducer=pca", "reducer.n_components=50"],
    "L2, PCA 64": ["reducer.steps=[l2,pca]", "reducer.pca.standardize=false", "reducer.pca.n_components=64"],
    "L2, PCA 128 half-whitened, L2": ["reducer=neighbours", "reducer.n_neighbors=1"],
    "neighbours": ["reducer=neighbours"],
    "UMAP 15": ["reducer=umap"],
}
EVALUATORS = "evaluator=[external,internal,label_free]"
METRICS = ("ari", "acc", "silhouette", "silhouette_embeddings")


@dataclass(frozen=True)
class PerClass:
    """A data set of `count` random samples of each class of another."""

    dataset: Any
    count: int

    def load(self, ctx: Context) -> Samples:
        """Return the samples, in the order of the data set."""
        samples: Samples = self.dataset.load(ctx)
        order = np.random.default_rng(0).permutation(len(samples))
        labels = np.asarray(samples.labels)[order]
        rows = [order[labels == label][: self.count] for label in range(len(samples.class_names))]
        return samples.take(np.sort(np.concatenate(rows)))


def subjects(options: argparse.Namespace) -> Iterator[tuple[str, list[str], int]]:
    """Yield title, overrides and samples per class of the data sets; 0 for all samples."""
    yield "digits, pixels", ["dataset=digits", "backbone=pixels", "cluster.k=10"], 0
    if not options.photographs:
        return
    data = ["dataset=image_folder", f"dataset.root={options.photographs}", "cluster.k=102"]
    title = f"Caltech-101, {options.per_class} a class"
    network = ["backbone=efficientnet_lite0", "backbone.image_size=160"]
    yield f"{title}, EfficientNet-Lite0 at 160 pixels", [*data, *network], options.per_class
    if options.squeezenet:
        network = [
            "backbone=resnet50",
            "backbone.model=squeezenet1_0",
            f"backbone.weights={options.squeezenet}",
        ]
        yield f"{title}, SqueezeNet 1.0", [*data, *network], options.per_class


def measure(overrides: list[str], per_class: int, ctx: Context) -> dict[str, float]:
    """Run one job; return its metrics."""
    stages: Any = build(compose.compose_config(overrides), overrides).stages
    if per_class:
        stages = replace(stages, dataset=PerClass(stages.dataset, per_class))
    metrics = pipeline.run(stages, ctx).metrics
    return {name: metrics[name] for name in METRICS if name in metrics}


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photographs", help="folder or archive of class folders: Caltech-101")
    parser.add_argument("--squeezenet", help="ImageNet weights of torchvision's squeezenet1_0")
    parser.add_argument("--per-class", type=int, default=30)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--cache", type=Path, help="folder of the cache; by default a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(options.cache or Path(folder))), threads=options.threads)
        for title, data, per_class in subjects(options):
            print(f"\n{title}\n| reducer | protocol | {' | '.join(METRICS)} |", flush=True)
            for name, reducer in REDUCERS.items():
                for protocol in ("published", "held_out"):
                    job = [*data, *reducer, f"protocol={protocol}", EVALUATORS]
                    seeds = [measure([*job, f"seed={seed}"], per_class, ctx) for seed in range(options.seeds)]
                    cells = [[metrics[metric] for metrics in seeds] for metric in seeds[0]]
                    texts = [f"{np.mean(cell):.3f} ± {np.std(cell, ddof=1):.3f}" for cell in cells]
                    print(f"| {name} | {protocol} | {' | '.join(texts)} |", flush=True)


if __name__ == "__main__":
    main()
