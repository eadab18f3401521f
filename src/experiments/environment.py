"""What a result may depend on beside its config: code, versions, host, process. As tags of a run."""

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import psutil

from experiments.cache import versions

CODE = Path(__file__).parent  # in the repository of the code, wherever EXPERIMENTS_ROOT may point
LIBRARIES = (
    "experiments",
    "faiss-cpu",
    "faiss-gpu",
    "mlflow",
    "numpy",
    "pytorch-lightning",
    "scikit-learn",
    "torch",
    "torchvision",
)


@cache
def environment() -> dict[str, str]:
    """Return what a result may depend on beside its config, as tags."""
    return {
        **_git(),
        "host": socket.gethostname(),
        "process": _process(os.getpid()),
        "python": platform.python_version(),
        "mlflow.source.name": Path(sys.argv[0]).name,  # MLflow shows what follows the last slash
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        **{f"version.{name}": found for name, found in versions(LIBRARIES).items()},
    }


def _git() -> dict[str, str]:
    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(["git", *words], cwd=CODE, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit = ask("rev-parse", "HEAD")
    if commit is None:
        return {"git.commit": "none", "git.dirty": "unknown"}
    return {"git.commit": commit, "git.dirty": str(bool(ask("status", "--porcelain"))).lower()}


def _process(pid: int) -> str:
    """Name a process so that a later one with the same number is another."""
    return f"{pid}@{psutil.Process(pid).create_time():.0f}"


def is_alive(tags: Mapping[str, str]) -> bool:
    """Tell whether the process that a run's tags name still runs on this host."""
    named = tags.get("process", "")
    try:
        return _process(int(named.partition("@")[0])) == named
    except (ValueError, psutil.NoSuchProcess):
        return False
