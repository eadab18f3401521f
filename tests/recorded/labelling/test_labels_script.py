"""scripts/labels.py as a person types it: a table, an edit, and what it changed."""

import csv
import runpy
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.project import REPOSITORY

from experiments.config import compose
from experiments.dataset.labels.corrections import read
from experiments.recorded.labelling.clustered import Clustered

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
    with path.open(encoding="utf-8") as file:
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
        "1 new label: Käfer (line 2)",
        "1 label changed, 0 confirmed",
        "add: dataset.corrections=corrections/photos.csv",
    ):
        assert line in out
    assert ",Ada," in (tmp_path / "corrections" / "photos.csv").read_text(encoding="utf-8")

    code, out, _ = typed("apply", "label_overrides_template.csv")
    assert code == 0
    assert "nothing changes: what label_overrides_template.csv says of 1 image holds already" in out


def test_the_line_to_type_next_has_what_was_typed(typed: Typed, tmp_path: Path) -> None:
    (tmp_path / "my labels").mkdir()
    code, out, _ = typed("template", "my labels/a=b.csv", "--log", "my labels/log, 1.csv")
    assert code == 0
    words = shlex.split(out.splitlines()[-1])
    assert words[:3] == [sys.executable, "scripts/labels.py", "apply"]
    assert words[4:7] == ["my labels/a=b.csv", "--log", "my labels/log, 1.csv"]
    assert words[7].startswith("tracking.uri=sqlite:///")
    fill(tmp_path / "my labels" / "a=b.csv", "dawn")
    code, out, _ = typed("apply", *words[4:7], "--who", "a=b")
    assert code == 0
    line = next(line for line in out.splitlines() if line.startswith("to use the corrected labels"))
    (override,) = compose.parse(shlex.split(line.partition("add: ")[2]))
    assert (override.key_or_group, override.value()) == ("dataset.corrections", "my labels/log, 1.csv")
    assert read(tmp_path / "my labels" / "log, 1.csv")[0].who == "a=b"


@pytest.mark.parametrize("name", ["run=3.csv", "k=3.TSV", "a=b.parquet", "./a=b", "=x", "--log=a=b"])
def test_a_file_with_an_equals_sign_is_no_setting(name: str) -> None:
    separated = runpy.run_path(str(REPOSITORY / "scripts" / "labels.py"))["separated"]
    words = ["apply", "r", name, "+a/b@c.d=1", "--who", "who=me", "~x=2", "tracking.uri=sqlite:///a.db"]
    assert separated(words) == (
        ["apply", "r", name, "--who", "who=me"], ["+a/b@c.d=1", "~x=2", "tracking.uri=sqlite:///a.db"]
    )  # fmt: skip


def test_how_many_have_no_label_is_said(
    typed: Typed, photos: Path, of_photos: Callable[..., Clustered]
) -> None:
    flat = of_photos("evaluator=[internal]", root=photos / "day").run.id
    _, out, _ = typed("template", "flat.csv", run_id=flat)
    assert "first 0 whose label is not their cluster's, then 9 without a label; 0 are noise" in out
    assert "0 of them doubtful, 9 without a label" in typed("page", run_id=flat)[1]
    fill(Path("flat.csv"), "bright")
    code, out, _ = typed("apply", "flat.csv", run_id=flat)
    assert code == 0
    assert "8 images have no label still; dataset.unlabelled=drop leaves" in out
    assert "before is of 0 images, after of 1: of those that have a label" in out
    typed("template", "all.csv")
    fill(Path("all.csv"), "dawn")
    assert "no label still" not in typed("apply", "all.csv")[1]


def test_an_old_table_and_an_emptied_row_are_told_of(typed: Typed, tmp_path: Path) -> None:
    typed("template", "a.csv")
    fill(tmp_path / "a.csv", "dawn")
    typed("apply", "a.csv", "--who", "Ada")
    image = read(tmp_path / "corrections" / "photos.csv")[0].id
    (tmp_path / "b.csv").write_text(f"image_id,applied_label\n{image},dusk\n", encoding="utf-8")
    typed("apply", "b.csv", "--who", "Bob")
    code, out, _ = typed("apply", "a.csv")
    assert code == 0
    assert "1 label is older than one in" in out
    assert f"  line 2: {image} stays 'dusk' by Bob of " in out
    (tmp_path / "b.csv").write_text(f"image_id,applied_label\n{image},\n", encoding="utf-8")
    code, out, _ = typed("apply", "b.csv")
    assert "1 row left empty, of which" in out
    assert "to go back, write the old label, '" in out
    assert "1 label changed" in typed("apply", "a.csv", "--accept-old")[1]


def test_another_log_may_be_named(typed: Typed, tmp_path: Path) -> None:
    typed("template", "mine.csv")
    fill(tmp_path / "mine.csv", "dawn")
    code, out, _ = typed("apply", "mine.csv", "--log", "../elsewhere.csv")
    assert code == 0
    assert f"dataset.corrections={tmp_path.parent / 'elsewhere.csv'}" in out
    code, out, _ = typed("template", "again.csv", "--log", "../elsewhere.csv")
    assert "first 1 whose label" in out
    assert "1 row has its applied_label from ../elsewhere.csv" in out


def test_a_label_that_looks_mistyped_has_to_be_meant(typed: Typed, tmp_path: Path) -> None:
    typed("template", "mine.csv")
    fill(tmp_path / "mine.csv", "nights")
    code, _, err = typed("apply", "mine.csv")
    assert code == 1
    first, second = err.splitlines()
    assert first.startswith("FILE=mine.csv has 1 problem, and nothing is changed; correct it; --accept-new")
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
