"""Tables as CSV and Markdown."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from experiments.dataset.tables.tabular import text_table
from experiments.report import tables

ROWS = pd.DataFrame({"class": ["a|b", "c\nd"], "n": [25557, 3], "share": [1 / 3, np.nan]})


def test_markdown_has_a_line_per_row_and_five_digits() -> None:
    assert tables.markdown(ROWS).splitlines() == [
        "| class | n | share |",
        "| --- | --- | --- |",
        r"| a\|b | 25557 | 0.33333 |",
        "| c d | 3 |  |",
    ]


def test_a_table_is_written_as_csv_and_markdown(tmp_path: Path) -> None:
    tables.write(ROWS, tmp_path, "probe_0.1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["probe_0.1.csv", "probe_0.1.md"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "probe_0.1.csv"), ROWS)
    assert (tmp_path / "probe_0.1.md").read_text(encoding="utf-8") == tables.markdown(ROWS)


def test_an_empty_table_is_a_header() -> None:
    assert tables.markdown(ROWS[:0]).count("\n") == 2


def test_texts_that_a_spreadsheet_would_run_are_escaped(tmp_path: Path) -> None:
    formula = "=cmd|' /C calc'!A0"
    texts = [formula, "+a", "-a", "@a", "\ta", "\ra", "a\r=b", "-1.5", "+3", "a=b", "'=a"]
    rows = pd.DataFrame({"=name": texts, "value": np.arange(11) - 5.5})
    tables.to_csv(rows, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        header, *cells = csv.reader(file)
    assert header == ["'=name", "value"]
    assert [cell[0] for cell in cells] == [
        f"'{formula}", "'+a", "'-a", "'@a", "'\ta", "'\na", "a\n=b", "-1.5", "+3", "a=b", "''=a",
    ]  # fmt: skip
    assert [float(cell[1]) for cell in cells] == list(rows["value"])
    assert list(rows["=name"]) == texts
    back = text_table(tmp_path / "t.csv", "FILE")
    assert list(back["=name"]) == [text.replace("\r", "\n") for text in texts]


def test_an_existing_file_is_not_replaced_by_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        tables.to_csv(ROWS, tmp_path / "t.csv", new=True)
    assert (tmp_path / "t.csv").read_text(encoding="utf-8") == "mine"
