"""The command line of a program in scripts/: settings among its words, and how it ends."""

import argparse
from pathlib import Path

import pytest
from tests.messages import says

from experiments import script


@pytest.mark.parametrize("name", ["run=3.csv", "k=3.TSV", "a=b.parquet", "./a=b", "=x", "--log=a=b", "~/a"])
def test_a_file_with_an_equals_sign_is_no_setting(name: str) -> None:
    settings = ["+a/b@c.d=1", "~x=2", "~reducer", "tracking.uri=sqlite:///a.db", "dataset.path=moved.csv"]
    words = ["apply", "r", name, *settings[:1], "--who", "who=me", *settings[1:]]
    assert script.separated(words, ["--log", "--who"]) == (["apply", "r", name, "--who", "who=me"], settings)


def test_a_file_that_exists_is_no_setting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("k=3").mkdir()
    assert script.separated(["k=3", "k=4", "k" * 300]) == (["k=3", "k" * 300], ["k=4"])


def typed(*words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["program.py", *words])


@pytest.mark.parametrize(
    ("error", "code"), [(ValueError("k=0 is none"), 2), (OSError("full"), 2), (KeyboardInterrupt(), 130)]
)
def test_an_error_is_one_line_and_an_exit_code(
    error: BaseException,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def work(args: argparse.Namespace) -> int:
        assert args.settings == ["k=0"]
        raise error

    typed("k=0", monkeypatch=monkeypatch)
    assert script.run(script.parser(""), work, failed=2) == code
    output = capsys.readouterr()
    assert (len(output.err.splitlines()), output.out) == (1, "")
    assert str(error) in output.err


def test_a_word_that_nobody_asked_for_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed("nonsense", monkeypatch=monkeypatch)
    assert script.run(script.parser(""), lambda args: 0) == 1
    says(capsys.readouterr().err, key="nonsense", use="key=value")


def test_an_error_of_ours_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    typed(monkeypatch=monkeypatch)
    with pytest.raises(KeyError):
        script.run(script.parser(""), lambda args: int({}["k"]))
