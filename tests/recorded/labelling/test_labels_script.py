"""scripts/labels.py on the command line: a template, an edited table, and its results."""

import csv
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from tests.messages import says
from tests.recorded.labelling.conftest import Typed

from experiments.config import compose
from experiments.dataset.labels.correction_log import read_log
from experiments.recorded.labelling.clustered import ClusteredSamples

pytestmark = pytest.mark.slow


def fill(path: Path, label: str) -> None:
    """Write a label into the first row, like a spreadsheet that uses semicolons."""
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    rows[0]["applied_label"] = label
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=";")
        writer.writeheader()
        writer.writerows(rows)


def test_a_label_is_corrected_once(typed: Typed, tmp_path: Path) -> None:
    code, out, _ = typed("template")
    assert code == 0
    says(out.partition("\n")[0], key="label_overrides_template.csv: 18 rows, first 2", use="0 are noise")
    fill(tmp_path / "label_overrides_template.csv", "Käfer")

    code, _, err = typed("template")
    assert code == 1
    says(err, key="FILE=label_overrides_template.csv", use="use another file")

    code, out, _ = typed("apply", "label_overrides_template.csv", "--who", "Ada", "threads=1")
    assert code == 0
    says(out, key="1 new label", use="Käfer (line 2)")
    says(out, key="1 label", use="0 confirmed")
    says(out, use="dataset.corrections=corrections/photos.csv")
    assert ",Ada," in (tmp_path / "corrections" / "photos.csv").read_text(encoding="utf-8")

    code, out, _ = typed("apply", "label_overrides_template.csv")
    assert code == 0
    says(out, key="nothing to change", use="label_overrides_template.csv")


def test_the_printed_command_repeats_the_typed_options(typed: Typed, tmp_path: Path) -> None:
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
    line = next(line for line in out.splitlines() if "dataset.corrections=" in line)
    (override,) = compose.parse(shlex.split(line[line.rindex(": ") + 2 :]))
    assert (override.key_or_group, override.value()) == ("dataset.corrections", "my labels/log, 1.csv")
    assert read_log(tmp_path / "my labels" / "log, 1.csv")[0].who == "a=b"


def test_unlabelled_images_are_counted(
    typed: Typed, photos: Path, of_photos: Callable[..., ClusteredSamples]
) -> None:
    flat = of_photos("evaluator=[internal]", root=photos / "day")
    _, out, _ = typed("template", "flat.csv", run=flat)
    says(out, key="first 0", use="then 9 without a label; 0 are noise")
    says(typed("page", run=flat)[1], key="0 with", use="9 without a label")
    fill(Path("flat.csv"), "bright")
    code, out, _ = typed("apply", "flat.csv", run=flat)
    assert code == 0
    says(out, key="8 images", use="dataset.unlabelled=drop")
    says(out, key="labelled images: 0 before", use="1 after")
    typed("template", "all.csv")
    fill(Path("all.csv"), "dawn")
    assert "dataset.unlabelled" not in typed("apply", "all.csv")[1]


def test_stale_labels_and_emptied_rows_are_reported(typed: Typed, tmp_path: Path) -> None:
    typed("template", "a.csv")
    fill(tmp_path / "a.csv", "dawn")
    typed("apply", "a.csv", "--who", "Ada")
    image = read_log(tmp_path / "corrections" / "photos.csv")[0].id
    (tmp_path / "b.csv").write_text(f"image_id,applied_label\n{image},dusk\n", encoding="utf-8")
    typed("apply", "b.csv", "--who", "Bob")
    code, out, _ = typed("apply", "a.csv")
    assert code == 0
    says(out, key="1 label", use="--accept-old")
    says(out, key=f"line 2: {image}", use="'dusk' by Bob of ")
    (tmp_path / "b.csv").write_text(f"image_id,applied_label\n{image},\n", encoding="utf-8")
    code, out, _ = typed("apply", "b.csv")
    says(out, key="1 empty row", use="write the old label, '")
    says(typed("apply", "a.csv", "--accept-old")[1], key="1 label", use="0 confirmed")


def test_another_log_can_be_used(typed: Typed, tmp_path: Path) -> None:
    typed("template", "mine.csv")
    fill(tmp_path / "mine.csv", "dawn")
    code, out, _ = typed("apply", "mine.csv", "--log", "../elsewhere.csv")
    assert code == 0
    assert f"dataset.corrections={tmp_path.parent / 'elsewhere.csv'}" in out
    code, out, _ = typed("template", "again.csv", "--log", "../elsewhere.csv")
    says(out, key="again.csv", use="first 1 ")
    says(out, key="1 row", use="../elsewhere.csv")


def test_a_label_that_looks_mistyped_must_be_accepted(typed: Typed, tmp_path: Path) -> None:
    typed("template", "mine.csv")
    fill(tmp_path / "mine.csv", "nights")
    code, _, err = typed("apply", "mine.csv")
    assert code == 1
    first, second = err.splitlines()
    says(first, key="FILE=mine.csv has 1 problem", use="--accept-new")
    says(second, key="line 2: label 'nights'", use="'night'?")
    assert not (tmp_path / "corrections").exists()
    assert typed("apply", "mine.csv", "--accept-new")[0] == 0


def test_errors_are_one_line(typed: Typed, first: ClusteredSamples) -> None:
    missing = SimpleNamespace(run=SimpleNamespace(id="norun", uri=first.run.uri))
    code, _, err = typed("apply", "none.csv", run=missing)
    assert code == 1
    says(err, key="RUN_ID=norun", use="tracking.uri=")
    code, _, err = typed("apply", "none.csv")
    assert code == 1
    says(err, key="FILE=none.csv", use="cannot be read")
    assert len(err.splitlines()) == 1
