"""Kill a sweep on digits by kill -9 at random moments, and check that the resumed sweep has the same table.

python benchmarks/crash.py [--times 30] [--seed 0] [--minutes 60] [key=value ...]

The moments are spread over the whole sweep, from the first import to the last figure, each with a new cache
and store. A moment is relative to a line of the log, so that it does not depend on the load of the machine.
After each resume no run, lock or incomplete file may remain.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

REPOSITORY = Path(__file__).parents[1]
SWEEP = (
    "-m",
    "dataset.limit=600",
    "backbone.max_epochs=3",
    "reducer.n_components=10",
    "cluster.k=10,20",
    "seed=0,1",
)
TIMES = ("seconds", "run_id")  # columns of the table that may differ
ENDED = "it had ended"
NOTHING_BEGAN = "no sweep"  # in the message of resume=true after a kill before the sweep was recorded


Popen = Callable[..., "subprocess.Popen[str]"]


class Line(NamedTuple):
    """A line of run.py's output, with the seconds since its start."""

    seconds: float
    text: str


class Root:
    """An empty project root, with its own outputs, cache and MLflow store.

    Parameters
    ----------
    popen
        Starts a process, like subprocess.Popen.
    """

    def __init__(self, folder: Path, popen: Popen = subprocess.Popen) -> None:
        self.folder, self.popen = folder, popen
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "conf").exists():
            (folder / "conf").symlink_to(REPOSITORY / "conf")

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start run.py in a new process group."""
        command = [sys.executable, str(REPOSITORY / "run.py"), *words]
        env = os.environ | {"EXPERIMENTS_ROOT": str(self.folder)}
        return self.popen(
            command,
            env=env,
            cwd=self.folder,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def run(self, *words: str) -> tuple[int, list[Line]]:
        """Run run.py to its end; return the exit code and the lines of output."""
        process, begun = self.start(*words), time.monotonic()
        assert process.stdout is not None
        lines = [Line(time.monotonic() - begun, text.rstrip()) for text in process.stdout]
        return process.wait(), lines

    def kill(self, moment: float, undisturbed: Sequence[Line], *words: str) -> str:
        """Start run.py, kill -9 it and its workers at a moment of an undisturbed run; return its last line.

        Parameters
        ----------
        moment
            Seconds of the undisturbed run; converted to the same time after the same line of output.
        """
        before = [line for line in undisturbed if line.seconds <= moment]
        process, begun = self.start(*words), time.monotonic()
        assert process.stdout is not None
        said = [process.stdout.readline().rstrip() for _ in before]
        slower = (time.monotonic() - begun) / before[-1].seconds if before else 1.0
        since = moment - (before[-1].seconds if before else 0.0)
        try:
            process.wait(timeout=since * slower)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return said[-1] if said else "before its first line"
        finally:
            process.stdout.close()
        return f"{ENDED} ({process.returncode})"

    def resume(self, *words: str) -> str:
        """Resume the sweep from the command line; return the error, or ""."""
        code, lines = self.run(*words, "resume=true")
        if code == 1 and any(NOTHING_BEGAN in line.text for line in lines):
            code, lines = self.run(*words)
        return "" if code == 0 else f"exit code {code}: {' '.join(line.text for line in lines)[-500:]}"

    def table(self) -> "pd.DataFrame":
        """Return the table of the only sweep, without the columns in TIMES."""
        import pandas as pd

        (path,) = self.folder.glob("outputs/*/*/sweep.csv")
        rows = pd.read_csv(path)
        return rows[[name for name in rows if name not in TIMES]]

    def left_behind(self) -> list[str]:
        """List what a finished sweep must not leave: running runs, locks, incomplete files."""
        return [*self._runs(), *self._locks(), *self._files()]

    def _runs(self) -> list[str]:
        from mlflow.tracking import MlflowClient

        from experiments.recorded import PARENT_TAG
        from experiments.sweep.state import SWEPT_TAG

        client = MlflowClient(f"sqlite:///{self.folder}/mlflow/mlflow.db")
        experiments = [experiment.experiment_id for experiment in client.search_experiments()]
        runs = client.search_runs(experiments)
        wrong = [f"run {run.info.run_id} is RUNNING" for run in runs if run.info.status == "RUNNING"]
        parents = [run for run in runs if run.data.tags.get(PARENT_TAG) == "parent"]
        if [run.info.status for run in parents] != ["FINISHED"]:
            wrong.append(f"parent runs: {[run.info.status for run in parents]}")
        done = [run for run in runs if run not in parents and run.info.status == "FINISHED"]
        swept = json.loads(parents[0].data.tags.get(SWEPT_TAG, "[]")) if parents else []
        jobs = [settings(run.data, swept) for run in done]
        if len(set(jobs)) < len(jobs):
            wrong.append(f"finished twice: {sorted(jobs)}")
        models = client.search_logged_models(experiments)
        return wrong + [f"model {m.model_id} is {m.status}" for m in models if m.status != "READY"]

    def _locks(self) -> list[str]:
        from filelock import FileLock, Timeout

        locks = []
        for path in self.folder.rglob("*.lock"):
            try:
                with FileLock(path, timeout=0):
                    pass
            except Timeout:
                locks.append(f"{path.relative_to(self.folder)} is locked")
        return locks

    def _files(self) -> list[str]:
        files = [*self.folder.rglob("?*.partial"), *self.folder.glob("cache/.partial/*")]
        files += [*self.folder.glob("cache/.work/*"), *self.folder.glob("outputs/**/.*.lock")]
        files += [
            *self.folder.glob("outputs/**/.experiments-new"),
            *self.folder.glob("mlflow/.running/.*.lock"),
        ]
        files += [path for path in self.folder.glob("mlflow/*") if path.name.endswith(("-journal", "-wal"))]
        files += [path for path in self.folder.glob("cache/[!.]*") if not (path / "meta.json").exists()]
        return [f"{path.relative_to(self.folder)} is incomplete or temporary" for path in files]


def settings(data: Any, swept: Sequence[str]) -> str:
    """Return a job's values of the swept keys: settings are parameters in MLflow, options are tags."""
    return " ".join(f"{key}={data.params.get(key, data.tags.get(key, ''))}" for key in swept)


