"""Start several sweeps at once on one empty store and cache, and count lost runs and repeated computations.

python benchmarks/crowd.py [--processes 8] [--rounds 1]

Each sweep has one job that all share, and one of its own. No run may be lost, no database locked, and each
stage is to be computed once.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
SMALL = ("-m", "backbone=pixels", "dataset.limit=400", "reducer.n_components=5")
SHARED_K = 4  # clusters of the job that all sweeps share; each has another job of its own
WANTED = {"config.yaml", "assignments.parquet", "result.json"}


Popen = Callable[..., "subprocess.Popen[str]"]


def start(root: Path, number: int, *words: str, popen: Popen) -> "subprocess.Popen[str]":
    """Start one of the sweeps."""
    command = [
        sys.executable,
        str(REPOSITORY / "run.py"),
        *SMALL,
        f"cluster.k={SHARED_K},{number + 5}",
        *words,
    ]
    env = os.environ | {"EXPERIMENTS_ROOT": str(root)}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    return popen(command, env=env, cwd=root, **pipes)


def crowd(root: Path, processes: int, *words: str, popen: Popen = subprocess.Popen) -> list[str]:
    """Run all sweeps at once in a new project root; return the errors."""
    (root / "conf").symlink_to(REPOSITORY / "conf")
    at_once = [start(root, number, *words, popen=popen) for number in range(processes)]
    ended = [process.communicate(timeout=1200)[0] for process in at_once]
    wrong = [
        f"sweep {number} ended with {process.returncode}: {' '.join(out.split())[-300:]}"
        for number, (process, out) in enumerate(zip(at_once, ended, strict=True))
        if process.returncode or "locked" in out
    ]
    return wrong + list(lost(root, processes)) + list(repeated(root))


def lost(root: Path, processes: int) -> Iterator[str]:
    """Yield the runs that are missing or incomplete."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{root}/mlflow/mlflow.db")
    runs = list(client.search_runs([experiment.experiment_id for experiment in client.search_experiments()]))
    parents = [run for run in runs if run.data.tags.get("sweep") == "parent"]
    jobs = [run for run in runs if run not in parents]
    if (len(parents), len(jobs)) != (processes, 2 * processes):
        yield f"{len(parents)} sweeps and {len(jobs)} jobs are recorded"
    ks = Counter(run.data.params.get("cluster.k") for run in jobs)
    if ks != {str(SHARED_K): processes} | {str(number + 5): 1 for number in range(processes)}:
        yield f"jobs by k: {dict(ks)}"
    for run in runs:
        if run.info.status != "FINISHED":
            yield f"run {run.info.run_id} is {run.info.status}"
    for run in jobs:
        left = {path.name for path in Path(run.info.artifact_uri.removeprefix("file://")).iterdir()}
        if "ari" not in run.data.metrics or not left >= WANTED:
            yield f"run {run.info.run_id} has {sorted(run.data.metrics)} and {sorted(left)}"


def repeated(root: Path) -> Iterator[str]:
    """Yield the values that several processes computed."""
    results = [
        json.loads(path.read_text(encoding="utf-8")) for path in root.glob("outputs/*/*/*/result.json")
    ]
    counts = Counter(key for result in results for key in result["computed"])
    yield from (f"{key} was computed {count} times" for key, count in counts.items() if count > 1)
    kept = {path.name for path in root.glob("cache/[!.]*")}
    yield from (f"{key} was computed and is not kept" for key in counts if key not in kept)


def main() -> int:
    """Print the result of each round; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=1, help="default: %(default)s")
    args = parser.parse_args()
    failures = 0
    for number in range(args.rounds):
        with tempfile.TemporaryDirectory() as name:
            begun = time.monotonic()
            wrong = crowd(Path(name), args.processes)
            print(f"{number}: {args.processes} sweeps in {time.monotonic() - begun:.0f} s:", flush=True)
            print("\n".join(wrong) or "all runs are complete, and each stage was computed once", flush=True)
            failures += bool(wrong)
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
