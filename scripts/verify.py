"""Run a recorded run again, and compare the results: identical, within tolerance, or differs.

python scripts/verify.py RUN_ID
python scripts/verify.py RUN_ID dataset.root=<where the data is now> tracking.uri=http://localhost:5000
python scripts/verify.py RUN_ID threads=1       compare with another number of threads
python scripts/verify.py SWEEP_ID               the best job of a sweep
python scripts/verify.py SWEEP_ID --all         all jobs of a sweep

Exit code: 0 identical or within tolerance, 1 differs, 2 could not be checked.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Sequence

from experiments import script
from experiments.config import compose
from experiments.job import console
from experiments.job.perform import EXPECTED
from experiments.recorded import PastRun
from experiments.recorded.verification.recorded_config import allowed_overrides, best_job, is_sweep, jobs
from experiments.recorded.verification.verdict import DIFFERS, IDENTICAL, WITHIN, Verdict
from experiments.recorded.verification.verify import verify

UNKNOWN = "could not be checked"
CODES = {IDENTICAL: 0, WITHIN: 0, DIFFERS: 1, UNKNOWN: 2}
CELL_WIDTH = 16  # characters


def show(verdict: Verdict) -> None:
    """Print the results that are not identical, and the verdict."""
    rows = [row for row in verdict.rows if row.verdict != IDENTICAL]
    if rows:
        cells = [
            [r.output, r.recorded[:CELL_WIDTH], r.recomputed[:CELL_WIDTH], _number(r.difference), r.verdict]
            for r in rows
        ]
        console.table("not identical", ["output", "recorded", "recomputed", "difference", "verdict"], cells)
    console.print_line(f"verdict: {verdict.line}")


def _number(value: float) -> str:
    return "" if value != value else f"{value:.3g}"


def runs_to_verify(run_id: str, settings: Sequence[str], every: bool) -> list[PastRun]:
    """Return the run; for a sweep, its best job, or all jobs if `every`."""
    storage = [word for word in settings if word.startswith(compose.STORAGE_KEYS)]
    uri = script.plan(storage).tracking.uri
    allowed_overrides(settings)
    run = PastRun.of(uri, run_id)
    if every or not is_sweep(run):
        return jobs(run)
    best = best_job(run)
    console.print_line(f"{run.id} is a sweep; its best job is {best.id} {best.name}; for all jobs, use --all")
    return [best]


def verify_run(run: PastRun, settings: Sequence[str]) -> str:
    """Verify one run; return the verdict's word."""
    try:
        verdict = verify(run, settings, console.print_line)
    except EXPECTED as error:
        console.print_error(str(error))
        return UNKNOWN
    show(verdict)
    return verdict.word


def verify_all(runs: Sequence[PastRun], settings: Sequence[str]) -> int:
    """Verify each run; return the worst exit code."""
    words = []
    for number, run in enumerate(runs, start=1):
        if len(runs) > 1:
            console.print_line(f"{number} of {len(runs)}: {run.id} {run.name}")
        words.append(verify_run(run, settings))
    if len(words) > 1:
        counts = ", ".join(f"{count} {word}" for word, count in Counter(words).items())
        console.print_line(f"{len(words)} jobs: {counts}")
    return max(CODES[word] for word in words)


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    arguments = script.parser(__doc__)
    arguments.add_argument("run_id", metavar="RUN_ID", help="id of a run or a sweep, as run.py prints it")
    arguments.add_argument("--all", action="store_true", help="all jobs of a sweep")
    return arguments


def verify_runs(args: argparse.Namespace) -> int:
    """Verify a run, or the jobs of a sweep; return the exit code."""
    runs = runs_to_verify(args.run_id, args.settings, args.all)
    if not runs:
        raise ValueError(f"RUN_ID={args.run_id} is a sweep without jobs; use a run with status FINISHED")
    return verify_all(runs, args.settings)


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), verify_runs, failed=CODES[UNKNOWN])


if __name__ == "__main__":
    sys.exit(main())
