"""Time t-SNE and UMAP as used for maps, and compare t-SNE with scikit-learn's.

    python benchmarks/maps.py                     25,557 x 50, the peer on 5,000 rows of them
    python benchmarks/maps.py --peer-rows 25557   scikit-learn on all rows too

The data are `dataset=synthetic_vectors dataset.width=50`: 233 classes. `kept` is the share of the 15 nearest
neighbours of a row that are among its 15 nearest on the map, over 2,000 rows. Both wall and CPU seconds are
printed, as other processes may share the machine.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.pictures.layouts import Tsne, Umap
from experiments.store.cache import Store

NEIGHBOURS = 15


def points() -> np.ndarray:
    """Return the vectors."""
    chosen = ["dataset=synthetic_vectors", "dataset.width=50", "evaluator=[internal]"]
    dataset = build(compose.compose_config(chosen)).stages.dataset
    with tempfile.TemporaryDirectory() as folder:
        return np.asarray(dataset.load(Context.plain(Store(Path(folder)))).content.vectors())


def kept(values: np.ndarray, placed: np.ndarray) -> float:
    """Return the share of nearest neighbours that are still nearest on the map."""
    from sklearn.neighbors import NearestNeighbors

    rows = np.linspace(0, len(values) - 1, 2000).astype(int)
    before, after = (
        NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(space).kneighbors(space[rows])[1][:, 1:]
        for space in (values, placed)
    )
    same = [len(np.intersect1d(*pair)) for pair in zip(before, after, strict=True)]
    return float(np.mean(same)) / NEIGHBOURS


def scikit(values: np.ndarray, threads: int) -> np.ndarray:
    """Run scikit-learn's t-SNE."""
    from sklearn.manifold import TSNE

    tsne = TSNE(perplexity=30, init="pca", random_state=0, n_jobs=threads)
    return np.asarray(tsne.fit_transform(values))


def measure(
    name: str, values: np.ndarray, lay: Callable[[np.ndarray, int], np.ndarray], threads: int
) -> float:
    """Print one line; return the seconds."""
    start, busy = time.perf_counter(), time.process_time()
    placed = lay(values, threads)
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    size = f"{len(values):,} x {values.shape[1]}"
    share = kept(values, placed)
    print(f"{name:22} {size:>12} {seconds:7.1f} s, {busy:6.1f} of a core, kept {share:.3f}", flush=True)
    return seconds


def main() -> None:
    """Print a line for each map."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--peer-rows", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    everything = points()
    few = everything[np.linspace(0, len(everything) - 1, options.peer_rows).astype(int)]
    tsne, umap = Tsne(None, 0), Umap(NEIGHBOURS, 0.1, "euclidean", 0)
    for lay in (tsne.lay_out, scikit, umap.lay_out):
        lay(everything[:200], options.threads)  # imports and compilation, which are not compared
    ours = measure("t-SNE, openTSNE", few, tsne.lay_out, options.threads)
    theirs = measure("t-SNE, scikit-learn", few, scikit, options.threads)
    print(f"time ratio {ours / theirs:.2f}")
    measure("t-SNE (target 300 s)", everything, tsne.lay_out, options.threads)
    measure("UMAP, one thread", everything, umap.lay_out, options.threads)


if __name__ == "__main__":
    main()
