"""New rows for a model of vectors: the run's columns by name, and nothing that has a gap."""

import unicodedata

import numpy as np
import pytest

from experiments.recorded.new_rows import new_rows

FEATURES = ("a", "b")


@pytest.fixture
def read(tmp_path, ctx):
    def make(text, features=FEATURES, name="new.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return new_rows(path, features, None, "FOLDER", ctx)

    return make


def test_columns_are_found_by_name_whatever_else_there_is(read):
    samples = read("b,note,extra,id,a\n2,x,9,q,1\n4,,,p,3\n")
    assert list(samples.ids) == ["p", "q"]
    np.testing.assert_array_equal(samples.content.vectors(), [[3, 4], [1, 2]])
    assert samples.columns == FEATURES


def test_without_names_all_columns_are_taken(read):
    np.testing.assert_array_equal(read("id,x,y\np,1,2\n", ()).content.vectors(), [[1, 2]])


def test_arrays_have_the_width_of_the_run(tmp_path, ctx):
    np.save(tmp_path / "new.npy", np.eye(2, dtype=np.float32))
    samples = new_rows(tmp_path / "new.npy", FEATURES, None, "FOLDER", ctx)
    np.testing.assert_array_equal(samples.content.vectors(), np.eye(2))
    np.save(tmp_path / "new.npy", np.eye(3, dtype=np.float32))
    with pytest.raises(
        ValueError, match=r"^FOLDER=.*new.npy has 3 values a row, and the run 2; use rows made"
    ):
        new_rows(tmp_path / "new.npy", FEATURES, None, "FOLDER", ctx)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,b\np,1\n", "lacks 1 of the 2 columns of the run: a; name its columns as the run's"),
        ("id,a,b\np,1,\n", r": '' in the column 'b' is missing \(line 2, id 'p'.*; fill or correct it$"),
        ("id,a,b\np,1,x\nq,1,2\n", r": 'x' in the column 'b' is no number .*; fill or correct it$"),
        (
            "id,a,b\np,x,1\n",
            r"has texts among the numbers: 'x' in the column 'a' \(line 2\); fill or correct",
        ),
        ("id,a,b\np,1\n", "is broken in line 2"),
    ],
)
def test_what_is_missing_is_named(read, text, message):
    with pytest.raises(ValueError, match=rf"^FOLDER=.*new\.csv ?{message}"):
        read(text)


def test_a_run_on_a_table_without_a_header_takes_another_one(read):
    samples = read("1,2\n3,5\n", ("column_1", "column_2"))
    np.testing.assert_array_equal(samples.content.vectors(), [[1, 2], [3, 5]])


def test_columns_are_found_in_either_form_of_unicode(read):
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    samples = read(f"id,{decomposed}, b \np,1,2\n", (composed, "b"))
    assert samples.columns == (composed, "b")
    np.testing.assert_array_equal(samples.content.vectors(), [[1, 2]])
