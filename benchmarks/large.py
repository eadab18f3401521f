"""Time a whole run on many vectors by step, and compare its peak memory with the size of the data.

    python benchmarks/large.py                   200,000 and 2,000,000 x 64, k=100: some minutes on free cores
    python benchmarks/large.py --n 50000         a first look

Each run is `run.py dataset=embeddings dataset.path=<vectors>.npy reducer=identity cluster.k=100
evaluator=[internal,sizes]` in a process of its own, with its own cache and tracking store. Memory is sampled
every 10 ms: anonymous (RssAnon) and resident (RSS, including pages of mapped files, which the system can
reclaim); with the imports, and above them.
"""

import argparse
import contextlib
import importlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

IMPORTS = (
    "faiss", "mlflow", "pandas", "pyarrow.parquet", "sklearn.cluster", "sklearn.decomposition",
    "sklearn.metrics", "matplotlib.pyplot",
)  # fmt: skip
OTHER = "all else"
ROWS = 50_000  # that are made at a time
MB = 1e6


def resident() -> tuple[float, float]:
    """Return the anonymous and the resident bytes of this process (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    fields = dict(line.split(":", 1) for line in status.splitlines())
    anonymous, everything = (int(fields[name].split()[0]) * 1024.0 for name in ("RssAnon", "VmRSS"))
    return anonymous, everything


class Peak(threading.Thread):
    """Peak memory of the process and of each step, sampled every 10 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.base = self.highest = resident()
        self.steps: dict[str, list[float]] = {}
        self.step = OTHER
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until done."""
        while not self.done.wait(0.01):
            now = resident()
            self.highest = _larger(self.highest, now)
            self.steps[self.step] = [*_larger(self.steps.get(self.step, (0.0, 0.0)), now)]


def _larger(a: Sequence[float], b: Sequence[float]) -> tuple[float, float]:
    return max(a[0], b[0]), max(a[1], b[1])


def make(path: Path, n: int, width: int, classes: int) -> None:
    """Write float32 (n, width): normal blobs around centres of the same variance."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((classes, width))
    out = np.lib.format.open_memmap(path, "w+", np.float32, (n, width))
    for start in range(0, n, ROWS):
        rows = out[start : start + ROWS]
        rows[:] = centres[rng.integers(0, classes, len(rows))] + rng.standard_normal(rows.shape)


def measure(folder: Path, more: list[str]) -> None:
    """Run once in this process; print seconds and memory as JSON."""
    for name in IMPORTS:
        importlib.import_module(name)
    from experiments import figures, pipeline, report
    from experiments.job import artifacts, from_python, logged_model
    from experiments.job import perform as job

    peak = Peak()
    seconds: dict[str, tuple[float, float]] = {}

    @contextlib.contextmanager
    def step(name: str) -> Iterator[None]:
        before, peak.step, start, spent = peak.step, name, time.perf_counter(), time.process_time()
        yield
        seconds[name] = (time.perf_counter() - start, time.process_time() - spent)
        peak.step = before

    def timed(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **options: Any) -> Any:
            with step(name):
                return function(*args, **options)

        return call

    for name, module, function in (  # what a job does after its stages
        ("assignments and tables", artifacts, "write"),
        ("trace", job, "trace"),
        ("pictures", figures, "save_figures"),
        ("report", report, "write_report"),
        ("model", logged_model, "keep"),
    ):
        setattr(module, function, timed(name, getattr(module, function)))
    clock = pipeline.Clock.__call__

    @contextlib.contextmanager
    def watched(self: pipeline.Clock, name: str, key: str = "") -> Iterator[None]:
        with step(name), clock(self, name, key):
            yield

    setattr(pipeline.Clock, "__call__", watched)  # noqa: B010 (mypy refuses to replace a method)
    peak.start()
    start, spent = time.perf_counter(), time.process_time()
    from_python.run(
        [
            "dataset=embeddings",
            f"dataset.path={folder}/vectors.npy",
            "reducer=identity",
            "evaluator=[internal,sizes]",
            f"cache.root={folder}/cache",
            f"tracking.uri=sqlite:///{folder}/mlflow.db",
            f"hydra.run.dir={folder}/run",
            *more,
        ]
    )
    whole = (time.perf_counter() - start, time.process_time() - spent)
    peak.done.set()
    known = [sum(values) for values in zip(*seconds.values(), strict=True)]
    seconds[OTHER] = (whole[0] - known[0], whole[1] - known[1])
    print(json.dumps([whole, seconds, peak.base, peak.highest, peak.steps]))


def main() -> None:
    """Print a table for each number of rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--n", type=int, nargs="+", default=[200_000, 2_000_000])
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--k", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="temporary folder of data and cache; default: /tmp")
    parser.add_argument("overrides", nargs="*", help="of the run, such as cluster.n_redo=1; before --n")
    parser.add_argument("--alone", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        measure(options.alone, options.overrides)
        return
    for n in options.n:
        with tempfile.TemporaryDirectory(dir=options.folder) as folder:
            make(Path(folder) / "vectors.npy", n, options.width, options.k)
            command = [
                sys.executable,
                __file__,
                f"cluster.k={options.k}",
                *options.overrides,
                "--alone",
                folder,
            ]
            lines = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8"
            ).stdout
        show(n, options.width, *json.loads(lines.splitlines()[-1]))


def show(
    n: int,
    width: int,
    whole: list[float],
    seconds: dict[str, list[float]],
    base: list[float],
    highest: list[float],
    steps: dict[str, list[float]],
) -> None:
    """Print time and memory of a run."""
    data = 4.0 * n * width
    rest, rest_cpu = (all_ - cluster for all_, cluster in zip(whole, seconds["cluster"], strict=True))
    print(f"\n{n:,} x {width}, {data / MB:,.0f} MB: {whole[0]:.1f} s, {whole[1]:.1f} of CPUs")
    print(f"  apart from k-means: {rest:.1f} s, {rest_cpu:.1f} of CPUs")
    wall, cpu = (own / cluster for own, cluster in zip(seconds["internal"], seconds["cluster"], strict=True))
    print(f"  internal against k-means: {wall:.3f}, of CPU seconds {cpu:.3f}")
    for name, before, peak in zip(("anonymous", "with file pages"), base, highest, strict=True):
        above = (peak - before) / MB
        print(
            f"  {name}: peak {peak / MB:,.0f} MB ({peak / data:.2f} of the data), "
            f"above the imports {above:,.0f} MB ({above * MB / data:.2f})"
        )
    print("  step                      seconds    of CPUs   at most: anonymous MB   with file pages")
    for name, (value, cpu) in seconds.items():
        anonymous, everything = steps.get(name, [0.0, 0.0])
        print(f"  {name:<24}{value:9.2f}  {cpu:9.2f}  {anonymous / MB:21,.0f}  {everything / MB:16,.0f}")


if __name__ == "__main__":
    main()
