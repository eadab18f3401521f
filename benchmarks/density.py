"""Compare implementations of HDBSCAN on 25,557 x 15 and of UMAP on 25,557 x 50.

    python benchmarks/density.py                    everything: about fifteen minutes
    python benchmarks/density.py --only hdbscan     or hdbscan_sheet, hdbscan_umap, umap, ward
    python benchmarks/density.py --n 3000           a first look

Each implementation runs in a process of its own, so that imports and compilation are included: `first` is
the time of its first call, `again` of its last, `CPU` the CPU time of the last, which other processes affect
less. numba caches the compiled fast_hdbscan in its package, so only the first process after an installation
compiles; `--compile` measures that one. The points are blobs of unequal spread, 40 of 15 values or 233 of
50, with 10 % noise; `hdbscan_sheet` bends blobs of 3 values into 15, and `hdbscan_umap` is the output of
`reducer=umap` for the 233. `ARI` compares with the line above.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SIZE, SAMPLES, NEIGHBOURS = 50, 5, 15  # min_cluster_size and min_samples of HDBSCAN, n_neighbors of UMAP


def sheet(n: int, d: int, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return blobs on a bent three-dimensional sheet in d dimensions, similar to the output of UMAP."""
    flat, truth = blobs(n, 3, groups)
    rng = np.random.default_rng(1)
    bent = 10 * np.tanh(flat / 10 @ rng.standard_normal((3, d)))
    return (bent + rng.normal(0, 0.02, (n, d))).astype(np.float32), truth


def blobs(n: int, d: int, groups: int) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 (n, d) around centres, with 10 % noise, whose label is -1."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, groups, n)
    truth[rng.random(n) < 0.1] = -1
    centres = rng.uniform(-10, 10, (groups, d))
    spread = rng.uniform(0.5, 2.0, groups)
    points = centres[truth] + rng.standard_normal((n, d)) * spread[truth, None]
    points[truth < 0] = rng.uniform(-12, 12, (int((truth < 0).sum()), d))
    return points.astype(np.float32), truth


def context() -> Any:
    """Return a context with an empty store, so that nothing is reused from another call."""
    from experiments.context import Context
    from experiments.store.cache import Store

    return Context.plain(Store(Path(tempfile.mkdtemp()), enabled=False))


def ours_hdbscan(points: np.ndarray) -> np.ndarray:
    """Fit `cluster=hdbscan`: fast_hdbscan's tree, renumbered, with the data for `assign`."""
    from experiments.cluster.hdbscan import Hdbscan

    return Hdbscan(SIZE, SAMPLES, "eom", 0.0, False).fit(points, context()).assignments


def fast(points: np.ndarray) -> np.ndarray:
    """Fit fast_hdbscan's public estimator."""
    import fast_hdbscan

    return np.asarray(fast_hdbscan.HDBSCAN(min_cluster_size=SIZE, min_samples=SAMPLES).fit(points).labels_)


def sklearn_hdbscan(points: np.ndarray) -> np.ndarray:
    """Fit scikit-learn's, whose min_samples counts the point itself."""
    from sklearn.cluster import HDBSCAN

    model = HDBSCAN(min_cluster_size=SIZE, min_samples=SAMPLES + 1, n_jobs=2, copy=True)
    return np.asarray(model.fit(points.astype(np.float64)).labels_)


def reference(points: np.ndarray) -> np.ndarray:
    """Fit hdbscan, the reference implementation."""
    import hdbscan

    model = hdbscan.HDBSCAN(
        min_cluster_size=SIZE, min_samples=SAMPLES, core_dist_n_jobs=2, approx_min_span_tree=False
    )
    return np.asarray(model.fit(points.astype(np.float64)).labels_)


def ours_umap(points: np.ndarray) -> np.ndarray:
    """Fit `reducer=umap`: exact neighbours by FAISS, umap-learn's layout, seeded."""
    from experiments.reducer.umap import Umap

    return Umap(15, NEIGHBOURS, "euclidean", 0.0, 0, 0).fit(points, context()).positions


def learn(points: np.ndarray) -> np.ndarray:
    """Fit umap-learn with a seed: one thread, approximate neighbours."""
    return _learn(points, random_state=0, n_jobs=1)


def learn_unseeded(points: np.ndarray) -> np.ndarray:
    """Fit umap-learn on all threads, without reproducible results."""
    return _learn(points)


def learn_pca(points: np.ndarray) -> np.ndarray:
    """Fit umap-learn with a seed, initialised by principal components instead of the graph's spectrum."""
    return _learn(points, random_state=0, n_jobs=1, init="pca")


def _learn(points: np.ndarray, **options: Any) -> np.ndarray:
    from umap import UMAP

    model = UMAP(n_neighbors=NEIGHBOURS, n_components=15, min_dist=0.0, **options)
    return np.asarray(model.fit_transform(points))


def scipy_ward(points: np.ndarray) -> np.ndarray:
    """Build scipy's tree and cut it into 50."""
    from experiments.cluster.agglomerative import Agglomerative

    return Agglomerative(50, "ward").fit(points, context()).assignments


def sklearn_ward(points: np.ndarray) -> np.ndarray:
    """Fit scikit-learn's, unstructured."""
    from sklearn.cluster import AgglomerativeClustering

    return np.asarray(AgglomerativeClustering(50, linkage="ward").fit(points).labels_)


