"""A project root in a temporary folder, and run.py or a script in it: as a new process, or in this one."""

import contextlib
import importlib
import io
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests import warm

from experiments import launch

if TYPE_CHECKING:
    import pandas as pd

REPOSITORY = Path(__file__).parents[1]
SWEEP = ["-m", "cluster.k=10,50,233"]  # of the shared project: README.md's own
LEAN = ["figures=none", "report=none", "tracking.log_model=none"]  # most of the time of a short run
FRAGILE = ["--config-dir", str(REPOSITORY / "tests" / "user_conf"), "cluster=fragile"]


class Project:
    """A project root: its own cache, outputs and MLflow store.

    Parameters
    ----------
    first
        How the sweep ended that the shared project was made with.
    """

    first: "subprocess.CompletedProcess[str]"

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        if not (root / "conf").exists():
            (root / "conf").symlink_to(REPOSITORY / "conf")

    def start(
        self, *words: str, cwd: Path | None = None, cold: bool = False, **variables: str
    ) -> "subprocess.Popen[str]":
        """Start run.py with these arguments and environment variables.

        Parameters
        ----------
        cold
            In a new Python; otherwise in one that has imported everything.
        """
        code = os.pathsep.join(str(REPOSITORY / folder) for folder in ("src", "tests"))
        env = os.environ | {"EXPERIMENTS_ROOT": str(self.root), "PYTHONPATH": code}
        env |= variables
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        command = [sys.executable, str(REPOSITORY / "run.py"), *words]
        start = subprocess.Popen if cold else warm.popen
        return start(command, env=env, cwd=cwd or self.root, **pipes)

    def run(
        self, *words: str, cwd: Path | None = None, cold: bool = False, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run run.py to its end."""
        process = self.start(*words, cwd=cwd, cold=cold, **variables)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    @property
    def uri(self) -> str:
        """The MLflow store."""
        return f"sqlite:///{self.root}/mlflow/mlflow.db"

    def launch(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run run.py to its end in this process, which saves the seconds that a new Python takes.

        It is no test of start-up, imports, signals or closed streams.
        """
        stores = [f"tracking.uri={self.uri}", f"cache.root={self.root}/cache"]
        typed = {word.partition("=")[0] for word in words}
        stores = [word for word in stores if word.partition("=")[0] not in typed]
        main = importlib.import_module("run").main
        return self._inside(["run.py", *words, *stores], lambda: launch.launch(main), self.root)

    def script(self, name: str, *words: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
        """Run a script to its end in this process."""
        main = importlib.import_module(f"scripts.{name}").main
        return self._inside([f"{name}.py", *words, f"tracking.uri={self.uri}"], main, cwd)

    def _inside(
        self, words: list[str], main: Callable[[], int], cwd: Path
    ) -> "subprocess.CompletedProcess[str]":
        out, err = io.StringIO(), io.StringIO()
        logs = [logging.getLogger(name) for name in (None, "experiments")]
        before = [(log, log.handlers, log.level) for log in logs]
        handlers = [(number, signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGHUP)]
        with (
            pytest.MonkeyPatch.context() as changed,
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            changed.setattr(sys, "argv", words)
            changed.setenv("EXPERIMENTS_ROOT", str(self.root))
            changed.syspath_prepend(REPOSITORY / "tests")
            changed.chdir(cwd)
            logs[0].handlers = []  # pytest's own, or none of ours would be added
            try:
                code = main()
            finally:
                for log, known, level in before:
                    log.handlers = known
                    log.setLevel(level)
                for number, handler in handlers:
                    signal.signal(number, handler)
        return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())

    def succeed(self, *words: str) -> str:
        """Run run.py here, which has to succeed; return its standard output."""
        done = self.launch(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fail(self, *words: str) -> str:
        """Run run.py here, which has to fail with one clear line; return its standard error."""
        done = self.launch(*words)
        assert done.returncode == 1, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def last(self) -> Path:
        """Return the newest run's or sweep's folder."""
        return max((self.root / "outputs").glob("*/*"), key=lambda path: path.stat().st_mtime_ns)

    def sweep(self) -> "pd.DataFrame":
        """Return the newest sweep's table."""
        import pandas as pd

        return pd.read_csv(self.last() / "sweep.csv")

    def result(self, job: int) -> dict[str, Any]:
        """Return the outcome of a job of the newest sweep."""
        return dict(json.loads((self.last() / str(job) / "result.json").read_text(encoding="utf-8")))

    def runs(self) -> list[Any]:
        """Return every MLflow run, newest first."""
        from mlflow.tracking import MlflowClient

        client = MlflowClient(self.uri)
        ids = [experiment.experiment_id for experiment in client.search_experiments()]
        return list(client.search_runs(ids))


def artifacts(run: Any) -> set[str]:
    """Return the paths of an MLflow run's artifacts."""
    return {path.name for path in Path(run.info.artifact_uri.removeprefix("file://")).iterdir()}


def wait_for(happened: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    """Wait until a condition holds while the process runs."""
    deadline = time.monotonic() + 120
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
