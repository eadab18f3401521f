"""Time the loading of embeddings from a CSV against pandas.read_csv: seconds and anonymous memory.

python benchmarks/embeddings_csv.py [--n 100000] [--d 256] [--in <folder>]    --n 1000000 is 2.8 GB of text
"""

import argparse
import importlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from memory import GIB, Peak

CHUNK = 20_000  # rows that are written at a time
SIDES = ("first load", "second load", "pandas")


def write(path: Path, n: int, d: int) -> None:
    """Write embeddings with all digits of float32, as is common."""
    import pyarrow as pa
    from pyarrow import csv

    schema = pa.schema([("image_id", pa.string()), *((f"d{column}", pa.float32()) for column in range(d))])
    rng = np.random.default_rng(0)
    with csv.CSVWriter(path, schema, write_options=csv.WriteOptions(quoting_style="none")) as writer:
        for start in range(0, n, CHUNK):
            m = min(CHUNK, n - start)
            ids = pa.array([f"class{row % 233:03}/{row:07}.jpg" for row in range(start, start + m)])
            values = rng.standard_normal((d, m), np.float32)
            writer.write_table(pa.table([ids, *map(pa.array, values)], schema=schema))


def loader(path: Path, cache: Path) -> Callable[[], tuple[int, int]]:
    """Make ready to load the file as a data set does; what is returned gives its shape."""
    from experiments.config import compose
    from experiments.config.build import build
    from experiments.context import Context
    from experiments.store.cache import Store

    stages = build(compose.compose_config(["dataset=embeddings", f"dataset.path={path}"])).stages

    def load() -> tuple[int, int]:
        n, d = stages.dataset.load(Context.plain(Store(cache))).content.vectors().shape
        return n, d

    return load


def read(path: Path) -> tuple[int, int]:
    """Read the file with pandas into one float32 array; return its shape."""
    import pandas as pd

    rows = pd.read_csv(path, dtype={"image_id": "string"})
    values = rows.drop(columns="image_id").to_numpy(np.float32)
    return values.shape[0], values.shape[1]


def measure(side: str, path: Path, cache: Path) -> None:
    """Do one side once in this process; print seconds, and the peak of anonymous memory above the imports."""
    for name in ("pandas", "pyarrow.csv"):
        importlib.import_module(name)
    run = partial(read, path) if side == "pandas" else loader(path, cache)
    peak = Peak()
    peak.start()
    start = time.perf_counter()
    shape = run()
    seconds = time.perf_counter() - start
    peak.done.set()
    above = (peak.highest - peak.base) / GIB
    print(f"{side:>12}: {shape[0]:,} x {shape[1]} in {seconds:6.2f} s, {above:.2f} GiB above the imports")


def main() -> None:
    """Write the file, and measure each side in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--d", type=int, default=256)
    parser.add_argument(
        "--in", dest="place", help="a folder for the file and the cache; default: the system's"
    )
    parser.add_argument("--alone", nargs=3, metavar=("SIDE", "FILE", "CACHE"), help="measure in this process")
    args = parser.parse_args()
    if args.alone:
        measure(args.alone[0], Path(args.alone[1]), Path(args.alone[2]))
        return
    with tempfile.TemporaryDirectory(prefix="experiments-", dir=args.place) as folder:
        path = Path(folder) / "embeddings.csv"
        write(path, args.n, args.d)
        print(f"{path.stat().st_size / 1e6:,.0f} MB of text")
        for side in SIDES:
            command = [sys.executable, __file__, "--alone", side, str(path), f"{folder}/cache"]
            subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
