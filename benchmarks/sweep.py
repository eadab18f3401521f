"""Time the default sweep with an empty cache, then repeated, and the start-up of run.py.

python benchmarks/sweep.py [--rounds 3]
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
SWEEP = ("-m", "cluster.k=10,50,233")


def seconds(root: Path, *words: str) -> float:
    """Run run.py in a new project root; return the seconds."""
    start = time.perf_counter()
    command = [sys.executable, str(REPOSITORY / "run.py"), *words]
    subprocess.run(command, env=os.environ | {"EXPERIMENTS_ROOT": str(root)}, check=True, capture_output=True)
    return time.perf_counter() - start


def one_round() -> dict[str, float]:
    """Measure once, in an empty folder."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / "conf").symlink_to(REPOSITORY / "conf")
        fresh = seconds(root, *SWEEP)
        again = seconds(root, *SWEEP)
        newest = max((root / "outputs").glob("*/*"), key=lambda path: path.stat().st_mtime_ns)
        jobs = [
            json.loads(path.read_text(encoding="utf-8"))["total"] for path in newest.glob("*/result.json")
        ]
        return {
            "empty cache, s (60 or less)": fresh,
            "repeated, s (10 or less)": again,
            "a repeated job after the first, s (0.3 or less)": sorted(jobs)[len(jobs) // 2],
            "run.py --help, s (under 1.5)": seconds(root, "--help"),
        }


def main() -> None:
    """Print medians over the rounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = [one_round() for _ in range(parser.parse_args().rounds)]
    for name in rounds[0]:
        values = [measured[name] for measured in rounds]
        print(f"{name:50} {statistics.median(values):6.2f}  ({min(values):.2f} to {max(values):.2f})")


if __name__ == "__main__":
    main()
