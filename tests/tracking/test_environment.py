"""What a run's tags say of the code, the host and the process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.tracking.environment import circumstances, code, environment

REPOSITORY = Path(__file__).parents[2]


def test_the_environment_names_the_commit() -> None:
    tags = environment()
    assert set(tags) >= {"git.commit", "git.dirty", "host", "process", "python", "version.scikit-learn"}
    assert tags["git.dirty"] in ("true", "false", "unknown")
    assert tags["mlflow.source.git.commit"] == tags["git.commit"]


def test_a_user_without_a_name_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found: 1234")

    for found, told in ((lambda: "ada", "ada"), (nobody, "")):
        monkeypatch.setattr("getpass.getuser", found)
        assert environment.__wrapped__()["mlflow.user"] == told


def test_the_commit_is_that_of_the_code(tmp_path: Path) -> None:
    code = "from experiments.tracking.environment import environment; print(environment()['git.commit'])"
    env = os.environ | {"EXPERIMENTS_ROOT": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, encoding="utf-8", check=True
    )
    head = ["git", "rev-parse", "HEAD"]
    there = subprocess.run(head, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == there.stdout != ""


def test_what_may_change_a_results_bits_is_told() -> None:
    found = circumstances()
    assert set(found) >= {"git.commit", "code", "python", "system", "processor", "version.pillow"}
    assert found["code"] == code()


def test_the_code_is_named_by_what_stands_in_it(tmp_path: Path) -> None:
    def named(text: str, name: str) -> str:
        for path in tmp_path.glob("*.py"):
            path.unlink()
        (tmp_path / name).write_text(text, encoding="utf-8")
        return code.__wrapped__(tmp_path)

    known = named("x = 1\n", "one.py")
    assert named("x = 1\n", "one.py") == known
    assert len({known, named("x = 2\n", "one.py"), named("x = 1\n", "two.py")}) == 3