Side = Callable[[np.ndarray], np.ndarray]
HDBSCANS: dict[str, Side] = {
    "hdbscan (reference)": reference,
    "scikit-learn": sklearn_hdbscan,
    "fast_hdbscan": fast,
    "cluster=hdbscan": ours_hdbscan,
}
SIDES: dict[str, tuple[tuple[int, int], dict[str, Side]]] = {
    "hdbscan": ((15, 40), HDBSCANS),
    "hdbscan_sheet": ((15, 40), HDBSCANS),
    "hdbscan_umap": ((50, 233), HDBSCANS),
    "umap": (
        (50, 233),
        {
            "umap-learn, seeded": learn,
            "umap-learn, unseeded": learn_unseeded,
            "umap-learn, init=pca": learn_pca,
            "reducer=umap": ours_umap,
        },
    ),
    "ward": ((50, 233), {"scikit-learn": sklearn_ward, "cluster=agglomerative": scipy_ward}),
}


def given(kind: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of a task, and their labels."""
    shape, _ = SIDES[kind]
    points, truth = (sheet if kind == "hdbscan_sheet" else blobs)(n, *shape)
    return (ours_umap(points).astype(np.float32) if kind == "hdbscan_umap" else points), truth


def measure(kind: str, name: str, n: int, path: Path) -> dict[str, float]:
    """Fit in this process, HDBSCAN twice; save the result as `path`."""
    import resource

    _, sides = SIDES[kind]
    points, _ = given(kind, n)
    base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds, worked = [], []
    # other fits take minutes, so that compilation matters little
    for _ in range(2 if kind.startswith("hdbscan") else 1):
        start, busy = time.perf_counter(), time.process_time()
        result = sides[name](points)
        seconds.append(time.perf_counter() - start)
        worked.append(time.process_time() - busy)
    np.save(path, result)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - base) / 2**20
    return {"first": seconds[0], "again": seconds[-1], "cpu": worked[-1], "GiB": memory}


def apart(kind: str, name: str, n: int, path: Path) -> dict[str, float]:
    """Call `measure` in a new process."""
    command = [sys.executable, __file__, "--one", kind, name, str(path), "--n", str(n)]
    return json.loads(subprocess.check_output(command, text=True, encoding="utf-8").splitlines()[-1])  # type: ignore[no-any-return]


def clusters(kind: str, result: np.ndarray) -> np.ndarray:
    """Return the assignments; for positions, those of `cluster=hdbscan`."""
    return ours_hdbscan(result.astype(np.float32)) if kind == "umap" else result


def kept_neighbours(points: np.ndarray, positions: np.ndarray, count: int = NEIGHBOURS) -> float:
    """Return the share of the nearest neighbours of 2,000 rows that are still nearest by position."""
    from experiments.numerics.nearest import nearest

    rows = np.random.default_rng(0).choice(len(points), min(2000, len(points)), replace=False)
    before, after = (nearest(x, x[rows], count + 1, "euclidean")[0] for x in (points, positions))
    return float(
        np.mean([len(np.intersect1d(a[1:], b[1:])) for a, b in zip(before, after, strict=True)]) / count
    )


def main() -> None:
    """Print one line per alternative."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, default=25_557)
    parser.add_argument("--only", choices=SIDES, nargs="+", default=list(SIDES))
    parser.add_argument("--compile", action="store_true", help="time compilation after an installation too")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        kind, name, path = options.one
        print(json.dumps(measure(kind, name, options.n, Path(path))))
        return
    for kind in options.only:
        compare(kind, options.n)
    if options.compile:
        compilation(options.n)


def compare(kind: str, n: int) -> None:
    """Print the alternatives for one task."""
    from sklearn.metrics import adjusted_rand_score

    _, sides = SIDES[kind]
    points, truth = given(kind, n)
    extra = "  neighbours kept" if kind == "umap" else ""
    head = "first s  again s    CPU s      GiB  clusters  noise    ARI  ARI to truth"
    print(f"\n{kind} on {n} x {points.shape[1]}\n{'':24}{head}{extra}")
    before = None
    with tempfile.TemporaryDirectory() as folder:
        for name in sides:
            path = Path(folder) / "result.npy"
            figures = apart(kind, name, n, path)
            result = np.load(path)
            assigned = clusters(kind, result)
            agrees = "     -" if before is None else f"{adjusted_rand_score(before, assigned):6.3f}"
            real = truth >= 0
            kept = f"  {kept_neighbours(points, result):15.3f}" if kind == "umap" else ""
            numbers = (f"{figures[key]:7.2f}" for key in ("first", "again", "cpu", "GiB"))
            print(
                f"{name:24}{'  '.join(numbers)}  {assigned.max() + 1:8}  {np.mean(assigned < 0):5.3f}  "
                f"{agrees}  {adjusted_rand_score(truth[real], assigned[real]):12.3f}{kept}",
                flush=True,
            )
            before = assigned


def compilation(n: int) -> None:
    """Print the time of the first call of `cluster=hdbscan` with an empty compilation cache."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.npy"
        command = [sys.executable, __file__, "--one", "hdbscan", "cluster=hdbscan", str(path), "--n", str(n)]
        fresh = {"NUMBA_CACHE_DIR": folder, "PATH": ""}
        figures = json.loads(
            subprocess.check_output(command, text=True, env=fresh, encoding="utf-8").splitlines()[-1]
        )
    times = f"first {figures['first']:.1f} s, again {figures['again']:.1f} s"
    print(f"\ncluster=hdbscan with nothing compiled: {times}")


if __name__ == "__main__":
    main()
