"""Tables as CSV and as Markdown."""

from pathlib import Path

import numpy as np
import pandas as pd

from experiments import tables

ROWS = pd.DataFrame({"class": ["a|b", "c\nd"], "n": [25557, 3], "share": [1 / 3, np.nan]})


def test_markdown_has_a_line_a_row_and_five_figures() -> None:
    assert tables.markdown(ROWS).splitlines() == [
        "| class | n | share |",
        "| --- | --- | --- |",
        r"| a\|b | 25557 | 0.33333 |",
        "| c d | 3 |  |",
    ]


def test_a_table_is_written_twice(tmp_path: Path) -> None:
    tables.write(ROWS, tmp_path, "probe_0.1")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["probe_0.1.csv", "probe_0.1.md"]
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "probe_0.1.csv"), ROWS)
    assert (tmp_path / "probe_0.1.md").read_text() == tables.markdown(ROWS)


def test_no_rows_are_a_header() -> None:
    assert tables.markdown(ROWS[:0]).count("\n") == 2