def crash(
    root: Root, moment: float, undisturbed: Sequence[Line], words: Sequence[str], wanted: "pd.DataFrame"
) -> tuple[str, list[str]]:
    """Kill a sweep and resume it; return its position when killed, and the errors."""
    where = root.kill(moment, undisturbed, *words)
    wrong = [failed] if (failed := root.resume(*words)) else []
    tables = list(root.folder.glob("outputs/*/*/sweep.csv"))
    if len(tables) != 1:
        return where, [*wrong, f"{len(tables)} tables"]
    table = root.table()
    if not table.equals(wanted):
        wrong.append(f"another table: {json.dumps(table.to_dict('records'))[:500]}")
    return where, [*wrong, *root.left_behind()]


def moments(length: float, times: int, seed: int) -> list[float]:
    """Return a random moment in each of `times` equal parts of a sweep."""
    draw = random.Random(seed)
    return [length * (part + draw.random()) / times for part in range(times)]


def main() -> int:
    """Print each moment and its result; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "words", metavar="key=value", nargs="*", help="of the sweep, instead of the usual ones"
    )
    parser.add_argument("--times", type=int, default=30, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="of the moments; default: %(default)s")
    parser.add_argument("--minutes", type=float, default=60, help="no new kill after so many")
    args = parser.parse_args()
    words = ["-m", *args.words] if args.words else list(SWEEP)
    begun = time.monotonic()
    failures = done = 0
    with tempfile.TemporaryDirectory() as name:
        undisturbed = Root(Path(name) / "undisturbed")
        code, lines = undisturbed.run(*words)
        length = time.monotonic() - begun
        if code:
            print(*(line.text for line in lines), sep="\n")
            return 1
        wanted = undisturbed.table()
        print(f"undisturbed: {length:.1f} s, {len(wanted)} jobs", flush=True)
        for number, moment in enumerate(moments(length, args.times, args.seed)):
            if time.monotonic() - begun > 60 * args.minutes:
                print(f"stopped after {args.minutes:g} minutes")
                break
            where, wrong = crash(Root(Path(name) / str(number)), moment, lines, words, wanted)
            while where.startswith(ENDED) and not wrong:  # this one was faster than the undisturbed
                moment *= 0.9
                where, wrong = crash(
                    Root(Path(name) / f"{number}-{moment:.3f}"), moment, lines, words, wanted
                )
            done, failures = done + 1, failures + bool(wrong)
            print(f"{number:3} {moment:6.2f} s  {'; '.join(wrong) or 'same':8} ({where[:70]})", flush=True)
    print(f"{done - failures} of {done} kills ended in the same table with nothing left behind")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
