"""Run a recorded run again, and tell whether it gives the same: identical, within tolerance, or differs.

python scripts/verify.py RUN_ID
python scripts/verify.py RUN_ID dataset.root=<where the data is now> tracking.uri=http://localhost:5000
python scripts/verify.py RUN_ID threads=1       how far another number of threads differs
python scripts/verify.py SWEEP_ID --all         every job of a sweep

Exit code: 0 identical or within tolerance, 1 differs, 2 could not be checked.
"""

import argparse
import logging
import sys
from collections.abc import Sequence

from experiments import compose, config, console
from experiments.recorded import Recorded
from experiments.verification import DIFFERS, IDENTICAL, Verdict
from experiments.verification_past import STORE, given, jobs
from experiments.verification_run import verify

DIFFERENT, UNCHECKED, INTERRUPTED = 1, 2, 130
DIGITS = 16  # of a table's cell


def show(verdict: Verdict) -> None:
    """Print what is not identical, and the verdict."""
    rows = [row for row in verdict.rows if row.verdict != IDENTICAL]
    if rows:
        cells = [[r.what, r.then[:DIGITS], r.now[:DIGITS], _number(r.difference), r.verdict] for r in rows]
        console.table("not identical", ["what", "then", "now", "difference", "verdict"], cells)
    console.say(f"verdict: {verdict.line}")


def _number(value: float) -> str:
    return "" if value != value else f"{value:.3g}"


def found(run_id: str, settings: Sequence[str], every: bool) -> list[Recorded]:
    """Find the run; all jobs of a sweep if `every`."""
    place = [word for word in settings if word.startswith(STORE)]
    plan = config.build(compose.compose_config(place), place)
    given(settings)
    run = Recorded.of(plan.tracking.uri, run_id)
    return jobs(run) if every else [run]


def checked(run: Recorded, settings: Sequence[str]) -> int:
    """Verify one run; return its exit code."""
    try:
        verdict = verify(run, settings, console.say)
    except (ValueError, OSError) as error:
        console.complain(str(error))
        return UNCHECKED
    show(verdict)
    return DIFFERENT if verdict.word == DIFFERS else 0


def verified(runs: Sequence[Recorded], settings: Sequence[str]) -> int:
    """Verify one run, or every job of a sweep; return the worst exit code."""
    codes = [UNCHECKED] * (not runs)
    for run in runs:
        if len(runs) > 1:
            console.say(f"job {run.id} {run.tags.get('mlflow.runName', '')}".rstrip())
        codes.append(checked(run, settings))
    return max(codes)


def main() -> int:
    """Read the command line; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run_id", metavar="RUN_ID", help="of a run; MLflow's page and sweep.csv show it")
    parser.add_argument("settings", metavar="key=value", nargs="*", help="such as tracking.uri, dataset.root")
    parser.add_argument("--all", action="store_true", help="of a sweep: every job")
    args = parser.parse_intermixed_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s", handlers=[console.Handler()])
    try:
        return verified(found(args.run_id, args.settings, args.all), args.settings)
    except (ValueError, OSError) as error:
        console.complain(str(error))
        return UNCHECKED
    except KeyboardInterrupt:
        console.complain("interrupted: the last run was not compared")
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
