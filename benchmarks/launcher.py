"""Compare a sweep with parallel jobs (hydra/launcher=joblib) with one that runs them one after another.

python benchmarks/launcher.py --jobs 4 --busy 0
python benchmarks/launcher.py --jobs 16 --small --busy 1

Both sides run in turn, `--rounds` times, each with its own cache of data and embedding. Prints medians: wall
seconds, CPU seconds of all processes, and the total wall seconds of k-means in all jobs; the rest of the
first two is start-up, evaluation, recording and the sweep's report.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from busy import busy

REPOSITORY = Path(__file__).parents[1]
VECTORS = ("dataset=synthetic_vectors", "dataset.width=50", "reducer=identity", "evaluator=[external]")
IMAGES = ("backbone=pixels",)
SIDES = {"one after another": "basic", "joblib": "joblib"}


def measured(root: Path, *words: str) -> tuple[float, float]:
    """Run run.py in a project root; return its wall seconds and the CPU seconds of all its processes."""
    command, env = (
        [sys.executable, str(REPOSITORY / "run.py"), *words],
        os.environ | {"EXPERIMENTS_ROOT": str(root)},
    )
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def one_side(launcher: str, data: tuple[str, ...], ks: list[int]) -> tuple[float, float, float]:
    """Return wall and CPU seconds of a sweep over k, and the wall seconds of its jobs' k-means."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "conf").symlink_to(REPOSITORY / "conf")
        measured(root, *data, f"cluster.k={max(ks) + 1}", "cluster.n_redo=1", "figures=none", "report=none")
        swept = f"cluster.k={','.join(map(str, ks))}"
        wall, cpu = measured(root, "-m", *data, swept, f"hydra/launcher={launcher}")
        sweep = max((root / "outputs").glob("*/*"), key=lambda path: path.stat().st_mtime_ns)
        results = [json.loads(path.read_text(encoding="utf-8")) for path in sweep.glob("*/result.json")]
        return wall, cpu, sum(result["seconds"]["cluster"] for result in results)


def main() -> None:
    """Print medians over the rounds."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--small", action="store_true", help="jobs on the digits' pixels, a second each")
    parser.add_argument("--busy", type=int, default=0, help="cores that other processes keep busy")
    parser.add_argument("--n", type=int, default=25_557, help="vectors, without --small")
    parser.add_argument("--rounds", type=int, default=1)
    args = parser.parse_args()
    data = IMAGES if args.small else (*VECTORS, f"dataset.n={args.n}")
    first = 2 if args.small else 234 - args.jobs
    ks = list(range(first, first + args.jobs))
    with busy(args.busy):
        rounds = [
            {side: one_side(launcher, data, ks) for side, launcher in SIDES.items()}
            for _ in range(args.rounds)
        ]
    medians = {
        side: [statistics.median(times[side][column] for times in rounds) for column in range(3)]
        for side in SIDES
    }
    print(f"{args.jobs} jobs, {os.cpu_count()} cores, {args.busy} other processes at work")
    for side, (wall, cpu, clustering) in medians.items():
        print(f"{side:18} {wall:7.1f} s wall {cpu:7.1f} s CPU {clustering:7.1f} s in the jobs' k-means")
    sequential, parallel = medians.values()
    ratios = [b / a for a, b in zip(sequential, parallel, strict=True)]
    print(f"{'joblib / other':18} {ratios[0]:7.2f}        {ratios[1]:7.2f}       {ratios[2]:7.2f}")


if __name__ == "__main__":
    main()
