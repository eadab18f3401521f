"""A project root in a temporary folder, and run.py started in it as a process of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

REPOSITORY = Path(__file__).parents[1]
SHORT = ["backbone.max_epochs=2", "reducer.n_components=10"]  # what the shared project was trained with
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

    def start(self, *words: str, cwd: Path | None = None, **variables: str) -> "subprocess.Popen[str]":
        """Start run.py with these arguments and environment variables."""
        code = os.pathsep.join(str(REPOSITORY / folder) for folder in ("src", "tests"))
        env = os.environ | {"EXPERIMENTS_ROOT": str(self.root), "PYTHONPATH": code}
        env |= variables
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        command = [sys.executable, str(REPOSITORY / "run.py"), *words]
        return subprocess.Popen(command, env=env, cwd=cwd or self.root, **pipes)

    def run(
        self, *words: str, cwd: Path | None = None, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run run.py to its end."""
        process = self.start(*words, cwd=cwd, **variables)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def succeed(self, *words: str, cwd: Path | None = None, **variables: str) -> str:
        """Run run.py, which has to succeed; return its standard output."""
        done = self.run(*words, cwd=cwd, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fail(self, *words: str) -> str:
        """Run run.py, which has to fail with one clear line; return its standard error."""
        done = self.run(*words)
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
        """Return what a job of the newest sweep left."""
        return dict(json.loads((self.last() / str(job) / "result.json").read_text(encoding="utf-8")))

    def runs(self) -> list[Any]:
        """Return every MLflow run, newest first."""
        from mlflow.tracking import MlflowClient

        client = MlflowClient(f"sqlite:///{self.root}/mlflow/mlflow.db")
        return list(client.search_runs([found.experiment_id for found in client.search_experiments()]))


def artifacts(run: Any) -> set[str]:
    """Name what was recorded with an MLflow run."""
    return {path.name for path in Path(run.info.artifact_uri.removeprefix("file://")).iterdir()}


def wait_for(happened: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    """Wait until something happened, as long as the process lives."""
    deadline = time.monotonic() + 120
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
