"""The table to edit: its order, its suggestions, and that it overwrites no file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.messages import says

from experiments.dataset.labels.correction_log import Correction
from experiments.recorded.labelling.clustered import ClusteredSamples
from experiments.recorded.labelling.template import (
    COLUMNS,
    apply_command,
    doubtful,
    majorities,
    template,
    unlabelled,
    write,
)

ROWS = {
    "id": ["a/1.png", "a/2.png", "b/3.png", "b/4.png", "b/5.png", "c/6.png"],
    "hash": ["h1", "h2", "h3", "h4", "h5", "h6"],
    "cluster": [1, 1, 1, 0, 0, -1],
    "label": ["x", "x", "y", "y", "y", "x"],
}


def clustered(**columns: list[object]) -> ClusteredSamples:
    return ClusteredSamples(None, pd.DataFrame(ROWS | columns))  # type: ignore[arg-type]


def correction(image: str, after: str) -> Correction:
    return Correction("", "", "", image, f"h{image[2]}", "", after)


def test_rows_that_disagree_with_their_cluster_come_first_and_noise_last() -> None:
    rows = template(clustered(), [])
    assert tuple(rows) == COLUMNS
    assert list(rows["image_id"]) == ["b/3.png", "b/4.png", "b/5.png", "a/1.png", "a/2.png", "c/6.png"]
    assert list(rows["file"])[:2] == ["3.png", "4.png"]
    assert list(rows["suggestion"]) == ["x", "y", "y", "x", "x", ""]
    assert set(rows["applied_label"]) == {""}


@pytest.mark.parametrize(("column", "values"), [("probability", [0.9, 0.2]), ("distance", [0.1, 3.0])])
def test_recorded_uncertain_rows_come_first(column: str, values: list[float]) -> None:
    rows = template(clustered(**{column: [1, 1, 1, *values, 0]}), [])
    assert list(rows["image_id"])[:3] == ["b/3.png", "b/5.png", "b/4.png"]


def test_corrected_labels_are_filled_in_and_not_doubtful() -> None:
    rows = template(clustered(), [correction("b/3.png", "z"), correction("a/1.png", "y")])
    assert dict(zip(rows["image_id"], rows["applied_label"], strict=True))["b/3.png"] == "z"
    assert list(rows["image_id"])[:2] == ["b/4.png", "b/5.png"]


def test_the_name_of_a_cluster_is_suggested_where_no_label_is() -> None:
    names = ["fox"] * 3 + ["unnamed"] * 2 + [""]
    rows = template(clustered(label=[""] * 6, name=names), [])
    assert dict(zip(rows["image_id"], rows["suggestion"], strict=True)) == {
        **dict.fromkeys(ROWS["id"][:3], "fox"), **dict.fromkeys(ROWS["id"][3:], ""),
    }  # fmt: skip
    assert template(clustered(name=names), [])["suggestion"].tolist() == ["x", "y", "y", "x", "x", ""]


def test_rows_without_a_label_come_second_unless_corrected() -> None:
    some = clustered(label=["x", "x", "y", "", "", ""])
    rows = template(some, [correction("b/5.png", "")])
    assert list(rows["image_id"]) == ["b/3.png", "b/4.png", "c/6.png", "b/5.png", "a/1.png", "a/2.png"]
    assert rows["applied_label"].to_list() == ["", "", "", "-", "", ""]
    assert list(unlabelled(rows)) == [False, True, True, False, False, False]


def test_removed_labels_do_not_count_for_the_majority() -> None:
    rows = template(clustered(), [correction("a/1.png", ""), correction("a/2.png", "")])
    first = rows.set_index("image_id")
    assert first.loc["b/3.png", "suggestion"] == "y"
    assert first.loc["a/1.png", ["current_label", "applied_label"]].to_list() == ["x", "-"]
    assert not doubtful(rows).any()


def test_the_command_starts_with_the_current_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / ".venv" / "bin" / "python"))
    monkeypatch.chdir(tmp_path)
    assert apply_command("r", "a b.csv") == ".venv/bin/python scripts/labels.py apply r 'a b.csv'"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert apply_command("r", "a.csv") == f"{tmp_path}/.venv/bin/python scripts/labels.py apply r a.csv"


def test_without_labels_suggestions_come_from_corrections() -> None:
    none = clustered(label=[""] * 6)
    assert set(template(none, [])["suggestion"]) == {""}
    rows = template(none, [correction("b/4.png", "z")]).set_index("image_id")
    assert rows["suggestion"].to_dict() == dict.fromkeys(ROWS["id"], "") | {"b/4.png": "z", "b/5.png": "z"}


def test_of_two_majorities_the_first_in_order_is_used() -> None:
    labels = np.array(["b", "a", "", ""], object)
    assert list(majorities(labels, np.array([0, 0, 0, 1]))) == ["a", "a", "a", ""]


def test_a_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("hours of work", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        write(template(clustered(), []), path)
    says(error, key=f"FILE={path}", use="use another file")
    assert path.read_text(encoding="utf-8") == "hours of work"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError) as error:
        write(template(clustered(), []), tmp_path / "none" / "mine.csv")
    says(error, key=f"FILE={tmp_path}/none/mine.csv", use="use another file")


@pytest.mark.parametrize("label", ["=cmd|' /C calc'!A0", "+1+cmd", "@sum", "-x"])
def test_formulas_in_labels_and_names_are_escaped(tmp_path: Path, label: str) -> None:
    write(template(clustered(label=[label] * 6, id=[f"={n}" for n in range(6)]), []), tmp_path / "t.csv")
    rows = pd.read_csv(tmp_path / "t.csv", dtype=str)
    assert (rows["current_label"] == f"'{label}").all()
    assert (rows["suggestion"].dropna() == f"'{label}").all()
    assert rows["image_id"].str.startswith("'=").all()


@pytest.mark.parametrize(("label", "mark"), [("Bär", b"\xef\xbb\xbf"), ("Baer", b"ima")])
def test_non_ascii_tables_start_with_a_byte_order_mark(tmp_path: Path, label: str, mark: bytes) -> None:
    write(template(clustered(label=[label] * 6), []), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_bytes()[:3] == mark


def test_a_template_has_the_rows_of_a_run(of_photos: Callable[..., ClusteredSamples]) -> None:
    rows = template(of_photos(), [])
    assert set(rows["image_id"][:2]) == {"day/17.png", "night/16.png"}
    assert (rows["suggestion"] != rows["current_label"]).sum() == 2
