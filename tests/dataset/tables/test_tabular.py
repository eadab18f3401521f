"""CSV files in many encodings and dialects; errors name the line."""

import logging
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from tests.messages import says

from experiments.dataset.tables.cell_text import clean, escape_formula
from experiments.dataset.tables.csv_dialect import detect_dialect
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
    assert read(path) == {"id": ["007", "8", "9"], "label": [" café ", None, f"a{separator}b"]}


def test_a_guessed_encoding_is_logged(write, caplog):
    with caplog.at_level(logging.INFO):
        assert read(write("id,label\n1,x\n2,café\n".encode("cp1252")))["label"] == ["x", "café"]
        assert "line 3, column 6" in says(caplog.text, key="rows.csv", use="cp1252")
        read(write("id\ncafé\n".encode("utf-16")))
        says(caplog.text, key="rows.csv", use="UTF-16")
        caplog.clear()
        read(write("id\ncafé\n"))
    assert caplog.text == ""


@pytest.mark.parametrize(
    ("content", "where", "use"),
    [
        ("id,label\n1,привет\n".encode("cp1251"), "line 2, column 3", "iconv -f <its encoding> -t UTF-8"),
        ("id,label\n1,画像\n".encode("shift-jis"), "line 2, column 3", "iconv -f <its encoding> -t UTF-8"),
        ("id,label\n1,中文\n".encode("gbk"), "line 2, column 3", "iconv -f <its encoding> -t UTF-8"),
        (b"id\ncaf\x81\n", "line 2, column 4", "iconv -f <its encoding> -t UTF-8"),
        ("id\ncafé\nnaïve\n".encode() + b"b\xe9\n", "line 4, column 2", "correct that line"),
    ],
)
def test_another_encoding_is_answered_with_its_place(write, content, where, use):
    path = write(content)
    with pytest.raises(ValueError) as error:
        text_table(path, KEY)
    assert where in says(error, key=f"{KEY}={path}", use=use)


@pytest.mark.skipif(shutil.which("iconv") is None, reason="iconv is not installed")
def test_the_suggested_iconv_command_works(write):
    path = write("id,label\n1,привет\n".encode("cp1251"))
    with pytest.raises(ValueError) as caught:
        text_table(path, KEY)
    typed = says(caught, use="iconv ").partition("type: ")[2].replace("<its encoding>", "cp1251")
    done = subprocess.run(
        ["sh", "-c", typed.replace("<new file>", str(path.with_name("new.csv")))], check=False
    )
    assert done.returncode == 0
    assert read(path.with_name("new.csv")) == {"id": ["1"], "label": ["привет"]}


def test_a_tsv_has_tabs_whatever_else_it_has(write):
    assert read(write("id\tl,m,n\n1\ta,b,c\n", "rows.tsv")) == {"id": ["1"], "l,m,n": ["a,b,c"]}


@pytest.mark.parametrize("first", ["sep=;\r\n", '"sep=;"\n', "\ufeffSEP=;\n"])
def test_the_separator_line_of_excel_is_used(write, first):
    path = write(f"{first}id;tags,note\n1;a,b\n2;c,d,e\n")
    assert read(path) == {"id": ["1", "2"], "tags,note": ["a,b", "c,d,e"]}
    assert list(text_table(path, KEY).index) == [3, 4]


def test_texts_with_other_separators_do_not_mislead(write):
    path = write("id,tags,note\n1,a;b;c,x\n2,d;e,y|z\n3,f,w\n")
    assert detect_dialect(path, KEY).separator == ","


def test_lines_of_an_old_mac_are_read(write):
    assert read(write(b"id,label\r1,x\r2,y\r")) == {"id": ["1", "2"], "label": ["x", "y"]}


def test_quoted_line_breaks_and_blank_lines_are_read(write):
    path = write('id,label\n1,"x\ny"\n\n2,5" pipe\n3,"q""r\n\n"\n4,z')
    assert read(path) == {"id": ["1", "2", "3", "4"], "label": ["x\ny", '5" pipe', 'q"r\n\n', "z"]}


def test_what_a_spreadsheet_would_run_is_written_guarded_and_read_plain(write):
    texts = ["=cmd|' /C calc'!A0", "+a", "-b", "@c", "'=d", "plain", "'quoted'", "-1.5"]
    assert [clean(escape_formula(text)) for text in texts] == texts
    assert escape_formula(texts[0]) == f"'{texts[0]}"
    assert escape_formula("plain") == "plain"
    assert read(write("id,label\n'-1.png,'=cmd\n")) == {"id": ["-1.png"], "label": ["=cmd"]}


