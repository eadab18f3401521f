"""Compare clusterers of photographs without a known k: AMI, number of clusters, noise, seconds.

    python benchmarks/unknown_k.py --photographs caltech101_128.zip                            20 minutes
    python benchmarks/unknown_k.py --photographs caltech101_128.zip --more
    python benchmarks/unknown_k.py --photographs caltech101_128.zip --sizes 1000 3000 9144     seconds

--evoc <python> takes EVoC from an environment that has it, --squeezenet the ImageNet weights of torchvision's
squeezenet1_0 as another backbone of --more.

Clusterers see neither labels nor k. EfficientNet-Lite0 at 224 pixels embeds all photographs once; a reducer
is fitted on all rows of a set (protocol=published). The sets of Caltech-101, drawn anew for each seed:

30 a class: 30 photographs of each of the 102 folders. 32x32: the same photographs, first made that small.
60 of 5: 5 photographs of each of 60 classes. 30 % single: 10 of each of 70 classes, and 300 of
BACKGROUND_Google, unrelated pictures, each of which is a class of its own.
--more has further sets: 5 of 400 (up to 400 of each of 5 large classes), 20 of 30,
all photographs, 30 a class at 160 pixels and by SqueezeNet, and the digits' pixels.

A cell has medians over the seeds: `ami`, where noise is one more cluster, and, if there is noise,
`ami_noise_singletons`, where each row of noise is a cluster; the number of clusters k', and |k'/k - 1|, where
k is the number of classes of two samples or more; the share of noise.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

from experiments import pipeline
from experiments.cluster.agglomerative import Tree
from experiments.cluster.linkage.cuts import cut, mean_silhouettes
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.k_methods.stability import agreement
from experiments.evaluator.measures.agreement import ami
from experiments.evaluator.measures.noise import treatments
from experiments.evaluator.measures.silhouette import exact_silhouettes
from experiments.samples import Resize, Samples
from experiments.store.cache import Store

BACKGROUND = "BACKGROUND_Google"
SHARED = (  # the trees of methods before them
    "Ward, highest silhouette",
    "Ward, highest silhouette, `umap`",
    "`hdbscan`, 10, 1, `umap`",
)
WITHIN = 0.05  # stability chooses the largest k this far below the best, as evaluator=k_selection does
EVOC = """
import sys, numpy as np
from evoc import EVoC
points, labels, seed = sys.argv[1:]
np.save(labels, EVoC(random_state=int(seed)).fit(np.load(points)).labels_)
"""


def stages(*overrides: str) -> Any:
    """Return the stages of a run with these overrides."""
    typed = ["dataset=synthetic_vectors", "backbone=identity", *overrides]
    return build(compose.compose_config(typed), typed).stages


@dataclass(frozen=True, eq=False)
class Set:
    """Embeddings float32 (n, d), their labels, and the context of one set and seed."""

    embeddings: np.ndarray
    labels: np.ndarray
    seed: int
    ctx: Context

    @cached_property
    def neighbours(self) -> np.ndarray:
        """Return the output of reducer=neighbours."""
        return self._reduced("neighbours")

    @cached_property
    def umap(self) -> np.ndarray:
        """Return the output of reducer=umap."""
        return self._reduced("umap")

    def _reduced(self, name: str) -> np.ndarray:
        reducer = stages(f"reducer={name}", f"seed={self.seed}").reducer
        reduced: np.ndarray = reducer.fit(self.embeddings, self.ctx).transform(self.embeddings)
        return reduced

    def key(self, space: str) -> Context:
        """Return the context of a space of this set, so that trees are cached for it alone."""
        return self.ctx.with_input(space=space, points=self.embeddings)


Method = Callable[[Set], np.ndarray]


def option(space: str, *overrides: str) -> Method:
    """Return a method: an option of conf/cluster on a space of the set."""

    def assign(data: Set) -> np.ndarray:
        clusterer = stages(*overrides, f"seed={data.seed}").cluster
        return np.asarray(clusterer.fit(getattr(data, space), data.key(space)).assignments)

    return assign


def highest_silhouette(space: str, data: Set) -> np.ndarray:
    """Cut Ward's tree of a space at the highest silhouette."""
    points, ks = getattr(data, space), grid(len(data.labels), 60)
    merges = Tree("ward").cached(points, data.key(space)).merges
    return cut(merges, int(ks[mean_silhouettes(points, merges, ks).argmax()]))


