"""scripts/labels.py as a person types it: a table, an edit, and what it changed."""

import csv
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.project import REPOSITORY

from experiments.labelling.clustered import Clustered

Typed = Callable[..., tuple[int, str, str]]


@pytest.fixture
def typed(
    of_photos: Callable[..., Clustered],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Typed:
    """Run the script on a first run, in this process, as its imports take seconds."""
    run = of_photos().run
    monkeypatch.chdir(tmp_path)

    def make(command: str, *words: str, run_id: str = run.id) -> tuple[int, str, str]:
        capsys.readouterr()
        whole = ["labels.py", command, run_id, *words, f"tracking.uri={run.uri}"]
        monkeypatch.setattr("sys.argv", whole)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(REPOSITORY / "scripts" / "labels.py"), run_name="__main__")
        told = capsys.readouterr()
        return int(str(ended.value.code)), told.out, told.err

    return make


def fill(path: Path, label: str) -> None:
    """Write a label into the first row, as a spreadsheet with semicolons does."""
    with path.open() as file:
        rows = list(csv.DictReader(file))
    rows[0]["applied_label"] = label
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def test_a_label_is_corrected_once(typed: Typed, tmp_path: Path) -> None:
    code, out, _ = typed("template")
    assert (code, out.partition("\n")[0]) == (
        0, "label_overrides_template.csv: 18 rows, first 2 whose label is not their cluster's; 0 are noise",
    )  # fmt: skip
    fill(tmp_path / "label_overrides_template.csv", "Käfer")

    code, _, err = typed("template")
    assert code == 1
    assert "is there already and may hold your work" in err

    code, out, _ = typed("apply", "label_overrides_template.csv", "--who", "Ada", "threads=1")
    assert code == 0
    for line in (
        "1 new labels: Käfer (line 2)",
        "1 labels changed",
        "add: dataset.corrections=corrections/photos.csv",
    ):
        assert line in out
    assert ",Ada," in (tmp_path / "corrections" / "photos.csv").read_text()

    code, out, _ = typed("apply", "label_overrides_template.csv")
    assert code == 0
    assert "nothing changes: what label_overrides_template.csv says of 1 images holds already" in out


def test_another_log_may_be_named(typed: Typed, tmp_path: Path) -> None:
    typed("template", "mine.csv")
    fill(tmp_path / "mine.csv", "dawn")
    code, out, _ = typed("apply", "mine.csv", "--log", "../elsewhere.csv")
    assert code == 0
    assert f"dataset.corrections={tmp_path.parent / 'elsewhere.csv'}" in out
    code, out, _ = typed("template", "again.csv", "--log", "../elsewhere.csv")
    assert "first 1 whose label" in out
    assert "1 have their applied_label from ../elsewhere.csv" in out


def test_a_label_that_looks_mistyped_has_to_be_meant(typed: Typed, tmp_path: Path) -> None:
    typed("template", "mine.csv")
    fill(tmp_path / "mine.csv", "nights")
    code, _, err = typed("apply", "mine.csv")
    assert code == 1
    first, second = err.splitlines()
    assert first.startswith(
        "FILE=mine.csv has 1 problems, and nothing is changed; correct them; --accept-new"
    )
    assert second == "  line 2: label 'nights' is new; did you mean 'night'?"
    assert not (tmp_path / "corrections").exists()
    assert typed("apply", "mine.csv", "--accept-new")[0] == 0


def test_what_cannot_be_is_one_line(typed: Typed) -> None:
    code, _, err = typed("apply", "none.csv", run_id="norun")
    assert (code, err.partition(" of ")[0]) == (1, "RUN_ID=norun is no run")
    code, _, err = typed("apply", "none.csv")
    assert code == 1
    assert err.startswith("FILE=none.csv cannot be read")
    assert len(err.splitlines()) == 1
