"""Everything besides the config that can affect a result (code, versions, machine), as MLflow tags."""

import getpass
import os
import platform
import shlex
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

from experiments.config.invocation import Invocation
from experiments.store.libraries import NUMERIC, versions
from experiments.store.values import digest

CODE_FOLDER = Path(__file__).parents[1]  # in the code's repository, which EXPERIMENTS_ROOT does not change
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
RESULT_LIBRARIES = (*NUMERIC, "pandas", "pillow", "scipy", "threadpoolctl")  # can change a run's results


def environment() -> dict[str, str]:
    """Return the tags that describe a run's code, versions, host, process and command."""
    command = Invocation.current().command or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    return {**_process(), "command": command}


@cache
def _process() -> dict[str, str]:
    return {
        **_git(),
        "host": socket.gethostname(),
        "process": str(os.getpid()),
        "python": platform.python_version(),
        "mlflow.source.name": Path(sys.argv[0]).name,  # MLflow shows only the file name
        "mlflow.source.git.commit": _git()["git.commit"],  # shown next to it
        "mlflow.user": _user(),
        **{f"version.{name}": installed for name, installed in versions(LIBRARIES).items()},
    }


@cache
def circumstances() -> dict[str, str]:
    """Return everything besides the config that can change the bits of a result: code, versions, machine."""
    installed = versions(sorted({*LIBRARIES, *RESULT_LIBRARIES}))
    return {
        **_git(),
        "code": code(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        **{f"version.{name}": number for name, number in installed.items()},
    }


@cache
def code(folder: Path = CODE_FOLDER) -> str:
    """Return a digest of the package's modules as they are on disk, committed or not."""
    paths = sorted(folder.rglob("*.py"))
    return digest({path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8") for path in paths})


def _processor() -> str:
    """Return the model of the processor, as libraries choose their instructions by it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()  # only on Linux
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


def _user() -> str:
    """Return the user's name, or "" if unknown."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user may have no name
        return ""


@cache
def _git() -> dict[str, str]:
    def git(*words: str) -> str | None:
        try:
            done = subprocess.run(
                ["git", *words], cwd=CODE_FOLDER, capture_output=True, text=True, check=True, encoding="utf-8"
            )
        except (OSError, subprocess.CalledProcessError):
            return None
        return done.stdout.strip()

    commit = git("rev-parse", "HEAD")
    if commit is None:
        return {"git.commit": "none", "git.dirty": "unknown"}
    return {"git.commit": commit, "git.dirty": str(bool(git("status", "--porcelain"))).lower()}
