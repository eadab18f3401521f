"""Reading an edited table: accepted forms, and all mistakes by line."""

from pathlib import Path

import pandas as pd
import pytest
from tests.messages import says

from experiments.recorded.labelling.checking import Edits, edits

IDS = ["0007", "0012", "a.png", "b.png", "10", "010"]


def read(path: Path, text: str, known: str = "cat dog", **options: bool) -> Edits:
    path = path / "edited.csv"
    path.write_text(text, encoding="utf-8")
    return edits(path, IDS, known.split(), accept_new=options.get("accept_new", False))


def test_only_rows_with_an_applied_label_count(tmp_path: Path) -> None:
    edited = read(tmp_path, "image_id,applied_label\na.png,dog\nb.png,\n\n,\n")
    lines = {"a.png": "line 2", "b.png": "line 3"}
    assert edited == Edits({"a.png": "dog"}, missing=4, new={}, lines=lines)


def test_other_columns_may_be_missing_and_id_columns_have_several_names(tmp_path: Path) -> None:
    assert read(tmp_path, "applied_label;id;mine\ncat;a.png;1\n").labels == {"a.png": "cat"}


def test_a_dash_removes_a_label(tmp_path: Path) -> None:
    edited = read(tmp_path, "image_id,applied_label\na.png,-\nb.png,'-\n10,0\n")
    assert edited.labels == {"a.png": "", "b.png": "", "10": "0"}
    assert set(edited.new) == {"0"}


@pytest.mark.parametrize("coding", ["utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_files_saved_by_spreadsheets_are_read(tmp_path: Path, coding: str, separator: str) -> None:
    path = tmp_path / "edited.csv"
    lines = ["image_id,cluster,applied_label", "a.png,0,Bär", "b.png,1,"]
    path.write_text("\r\n".join(lines).replace(",", separator), encoding=coding)
    assert edits(path, IDS, ["cat"], accept_new=False).labels == {"a.png": "Bär"}


def test_leading_zeros_dropped_by_a_spreadsheet_are_restored(tmp_path: Path) -> None:
    assert read(tmp_path, "image_id,applied_label\n7,cat\n12,dog\n").labels == {"0007": "cat", "0012": "dog"}
    assert read(tmp_path, "image_id,applied_label\n10,cat\n010,dog\n").labels == {"10": "cat", "010": "dog"}


def test_an_id_is_found_without_surrounding_spaces(tmp_path: Path) -> None:
    path = tmp_path / "edited.csv"
    path.write_text("image_id,applied_label\n a b.png,cat\nc.png,dog\n", encoding="utf-8")
    ids = [" a b.png", "c.png ", "d.png"]
    assert edits(path, ids, ["cat", "dog"], accept_new=False).labels == {" a b.png": "cat", "c.png ": "dog"}
    with pytest.raises(ValueError) as error:
        edits(path, [" a b.png", "c.png ", " c.png"], ["cat", "dog"], accept_new=False)
    says(error, key="line 3: image_id 'c.png'", use="not an image of the run")


def check_problems(error: pytest.ExceptionInfo, path: Path, *expected: tuple[str, str]) -> None:
    """Check that a message counts problems, and has a line with key and suggestion for each, in order."""
    first, *lines = str(error.value).splitlines()
    says(first, key=f"FILE={path}", use=f" {len(expected)} problem")
    for line, (key, use) in zip(lines, expected, strict=True):
        says(line, key=key, use=use)


def test_parquet_files_have_rows_instead_of_lines(tmp_path: Path) -> None:
    path = tmp_path / "edited.parquet"
    pd.DataFrame({"image_id": ["a.png", "x.png", "a.png"], "applied_label": ["cat", "", ""]}).to_parquet(path)
    with pytest.raises(ValueError) as error:
        edits(path, IDS, ["cat"], accept_new=False)
    check_problems(error, path, ("row 2: image_id 'x.png'", "'b.png'?"), ("row 3: image_id 'a.png'", "row 1"))


def test_all_mistakes_are_listed_by_line(tmp_path: Path) -> None:
    text = "image_id,applied_label\na.png,dgo\n,cat\nc.png,cat\na.png,cat\n7,cat\n0007,\nb.png,Cat\n"
    with pytest.raises(ValueError) as error:
        read(tmp_path, text + "\n12,horse\n", known="dog cat dragon dgoo")
    check_problems(
        error,
        tmp_path / "edited.csv",
        ("line 2: label 'dgo'", "'dgoo'?"),
        ("line 3", "image_id"),
        ("line 4: image_id 'c.png'", "'b.png'?"),
        ("line 5: image_id 'a.png'", "line 2"),
        ("line 6: image_id '7'", "'0007'?"),
        ("line 8: label 'Cat'", "'cat'?"),
    )


def test_many_problems_are_counted(tmp_path: Path) -> None:
    text = "image_id,applied_label\n" + "".join(f"x{row},cat\n" for row in range(50))
    with pytest.raises(ValueError, match="50 problems") as caught:
        read(tmp_path, text)
    assert len(str(caught.value).splitlines()) == 22
    assert str(caught.value).endswith("30 more")


@pytest.mark.parametrize(
    ("label", "meant"),
    [
        ("elephnat", "elephant"), ("Elephant", "elephant"), ("ele phant", "elephant"), ("7", "007"),
        ("sea_horse", "sea horse"),
    ],
)  # fmt: skip
def test_a_label_similar_to_a_known_one_must_be_accepted(tmp_path: Path, label: str, meant: str) -> None:
    path, text = tmp_path / "edited.csv", f"image_id,applied_label\na.png,{label}\n"
    path.write_text(text, encoding="utf-8")
    known = ["elephant", "007", "sea horse"]
    with pytest.raises(ValueError) as error:
        edits(path, IDS, known, accept_new=False)
    check_problems(error, path, (f"line 2: label '{label}'", f"'{meant}'?"))
    says(error, key=f"FILE={path}", use="--accept-new")
    lines = {"a.png": "line 2"}
    assert edits(path, IDS, known, accept_new=True) == Edits({"a.png": label}, 5, {label: "line 2"}, lines)


@pytest.mark.parametrize(("label", "known"), [("class_2", "class_1"), ("zebra", "cat"), ("12", "1")])
def test_another_label_is_new(tmp_path: Path, label: str, known: str) -> None:
    assert read(tmp_path, f"image_id,applied_label\na.png,{label}\n", known).new == {label: "line 2"}


def test_without_known_labels_the_rarer_of_two_similar_ones_is_doubted(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        read(tmp_path, "image_id,applied_label\na.png,zebr\nb.png,zebra\n10,zebra\n", "")
    check_problems(error, tmp_path / "edited.csv", ("line 2: label 'zebr'", "'zebra'?"))


@pytest.mark.parametrize(
    ("text", "use"),
    [
        ("", "empty"),
        ("image_id,applied_label\n", "no rows"),
        ("image_id,label\na.png,cat\n", "columns image_id, label, but needs image_id and applied_label"),
        ("name,applied_label\na.png,cat\n", "scripts/labels.py template RUN_ID"),
        ("image_id,applied_label\na.png,cat,dog\n", "in line 2"),
    ],
)
def test_another_table_has_the_needed_columns_suggested(tmp_path: Path, text: str, use: str) -> None:
    with pytest.raises(ValueError) as error:
        read(tmp_path, text)
    says(error, key=f"FILE={tmp_path}/edited.csv", use=use)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        edits(tmp_path / "none.csv", IDS, [], accept_new=False)
    says(error, key=f"FILE={tmp_path}/none.csv", use="cannot be read")
