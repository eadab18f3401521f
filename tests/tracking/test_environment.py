"""Tags of a run about the code, the host and the process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from experiments.tracking.environment import _process, circumstances, code, environment

REPOSITORY = Path(__file__).parents[2]


def test_the_environment_names_the_commit() -> None:
    tags = environment()
    assert set(tags) >= {"git.commit", "git.dirty", "host", "process", "python", "version.scikit-learn"}
    assert tags["git.dirty"] in ("true", "false", "unknown")
    assert tags["mlflow.source.git.commit"] == tags["git.commit"]


def test_each_run_of_a_process_has_its_own_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for words in (["run.py", "cluster.k=3"], ["run.py", "cluster.k=5"]):
        monkeypatch.setattr(sys, "argv", words)
        assert environment()["command"] == " ".join(words)


def test_an_unknown_user_is_an_empty_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found: 1234")

    for getuser, name in ((lambda: "ada", "ada"), (nobody, "")):
        monkeypatch.setattr("getpass.getuser", getuser)
        assert _process.__wrapped__()["mlflow.user"] == name


def test_the_commit_is_that_of_the_code(tmp_path: Path) -> None:
    code = "from experiments.tracking.environment import environment; print(environment()['git.commit'])"
    env = os.environ | {"EXPERIMENTS_ROOT": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, encoding="utf-8", check=True
    )
    head = ["git", "rev-parse", "HEAD"]
    expected = subprocess.run(head, cwd=REPOSITORY, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == expected.stdout != ""


def test_circumstances_name_code_versions_and_machine() -> None:
    tags = circumstances()
    assert set(tags) >= {"git.commit", "code", "python", "system", "processor", "version.pillow"}
    assert tags["code"] == code()


def test_the_digest_of_the_code_depends_on_names_and_texts(tmp_path: Path) -> None:
    def digest_with(text: str, name: str) -> str:
        for path in tmp_path.glob("*.py"):
            path.unlink()
        (tmp_path / name).write_text(text, encoding="utf-8")
        return code.__wrapped__(tmp_path)

    known = digest_with("x = 1\n", "one.py")
    assert digest_with("x = 1\n", "one.py") == known
    assert len({known, digest_with("x = 2\n", "one.py"), digest_with("x = 1\n", "two.py")}) == 3