def test_parquet_gives_text_too(tmp_path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"id": [7, None, 9], "label": [" a", "", None]}).to_parquet(path)
    assert read(path) == {"id": ["7", None, "9"], "label": [" a", None, None]}
    pd.DataFrame({"v": [1.5, 2.0]}, index=pd.Index(["x", "y"], name="id")).to_parquet(path)
    assert read(path) == {"id": ["x", "y"], "v": ["1.5", "2.0"]}


@pytest.mark.parametrize("header", [None, False])
def test_without_a_header_the_first_line_is_a_row(write, caplog, header):
    path = write("x.png,0.5,-2\ny.png,1,2\n")
    table = text_table(path, KEY, header)
    assert {name: list(table[name]) for name in table} == {
        "column_1": ["x.png", "y.png"], "column_2": ["0.5", "1"], "column_3": ["-2", "2"],
    }  # fmt: skip
    assert list(table.index) == [1, 2]
    assert ("use dataset.header=true" in caplog.text) == (header is None)


def test_an_uncertain_header_is_logged_and_can_be_set(write, caplog):
    path = write("fruit\napple\nbanana\n")
    assert read(path) == {"fruit": ["apple", "banana"]}
    assert "use dataset.header=false" in caplog.text
    assert list(text_table(path, KEY, False)["column_1"]) == ["fruit", "apple", "banana"]
    caplog.clear()
    text_table(path, KEY, True)
    assert caplog.text == ""


def test_comments_above_the_table_are_skipped_and_may_name_the_columns(write):
    path = write("# made by hand\n# on Monday, at home\nid,a,b\nx,1,2\n")
    assert read(path) == {"id": ["x"], "a": ["1"], "b": ["2"]}
    assert list(text_table(path, KEY).index) == [4]
    assert read(write("# made\n# a,b\n1,2\n3,4\n")) == {"a": ["1", "3"], "b": ["2", "4"]}
    assert read(write("# made\n1.5,2\n3.5,4\n")) == {"column_1": ["1.5", "3.5"], "column_2": ["2", "4"]}


def test_names_that_only_spaces_tell_apart_stay_two(write):
    assert list(read(write("id, a ,b, b\n1,2,3,4\n"))) == ["id", "a", "b", " b"]


def test_columns_may_be_called_by_numbers_that_rise(write):
    assert list(read(write(",0,1,2\na,.1,.2,.3\n"))) == ["column_1", "0", "1", "2"]
    assert list(read(write("id,3,17\na,.1,.2\n"))) == ["id", "3", "17"]


@pytest.mark.parametrize(
    ("content", "use", "facts"),
    [
        ("a,b\n1,2\n3,4,5\n", "repair that line", ("line 3", "3 fields", "header has 2", "','")),
        ('a,b\n1,"x\ny"\n\n3\n', "repair that line", ("line 5", "1 fields", "header has 2")),
        ('a,b\n1,2\n3,"x\n4,5\n', "repair that line", ("line 3", "unexpected end of data")),
        ("a,b\n", "a table with rows", ("no rows",)),
        ("", "a CSV, TSV or Parquet file with a header", ("empty",)),
        ("\n\n", "a CSV, TSV or Parquet file with a header", ("empty",)),
        ("a,b,a\n1,2,3\n", "give each its own name", ("2 columns", "'a'")),
        (b"PK\x03\x04\x00\x00rest", "unpack it", ("a zip or a spreadsheet",)),
        (b"\x1f\x8b\x08\x00\x00rest", "unpack it", ("gzip",)),
        (b"BZh91AY&SYrest", "unpack it", ("bzip2",)),
    ],
)
def test_a_file_without_a_table_is_an_error_with_the_reason(write, content, use, facts):
    path = write(content)
    with pytest.raises(ValueError) as error:
        text_table(path, KEY)
    text = says(error, key=f"{KEY}={path}", use=use)
    assert [fact for fact in facts if fact not in text] == []


@pytest.mark.parametrize("name", ["nowhere.csv", "nowhere.parquet"])
def test_a_missing_file_is_named(tmp_path, name):
    with pytest.raises(ValueError) as error:
        text_table(tmp_path / name, KEY)
    assert "No such file" in says(error, key=f"{KEY}={tmp_path / name}", use="a CSV, TSV or Parquet file")


def test_a_parquet_that_is_none_is_named(write):
    path = write("id,label\n1,x\n", "rows.parquet")
    with pytest.raises(ValueError) as error:
        text_table(path, KEY)
    says(error, key=f"{KEY}={path}", use="a CSV, TSV or Parquet file")
