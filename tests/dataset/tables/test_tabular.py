"""Tables as people have them: encodings, separators, and what is broken, with its line."""

import logging
from pathlib import Path

import pandas as pd
import pytest

from experiments.dataset.tables.cells import guarded, plain
from experiments.dataset.tables.form import form_of
from experiments.dataset.tables.tabular import text_table

KEY = "dataset.path"


@pytest.fixture
def write(tmp_path):
    def make(content: str | bytes, name: str = "rows.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return make


def read(path: Path) -> dict[str, list[str | None]]:
    table = text_table(path, KEY)
    assert {str(kind) for kind in table.dtypes} == {"string"}
    return {name: [None if pd.isna(text) else text for text in table[name]] for name in table}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1252"]
)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_every_spelling_gives_the_same(write, encoding, separator):
    rows = [["id", "label"], ["007", " café "], ["8", ""], ["9", f"a{separator}b"]]
    quoted = [[f'"{text}"' if separator in text else text for text in row] for row in rows]
    path = write("\r\n".join(separator.join(row) for row in quoted).encode(encoding))
    assert read(path) == {"id": ["007", "8", "9"], "label": ["café", None, f"a{separator}b"]}


def test_a_guess_of_the_encoding_is_told(write, caplog):
    with caplog.at_level(logging.WARNING):
        assert read(write("id\ncafé\n".encode("cp1252"))) == {"id": ["café"]}
        assert "rows.csv is not UTF-8, and is read as cp1252" in caplog.text
        assert read(write("id\ncafé\x81\n".encode("latin-1"))) == {"id": ["café\x81"]}
        assert "is read as latin-1" in caplog.text
        caplog.clear()
        read(write("id\ncafé\n"))
    assert caplog.text == ""


def test_a_tsv_has_tabs_whatever_else_it_has(write):
    assert read(write("id\tl,m,n\n1\ta,b,c\n", "rows.tsv")) == {"id": ["1"], "l,m,n": ["a,b,c"]}


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\n', "\ufeffSEP=;\n"])
def test_the_separator_that_a_spreadsheet_names_first_is_taken(write, first):
    path = write(f"{first}id;tags,note\n1;a,b\n2;c,d,e\n")
    assert read(path) == {"id": ["1", "2"], "tags,note": ["a,b", "c,d,e"]}
    assert list(text_table(path, KEY).index) == [3, 4]


def test_texts_with_other_separators_do_not_mislead(write):
    path = write("id,tags,note\n1,a;b;c,x\n2,d;e,y|z\n3,f,w\n")
    assert form_of(path, KEY).separator == ","


def test_lines_of_an_old_mac_are_read(write):
    assert read(write(b"id,label\r1,x\r2,y\r")) == {"id": ["1", "2"], "label": ["x", "y"]}


def test_quoted_line_breaks_and_blank_lines_are_read(write):
    path = write('id,label\n1,"x\ny"\n\n2,5" pipe\n3,"q""r\n\n"\n4,z')
    assert read(path) == {"id": ["1", "2", "3", "4"], "label": ["x\ny", '5" pipe', 'q"r', "z"]}


def test_what_a_spreadsheet_would_run_is_written_guarded_and_read_plain(write):
    texts = ["=cmd|' /C calc'!A0", "+a", "-b", "@c", "'=d", "plain", "'quoted'", "-1.5"]
    assert [plain(guarded(text)) for text in texts] == texts
    assert guarded(texts[0]) == f"'{texts[0]}"
    assert guarded("plain") == "plain"
    assert read(write("id,label\n'-1.png,'=cmd\n")) == {"id": ["-1.png"], "label": ["=cmd"]}


def test_parquet_gives_text_too(tmp_path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"id": [7, None, 9], "label": [" a", "", None]}).to_parquet(path)
    assert read(path) == {"id": ["7", None, "9"], "label": ["a", None, None]}
    pd.DataFrame({"v": [1.5, 2.0]}, index=pd.Index(["x", "y"], name="id")).to_parquet(path)
    assert read(path) == {"id": ["x", "y"], "v": ["1.5", "2.0"]}


def test_columns_may_be_called_by_numbers_that_rise(write):
    assert list(read(write(",0,1,2\na,.1,.2,.3\n"))) == ["column 1", "0", "1", "2"]
    assert list(read(write("id,3,17\na,.1,.2\n"))) == ["id", "3", "17"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\n1,2\n3,4,5\n", r"is broken in line 3: it has 3 fields, and the header 2 \(separated by ','\)"),
        ('a,b\n1,"x\ny"\n\n3\n', "is broken in line 5: it has 1 fields, and the header 2"),
        ('a,b\n1,2\n3,"x\n4,5\n', r"is broken in line 3 \(unexpected end of data\); repair that line"),
        ("a,b\n", "has a header and no rows; use a table with rows"),
        ("", "cannot be read as CSV: it is empty; use a CSV, TSV or Parquet file with a header"),
        ("\n\n", "cannot be read as CSV: it is empty"),
        ("a,b,a\n1,2,3\n", "has 2 columns called 'a'; give each its own name"),
        ("x.png,0.5,-2\ny.png,1,2\n", "has no header: its first line holds values such as '0.5'; write a"),
        ("7,3,3\n1,2,3\n", "has no header"),
        (
            b"PK\x03\x04\x00\x00rest",
            "cannot be read as CSV: it holds bytes that are no text; unpack it, or save the spreadsheet",
        ),
        (b"\x1f\x8b\x08\x00\x00rest", "cannot be read as CSV: it holds bytes that are no text"),
    ],
)
def test_what_is_no_table_says_why(write, content, message):
    with pytest.raises(ValueError, match=rf"^dataset\.path=.*rows\.csv {message}"):
        text_table(write(content), KEY)


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere.parquet"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(ValueError, match=rf"^{KEY}=.*{name} cannot be read \(No such file.*; use a CSV, TSV"):
        text_table(tmp_path / name, KEY)


def test_a_parquet_that_is_none_is_named(write):
    with pytest.raises(ValueError, match=r"rows\.parquet cannot be read as Parquet \(.*; use a CSV, TSV"):
        text_table(write("id,label\n1,x\n", "rows.parquet"), KEY)
