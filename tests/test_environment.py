"""What a run's tags say of the code, the host and the process."""

import os
import subprocess
import sys
from pathlib import Path

from experiments.environment import environment

REPOSITORY = Path(__file__).parents[1]


def test_the_environment_names_the_commit() -> None:
    tags = environment()
    assert set(tags) >= {"git.commit", "git.dirty", "host", "process", "python", "version.scikit-learn"}
    assert tags["git.dirty"] in ("true", "false", "unknown")


def test_the_commit_is_that_of_the_code(tmp_path: Path) -> None:
    code = "from experiments.environment import environment; print(environment()['git.commit'])"
    told = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"EXPERIMENTS_ROOT": str(root)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for root in (REPOSITORY, tmp_path)
    ]
    assert told[0] == told[1] != "none\n"
