"""Compile UMAP and HDBSCAN for this machine: `python scripts/make/compile.py`; scripts/setup.sh runs it."""

import tempfile
from pathlib import Path

import numpy as np

from experiments.cluster.hdbscan import Hdbscan
from experiments.context import Context
from experiments.reducer.umap import Umap
from experiments.store.cache import Store


def compile_all() -> None:
    """Fit both to a few points; numba caches the compiled functions on disk (except umap-learn's own)."""
    points = np.random.default_rng(0).normal(size=(40, 4)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        ctx = Context.plain(Store(Path(folder)))
        Hdbscan(5, 5, "eom", 0.0, False).fit(points, ctx)
        Hdbscan(2, 2, "leaf", 0.5, True).fit(points, ctx)
        Umap(2, 5, "cosine", 0.1, 10, 0).fit(points, ctx).transform(points + np.float32(0.01))


if __name__ == "__main__":
    compile_all()
