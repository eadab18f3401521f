"""Run a recorded run again, and tell whether it gives the same: identical, within tolerance, or differs.

python scripts/verify.py RUN_ID
python scripts/verify.py RUN_ID dataset.root=<where the data is now> tracking.uri=http://localhost:5000
python scripts/verify.py RUN_ID threads=1       how far another number of threads differs
python scripts/verify.py SWEEP_ID               the best job of a sweep
python scripts/verify.py SWEEP_ID --all         every job of it

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
from experiments.recorded import Recorded
from experiments.recorded.verification.past import best_job, given, jobs, of_a_sweep
from experiments.recorded.verification.verdict import DIFFERS, IDENTICAL, WITHIN, Verdict
from experiments.recorded.verification.verify import verify

UNKNOWN = "could not be checked"
CODES = {IDENTICAL: 0, WITHIN: 0, DIFFERS: 1, UNKNOWN: 2}
DIGITS = 16  # of a table's cell


def show(verdict: Verdict) -> None:
    """Print what is not identical, and the verdict."""
    rows = [row for row in verdict.rows if row.verdict != IDENTICAL]
    if rows:
        cells = [[r.what, r.then[:DIGITS], r.now[:DIGITS], _number(r.difference), r.verdict] for r in rows]
        console.table("not identical", ["what", "then", "now", "difference", "verdict"], cells)
    console.print_line(f"verdict: {verdict.line}")


def _number(value: float) -> str:
    return "" if value != value else f"{value:.3g}"


def found(run_id: str, settings: Sequence[str], every: bool) -> list[Recorded]:
    """Find the run; of a sweep its best job, or all if `every`."""
    place = [word for word in settings if word.startswith(compose.STORAGE_KEYS)]
    uri = script.plan(place).tracking.uri
    given(settings)
    run = Recorded.of(uri, run_id)
    if every or not of_a_sweep(run):
        return jobs(run)
    best = best_job(run)
    console.print_line(f"{run.id} is a sweep; its best job is {best.id} {best.name}; --all verifies each job")
    return [best]


def checked(run: Recorded, settings: Sequence[str]) -> str:
    """Verify one run; return the verdict's word."""
    try:
        verdict = verify(run, settings, console.print_line)
    except EXPECTED as error:
        console.print_error(str(error))
        return UNKNOWN
    show(verdict)
    return verdict.word


def verified(runs: Sequence[Recorded], settings: Sequence[str]) -> int:
    """Verify one run, or every job of a sweep; return the worst exit code."""
    words = []
    for place, run in enumerate(runs, start=1):
        if len(runs) > 1:
            console.print_line(f"{place} of {len(runs)}: {run.id} {run.name}")
        words.append(checked(run, settings))
    if len(words) > 1:
        counts = ", ".join(f"{count} {word}" for word, count in Counter(words).items())
        console.print_line(f"{len(words)} jobs: {counts}")
    return max(CODES[word] for word in words)


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    made = script.parser(__doc__)
    made.add_argument("run_id", metavar="RUN_ID", help="of a run or a sweep; run.py prints it at its end")
    made.add_argument("--all", action="store_true", help="of a sweep: every job")
    return made


def verify_runs(args: argparse.Namespace) -> int:
    """Verify a run, or the jobs of a sweep; return the exit code."""
    runs = found(args.run_id, args.settings, args.all)
    if not runs:
        raise ValueError(f"RUN_ID={args.run_id} is a sweep without jobs; use a run that FINISHED")
    return verified(runs, args.settings)


def main() -> int:
    """Read the command line; return the exit code."""
    return script.run(parser(), verify_runs, failed=CODES[UNKNOWN])


if __name__ == "__main__":
    sys.exit(main())
