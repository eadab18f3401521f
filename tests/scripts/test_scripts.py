"""All scripts take settings after their arguments, as run.py does."""

import importlib
import subprocess
from pathlib import Path

import pytest
from tests.messages import says
from tests.project import REPOSITORY

EXAMPLES = {  # as short a command of each as there is
    "assign": ["abc", "images"],
    "cache": ["list"],
    "compare": ["abc", "cluster.k=10", "cluster.k=50"],
    "export": ["abc", "exported"],
    "labels": ["template", "abc"],
    "reproduce": ["readme"],
    "verify": ["abc"],
}
WITHOUT_A_RUN = {"cache", "reproduce"}
SCRIPTS = sorted(path.stem for path in (REPOSITORY / "scripts").glob("*.py"))


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "images").mkdir()


def call(name: str, *words: str, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr("sys.argv", [f"{name}.py", *EXAMPLES[name], *words])
    return int(importlib.import_module(f"scripts.{name}").main())


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_mistyped_setting_is_refused_with_what_was_meant(
    name: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert call(name, "trackin.uri=http://localhost:1", monkeypatch=monkeypatch) in (1, 2)
    says(capfd.readouterr().err, key="trackin.uri=http://localhost:1", use="mean tracking")


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name not in WITHOUT_A_RUN])
def test_a_run_is_looked_for_in_the_store_that_was_set(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert call(name, f"tracking.uri=sqlite:///{tmp_path}/none.db", monkeypatch=monkeypatch) in (1, 2)
    says(capfd.readouterr().err, key=f"{tmp_path}/none.db", use="set the store")


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_store_is_said_in_one_line(
    kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "no.db").write_bytes(b"this is no database, whatever its name says" * 100)
    uri = str(tmp_path) if kind == "folder" else f"sqlite:///{tmp_path}/no.db"
    capfd.readouterr()
    assert call("verify", f"tracking.uri={uri}", monkeypatch=monkeypatch) == 2
    says(capfd.readouterr().err, key=f"tracking.uri={uri}", use="sqlite:///<file>")


@pytest.mark.parametrize(
    ("name", "words", "missing"),
    [
        ("assign", [], "RUN_ID"),
        ("compare", [], "SWEEP"),
        ("export", ["abc"], "FOLDER"),
        ("export", [], "RUN_ID, FOLDER"),
        ("labels", ["apply", "abc"], "FILE"),
        ("reproduce", [], "study"),
        ("verify", [], "RUN_ID"),
    ],
)
def test_only_what_is_missing_is_asked_for(
    name: str,
    words: list[str],
    missing: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", [f"{name}.py", *words])
    with pytest.raises(SystemExit):
        importlib.import_module(f"scripts.{name}").main()
    message = capfd.readouterr().err.splitlines()[-1]
    assert message.endswith(f": {missing}")


def test_the_store_of_finished_work_is_the_one_that_was_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    assert call("cache", f"cache.root={tmp_path}", monkeypatch=monkeypatch) == 0
    assert "0 values" in capfd.readouterr().out


def test_what_scripts_write_where_no_file_is_named_leaves_a_checkout_clean() -> None:
    """Otherwise the next run would be recorded with changed code."""
    scripts = {name: importlib.import_module(f"scripts.{name}") for name in ("assign", "labels")}
    words = [["template", "abc"], ["page", "abc"]]
    files = [scripts["labels"].parser().parse_args(typed).file for typed in words]
    out = Path("assigned.csv")
    names = [str(path) for path in (*files, out, scripts["assign"].skipped_list(out))]
    done = subprocess.run(["git", "check-ignore", *names], cwd=REPOSITORY, capture_output=True, check=False)
    assert done.stdout.decode().split() == names
