"""What a result may depend on beside its config: code, versions, host, process. As tags of a run."""

import getpass
import os
import platform
import shlex
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

from experiments.store.libraries import NUMERIC, versions
from experiments.store.values import digest

COMMAND = "EXPERIMENTS_COMMAND"  # what was typed, where run.py gives Hydra other words
CODE = Path(__file__).parents[1]  # in the repository of the code, wherever EXPERIMENTS_ROOT may point
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
NUMBERS = (*NUMERIC, "pandas", "pillow", "scipy", "threadpoolctl")  # whose results enter a run's


@cache
def environment() -> dict[str, str]:
    """Return what a result may depend on beside its config, as tags."""
    return {
        **_git(),
        "host": socket.gethostname(),
        "process": str(os.getpid()),
        "python": platform.python_version(),
        "mlflow.source.name": Path(sys.argv[0]).name,  # MLflow shows what follows the last slash
        "mlflow.source.git.commit": _git()["git.commit"],  # and this beside it
        "mlflow.user": _user(),
        "command": os.environ.get(COMMAND) or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        **{f"version.{name}": found for name, found in versions(LIBRARIES).items()},
    }


@cache
def circumstances() -> dict[str, str]:
    """Return what may change the bits of a result beside its config: the code, the versions, the machine."""
    return {
        **_git(),
        "code": code(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        **{f"version.{name}": found for name, found in versions(sorted({*LIBRARIES, *NUMBERS})).items()},
    }


@cache
def code(folder: Path = CODE) -> str:
    """Name the package by what its modules say, committed or not."""
    paths = sorted(folder.rglob("*.py"))
    return digest({path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths})


def _processor() -> str:
    """Name the processor: libraries choose their arithmetic by it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()  # Linux alone
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _user() -> str:
    """Name who runs it, if the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return ""


@cache
def _git() -> dict[str, str]:
    def ask(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *words], cwd=CODE, capture_output=True, text=True, check=True, encoding="utf-8"
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit = ask("rev-parse", "HEAD")
    if commit is None:
        return {"git.commit": "none", "git.dirty": "unknown"}
    return {"git.commit": commit, "git.dirty": str(bool(ask("status", "--porcelain"))).lower()}
