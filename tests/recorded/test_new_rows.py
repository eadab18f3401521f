"""New rows for a model of vectors: columns are found by name, and missing values are errors."""

import unicodedata

import numpy as np
import pytest
from tests.messages import says

from experiments.recorded.new_rows import new_rows

FEATURES = ("a", "b")


@pytest.fixture
def read(tmp_path, ctx):
    def make(text, features=FEATURES, name="new.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return new_rows(path, features, None, "FOLDER", ctx)

    return make


def test_columns_are_found_by_name_and_others_ignored(read):
    samples = read("b,note,extra,id,a\n2,x,9,q,1\n4,,,p,3\n")
    assert list(samples.ids) == ["p", "q"]
    np.testing.assert_array_equal(samples.content.vectors(), [[3, 4], [1, 2]])
    assert samples.columns == FEATURES


def test_without_names_all_columns_are_used(read):
    np.testing.assert_array_equal(read("id,x,y\np,1,2\n", ()).content.vectors(), [[1, 2]])


def test_arrays_must_have_the_width_of_the_run(tmp_path, ctx):
    np.save(tmp_path / "new.npy", np.eye(2, dtype=np.float32))
    samples = new_rows(tmp_path / "new.npy", FEATURES, None, "FOLDER", ctx)
    np.testing.assert_array_equal(samples.content.vectors(), np.eye(2))
    np.save(tmp_path / "new.npy", np.eye(3, dtype=np.float32))
    with pytest.raises(ValueError) as error:
        new_rows(tmp_path / "new.npy", FEATURES, None, "FOLDER", ctx)
    text = says(error, key=f"FOLDER={tmp_path}/new.npy", use="the run's features")
    assert "3 values per row" in text


@pytest.mark.parametrize(
    ("text", "facts"),
    [
        ("id,b\np,1\n", ("1 of the 2 columns of the run: a;", "name its columns")),
        ("id,a,b\np,1,\n", ("'' in the column 'b'", "line 2, id 'p'", "fill or correct")),
        ("id,a,b\np,1,x\nq,1,2\n", ("'x' in the column 'b'", "fill or correct")),
        ("id,a,b\np,x,1\n", ("'x' in the column 'a' (line 2)", "fill or correct")),
        ("id,a,b\np,1\n", ("in line 2",)),
    ],
)
def test_a_missing_column_or_value_is_named(read, tmp_path, text, facts):
    with pytest.raises(ValueError) as error:
        read(text)
    for fact in facts:
        says(error, key=f"FOLDER={tmp_path}/new.csv", use=fact)


def test_a_run_without_a_header_reads_a_table_without_one(read):
    samples = read("1,2\n3,5\n", ("column_1", "column_2"))
    np.testing.assert_array_equal(samples.content.vectors(), [[1, 2], [3, 5]])


def test_columns_are_found_in_both_unicode_forms(read):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    samples = read(f"id,{decomposed}, b \np,1,2\n", (composed, "b"))
    assert samples.columns == (composed, "b")
    np.testing.assert_array_equal(samples.content.vectors(), [[1, 2]])