def grid(n: int, count: int) -> np.ndarray:
    """Return about `count` k from 2 to n / 2, in equal ratios."""
    return np.unique(np.round(np.geomspace(2, n // 2, count)).astype(int))


def kmeans_by(score: str, data: Set) -> np.ndarray:
    """Choose the k of k-means from 16 by silhouette or by the agreement of three seeds."""
    points, rows, ks = data.neighbours, np.arange(len(data.labels)), grid(len(data.labels), 16)
    light = replace(stages().cluster, n_redo=1, breath=0)
    seeds = [
        replace(light, seed=10 * data.seed + number) for number in range(3 if score == "stability" else 1)
    ]
    fits = [[replace(stage, k=int(k)).fit(points, data.ctx).assignments for stage in seeds] for k in ks]
    if score == "stability":
        values = np.array([agreement([(rows, assignments) for assignments in runs]) for runs in fits])
        best = np.flatnonzero(values >= values.max() - WITHIN)[-1]
    else:
        best = np.argmax([exact_silhouettes(points, runs[0], rows).mean() for runs in fits])
    return np.asarray(fits[int(best)][0])


def louvain(data: Set) -> np.ndarray:
    """Find communities in the graph of mutual nearest neighbours, 10 of each row."""
    import networkx as nx  # type: ignore[import-untyped]

    from experiments.numerics.nearest import nearest

    near, _ = nearest(data.neighbours, data.neighbours, 11)
    pairs = {(row, int(other)) for row, others in enumerate(near) for other in others if other != row}
    graph = nx.Graph((a, b) for a, b in pairs if a < b and (b, a) in pairs)
    graph.add_nodes_from(range(len(near)))
    assignments = np.empty(len(near), np.int64)
    for community, rows in enumerate(nx.community.louvain_communities(graph, seed=data.seed)):
        assignments[list(rows)] = community
    return assignments


def evoc(python: str, data: Set) -> np.ndarray:
    """Fit EVoC with its defaults on the embeddings, in a process of a Python that has it."""
    with tempfile.TemporaryDirectory() as folder:
        points, labels = f"{folder}/points.npy", f"{folder}/labels.npy"
        np.save(points, data.embeddings)
        subprocess.run([python, "-c", EVOC, points, labels, str(data.seed)], check=True, capture_output=True)
        return np.asarray(np.load(labels), np.int64)


def methods(python: str) -> dict[str, Method]:
    """Return all methods by title; EVoC only if `python` has it."""
    ward = ("cluster=agglomerative", "cluster.k=auto")
    table: dict[str, Method] = {
        "`agglomerative k=auto`": option("neighbours", *ward),
        "`agglomerative k=auto linkage=average`": option("neighbours", *ward, "cluster.linkage=average"),
        "`agglomerative k=auto`, `umap`": option("umap", *ward),
        "Ward, highest silhouette": partial(highest_silhouette, "neighbours"),
        "Ward, highest silhouette, `umap`": partial(highest_silhouette, "umap"),
        "k-means, highest silhouette": partial(kmeans_by, "silhouette"),
        "k-means, stability": partial(kmeans_by, "stability"),
    }
    for space, size, samples in (
        ("neighbours", 3, 1), ("neighbours", 10, 3), ("umap", 3, 1), ("umap", 5, 3), ("umap", 10, 1),
    ):  # fmt: skip
        settings = (f"cluster.min_cluster_size={size}", f"cluster.min_samples={samples}")
        table[f"`hdbscan`, {size}, {samples}, `{space}`"] = option(space, "cluster=hdbscan", *settings)
    table["Louvain, mutual neighbours"] = louvain
    if subprocess.run([python, "-c", "import evoc"], capture_output=True, check=False).returncode:
        print("EVoC is missing: install evoc in an environment of its own, and type --evoc <its python>")
        return table
    return table | {"EVoC, its defaults": partial(evoc, python)}


@dataclass(frozen=True, eq=False)
class Photographs:
    """The embeddings of all photographs by the backbones that were asked for."""

    root: str
    ctx: Context
    squeezenet: str | None

    @cached_property
    def samples(self) -> Samples:
        """Return the samples of the folder or archive."""
        samples: Samples = stages("dataset=image_folder", f"dataset.root={self.root}").dataset.load(self.ctx)
        return samples

    @cached_property
    def labels(self) -> np.ndarray:
        """Return the labels."""
        return np.asarray(self.samples.labels)

    def embed(self, *overrides: str, root: str = "") -> np.ndarray:
        """Return the cached embeddings of all photographs, in the order of `samples`."""
        data = ("dataset=image_folder", f"dataset.root={root or self.root}", "protocol=published")
        chosen = stages(*data, *overrides)
        samples = chosen.dataset.load(self.ctx)
        keys = pipeline.StepKeys.of(chosen, samples, self.ctx)
        encoder = chosen.backbone.fit(samples, self.ctx)
        return self.ctx.store.array(keys.embeddings, lambda: encoder.embed(samples, self.ctx))

    @cached_property
    def embeddings(self) -> np.ndarray:
        """Return the embeddings of EfficientNet-Lite0 at 224 pixels."""
        return self.embed("backbone=efficientnet_lite0")

    @cached_property
    def small(self) -> np.ndarray:
        """Return the embeddings of the photographs after they were made 32x32."""
        pixels = self.samples.content.pixels(Resize(32), self.ctx)
        with tempfile.TemporaryDirectory() as folder:
            for row, image in enumerate(pixels):
                Image.fromarray(np.asarray(image)).save(Path(folder) / f"{row:05}.png")
            return self.embed("backbone=efficientnet_lite0", root=folder)

    def rows(self, rng: np.random.Generator, classes: np.ndarray, count: int) -> np.ndarray:
        """Return up to `count` random rows of each class."""
        shuffled = rng.permutation(len(self.labels))
        return np.concatenate([shuffled[self.labels[shuffled] == label][:count] for label in classes])

    def sets(self, seed: int, more: bool) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
        """Yield title, embeddings and labels of the sets of a seed."""
        names, y, rng = np.array(self.samples.class_names), self.labels, np.random.default_rng(seed)
        classes, sizes = np.flatnonzero(names != BACKGROUND), np.bincount(y)
        single = rng.permutation(np.flatnonzero(names[y] == BACKGROUND))[:300]
        whole = self.rows(rng, np.arange(len(names)), 30)
        if not more:
            yield "30 a class", self.embeddings[whole], y[whole]
            yield "32x32", self.small[whole], y[whole]
            rows = self.rows(rng, rng.permutation(classes)[:60], 5)
            yield "60 of 5", self.embeddings[rows], y[rows]
            rows = self.rows(rng, rng.permutation(classes)[:70], 10)
            labels = np.concatenate([y[rows], len(names) + np.arange(len(single))])
            yield "30 % single", self.embeddings[np.concatenate([rows, single])], labels
            return
        for title, least, count, size in (("5 of 400", 200, 5, 400), ("20 of 30", 30, 20, 30)):
            rows = self.rows(rng, rng.permutation(classes[sizes[classes] >= least])[:count], size)
            yield title, self.embeddings[rows], y[rows]
        at_160 = self.embed("backbone=efficientnet_lite0", "backbone.image_size=160")
        yield "30 a class, 160 px", at_160[whole], y[whole]
        if self.squeezenet:
            network = ("backbone.model=squeezenet1_0", f"backbone.weights={self.squeezenet}")
            yield "30 a class, SqueezeNet", self.embed("backbone=resnet50", *network)[whole], y[whole]
        if seed == 0:
            yield "all", self.embeddings, y
            digits = load_digits()
            yield "digits", digits.data.astype(np.float32), digits.target


def scores(labels: np.ndarray, assignments: np.ndarray) -> list[float]:
    """Return AMI, AMI with noise as single clusters, k', |k'/k - 1| and the share of noise."""
    _, labels = np.unique(labels, return_inverse=True)
    k = int((np.bincount(labels) > 1).sum())
    clusters = len(np.unique(assignments[assignments >= 0]))
    *_, alone = treatments(assignments)
    return [
        ami(labels, assignments),
        ami(labels, alone.assignments),
        clusters,
        abs(clusters / k - 1),
        float((assignments < 0).mean()),
    ]


def cell(values: list[list[float]]) -> str:
    """Return the medians over the seeds as text."""
    whole, alone, clusters, off, noise = np.median(values, axis=0)
    noisy = (f"/{alone:.3f}", f"; {noise:.2f}") if noise else ("", "")
    return f"{whole:.3f}{noisy[0]}; {clusters:.0f} ({off:.2f}){noisy[1]}"


def compare(photographs: Photographs, ctx: Context, options: argparse.Namespace) -> None:
    """Print a row for each method and a column for each set."""
    table = methods(options.evoc)
    results: dict[str, dict[str, list[list[float]]]] = {}
    for seed in range(options.seeds):
        for title, embeddings, labels in photographs.sets(seed, options.more):
            data = Set(embeddings, labels, seed, ctx)
            for name, method in table.items():
                results.setdefault(name, {}).setdefault(title, []).append(scores(labels, method(data)))
            print(f"seed {seed}, {title}: {len(labels)} rows", file=sys.stderr, flush=True)
    titles = list(next(iter(results.values())))
    print(f"| AMI; k' and how far off; noise | {' | '.join(titles)} |\n|{'---|' * (len(titles) + 1)}")
    for name, by_set in results.items():
        print(f"| {name} | {' | '.join(cell(by_set[title]) for title in titles)} |")


def time_sizes(photographs: Photographs, ctx: Context, options: argparse.Namespace) -> None:
    """Print the seconds of reducers and methods for random photographs."""
    table = methods(options.evoc)
    for name in SHARED:
        del table[name]
    lines: dict[str, list[float]] = {}
    for n in options.sizes:
        rows = np.random.default_rng(0).permutation(len(photographs.labels))[:n]
        data = Set(photographs.embeddings[rows], photographs.labels[rows], 0, ctx)
        spaces: dict[str, Callable[[Set], Any]] = {
            "`reducer=neighbours`": lambda data: data.neighbours,
            "`reducer=umap`": lambda data: data.umap,
        }
        for name, method in (spaces | table).items():
            start = time.perf_counter()
            method(data)
            lines.setdefault(name, []).append(time.perf_counter() - start)
            print(n, name, lines[name][-1], file=sys.stderr, flush=True)
    print(f"| seconds | {' | '.join(map(str, options.sizes))} |\n|{'---|' * (len(options.sizes) + 1)}")
    for name, seconds in lines.items():
        print(f"| {name} | {' | '.join(f'{value:.1f}' for value in seconds)} |")


def main() -> None:
    """Print the table of the sets, or of the seconds."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--photographs", required=True, help="folder or archive of class folders: Caltech-101"
    )
    parser.add_argument("--squeezenet", help="ImageNet weights of torchvision's squeezenet1_0, for --more")
    parser.add_argument("--more", action="store_true", help="further sets")
    parser.add_argument("--evoc", default=sys.executable, help="a Python that has evoc")
    parser.add_argument("--sizes", type=int, nargs="+", help="print seconds for these numbers of photographs")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, help="folder of the cache; by default a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder) / "methods")), threads=options.threads)
        cached = replace(ctx, store=Store(options.cache or Path(folder) / "embeddings"))
        photographs = Photographs(options.photographs, cached, options.squeezenet)
        (time_sizes if options.sizes else compare)(photographs, ctx, options)


if __name__ == "__main__":
    main()
