"""Malformed and unusual files: no value is lost or changed without a message."""

import io
import logging
import shlex
import tracemalloc
import zipfile

import numpy as np
import pandas as pd
import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from tests.messages import says

from experiments.dataset.tables import blocks
from experiments.dataset.tables.csv_dialect import DEFAULT, detect_dialect
from experiments.dataset.tables.tabular import text_table
from experiments.messages import join_few, setting
from experiments.recorded.new_rows import new_rows

pytestmark = pytest.mark.slow

ALL = {"train": 1.0, "validation": 0.0, "test": 0.0}


@pytest.fixture
def write(tmp_path):
    def make(content, name="rows.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def rows(n=900, **lines):
    """Return lines of ids, a number and labels; `l512='"{}'` is a format for line 512."""
    body = [f"{row},{row / 8},x" for row in range(2, n + 2)]
    for number, text in lines.items():
        line = int(number[1:])
        body[line - 2] = text.format(body[line - 2])
    return "id,d0,label\n" + "\n".join(body) + "\n"


@pytest.mark.parametrize(
    ("lines", "broken"),
    [
        ({"l512": '"{}', "l522": '"{}'}, 512),
        ({"l512": '600,1,"x', "l522": '601,1,x"y'}, 512),
        ({"l800": '800,1,"x'}, 800),
        ({"l901": '901,1,"x'}, 901),
    ],
)
def test_stray_quotes_swallow_no_rows(embeddings, ctx, write, lines, broken):
    with pytest.raises(ValueError) as error:
        embeddings(write(rows(**lines)), label="label").load(ctx)
    says(error, key=f"line {broken}", use="repair that line")


def test_a_quote_within_a_text_closes_nothing(embeddings, ctx, write):
    samples = embeddings(write(rows(l512='512,7,5" pipe')), label="label").load(ctx)
    assert len(samples) == 900
    assert samples.class_names == ('5" pipe', "x")


@pytest.mark.parametrize(
    ("index", "ids"),
    [
        (pd.RangeIndex(1, 7, name="image_id"), list("123456")),
        (pd.RangeIndex(0, 6, name="image_id"), list("012345")),
        (pd.RangeIndex(2, 14, 2), ["10", "12", "2", "4", "6", "8"]),
        (pd.RangeIndex(6), list("012345")),
        (pd.Index(list("fedcba")), list("abcdef")),
        (pd.Index(list("fedcba"), name="who"), list("abcdef")),
        (pd.Index([9, 8, 7, 3, 2, 1]), list("123789")),
        (pd.Index([9, 8, 7, 3, 2, 1], name="who"), list("123789")),
    ],
)
def test_ids_come_from_pandas_index(embeddings, table, ctx, tmp_path, index, ids):
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"d0": np.arange(6) / 4}, index=index).to_parquet(path)
    for made in (embeddings, table):
        samples = made(path).load(ctx)
        assert list(samples.ids) == ids
        assert samples.columns == ("d0",)


def test_a_named_column_of_ids_is_preferred_to_an_index(embeddings, ctx, tmp_path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"id": ["b", "a"], "d0": [1.0, 2.0]}, index=[7, 8]).to_parquet(path)
    samples = embeddings(path).load(ctx)
    assert (list(samples.ids), samples.columns) == (["a", "b"], ("d0",))


@pytest.mark.parametrize("separator", [";", "\t"])
def test_commas_that_may_be_of_thousands_are_refused(table, embeddings, ctx, write, separator):
    path = write("id;a;b\nx;1,234;2\ny;999;3\nz;-12,345,678;4\n".replace(";", separator))
    for made in (table, embeddings):
        with pytest.raises(ValueError) as error:
            made(path).load(ctx)
        says(error, key="-12,345,678 in the column 'a'", use="dataset.exclude=[a]")
    samples = table(path, exclude=("a",)).load(ctx)
    np.testing.assert_array_equal(samples.content.vectors()[:, 0], [2, 3, 4])


@pytest.mark.parametrize("number", ["0,125", "1,5", "1,2345"])
def test_decimal_commas_are_logged(table, ctx, write, caplog, number):
    with caplog.at_level(logging.WARNING):
        samples = table(write(f"id;a\nx;1,234\ny;{number}\n")).load(ctx)
    np.testing.assert_allclose(samples.content.vectors()[:, 0], [1.234, float(number.replace(",", "."))])
    says(caplog.text, key="commas", use="decimal")


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("id;a;b\nx;1,5;2.5\ny;2,25;3\n", "'1,5'", 2),
        ("id;a;b\nx;1.234,5;2.5\ny;2.345,25;3\n", "'1.234,5'", 2),
        ('id,a,b\nx,"1,234",2\ny,"2,345",3\n', "'1,234'", 2),
        (
            "id;a;b\n" + "\n".join(f"{row};;{row}.5" for row in range(300)) + "\nx;1,5;2\ny;2,25;3\n",
            "'1,5'",
            302,
        ),
    ],
)
def test_numbers_with_commas_are_not_dropped_as_texts(table, ctx, write, text, key, line):
    with pytest.raises(ValueError) as error:
        table(write(text)).load(ctx)
    assert f"line {line}" in says(error, key=f"{key} in the column 'a'", use="dataset.exclude=[a]")


def test_assigned_rows_keep_their_ids(write, ctx, tmp_path):
    text = "note,who,sample,a,b\nq,7,s2,2,1\nq,8,s1,4,3\n"
    features = ("b", "a")
    for named, ids in (("who", ["7", "8"]), ("gone", ["s1", "s2"]), (None, ["s1", "s2"])):
        samples = new_rows(write(text), features, named, "FOLDER", ctx)
        assert list(samples.ids) == ids
        assert {tuple(row) for row in samples.content.vectors().tolist()} == {(1, 2), (3, 4)}
        ctx.store.remove(next(key for key in ctx.store.computed[-1:]))
    frame = pd.DataFrame({"a": [2, 4], "b": [1, 3]}, index=pd.Index(["s2", "s1"], name="sample"))
    frame.to_parquet(tmp_path / "new.parquet")
    assert list(new_rows(tmp_path / "new.parquet", features, None, "FOLDER", ctx).ids) == ["s1", "s2"]


def test_a_feature_called_as_ids_are_is_no_id(write, ctx):
    samples = new_rows(write("image_id,sub,a\n3,x,1\n4,y,2\n"), ("image_id", "a"), "sub", "FOLDER", ctx)
    assert list(samples.ids) == ["x", "y"]
    np.testing.assert_array_equal(samples.content.vectors(), [[3, 1], [4, 2]])


def test_several_columns_that_may_be_ids_are_asked_about(write, ctx):
    path = write("p,q,a\nx,v,1\ny,w,2\n")
    with pytest.raises(ValueError) as error:
        new_rows(path, ("a",), None, "FOLDER", ctx)
    assert "p, q" in says(error, key=f"FOLDER={path}", use="image_id")


def test_rounding_of_large_numbers_is_logged(table, embeddings, ctx, write, caplog):
    seconds = "".join(f"{row},{row / 4},{1700000000 + row},{20240101 + row}\n" for row in range(60))
    path = write(f"id,a,seconds,day\n{seconds}")
    with caplog.at_level(logging.WARNING):
        assert table(path).load(ctx).columns == ("a", "day")
    says(caplog.text, key="seconds (always 1700000000)")
    says(caplog.text, key="16777216", use="seconds (steps of 128), day (steps of 2); subtract")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        embeddings(path, exclude=("seconds",)).load(ctx)
    assert "seconds (" not in says(caplog.text, key="16777216", use="day (steps of 2); subtract")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        embeddings(path, exclude=("seconds", "day")).load(ctx)
    assert "float32" not in caplog.text


def test_a_feature_that_may_be_ids_is_logged(table, ctx, write, caplog):
    with caplog.at_level(logging.WARNING):
        samples = table(write("image_id,sub,a\n1,x,3\n2,y,4\n"), id="sub").load(ctx)
    assert samples.columns == ("image_id", "a")
    says(caplog.text, key="'image_id'", use="dataset.id=image_id")


def test_true_and_false_are_1_and_0_in_every_kind_of_file(table, ctx, tmp_path):
    frame = pd.DataFrame({"id": list("abcd"), "old": [True, False, True, False], "a": [1.5, 2, 3, 4]})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    frame.to_parquet(tmp_path / "rows.parquet")
    (tmp_path / "rows.tsv").write_text(
        frame.to_csv(index=False, sep="\t").replace("True", "TRUE "), encoding="utf-8"
    )
    made = [table(tmp_path / f"rows.{kind}").load(ctx) for kind in ("csv", "parquet", "tsv")]
    assert {samples.data_key for samples in made} == {made[0].data_key}
    np.testing.assert_array_equal(made[0].content.vectors()[:, 0], [1, 0, 1, 0])


NAMES = [
    "sepal width (cm)",
    "it's",
    '5" pipe',
    "0",
    "a\\",
    'x\\"y',
    "null",
    "a,b",
    "[x]",
    "#1 $x",
    "d0",
    "a-b",
]


@pytest.mark.parametrize("name", NAMES)
def test_what_is_suggested_can_be_typed(name):
    parser = OverridesParser.create()
    (word,) = shlex.split(setting("dataset.id", name))
    assert parser.parse_override(word).value() == name
    (word,) = shlex.split(setting("dataset.exclude", [name, "plain"]))
    assert [str(single) for single in parser.parse_override(word).value()] == [name, "plain"]
    assert parser.parse_override(word).key_or_group == "dataset.exclude"


def test_names_that_need_no_quotes_have_none():
    assert setting("dataset.exclude", ["a", "d0", "a-b"]) == "dataset.exclude=[a,d0,a-b]"
    assert setting("dataset.label", "kind") == "dataset.label=kind"


def test_what_an_error_suggests_works(embeddings, ctx, write):
    path = write("id,petal (cm),d0\na,short,1\nb,long,2\n")
    with pytest.raises(ValueError) as caught:
        embeddings(path).load(ctx)
    says(caught, key="'petal (cm)'", use="dataset.exclude=")
    suggested = str(caught.value).partition("use ")[2].partition(" to leave")[0]
    (word,) = shlex.split(suggested)
    exclude = tuple(map(str, OverridesParser.create().parse_override(word).value()))
    assert embeddings(path, exclude=exclude).load(ctx).columns == ("d0",)


def test_long_lists_are_cut(table, ctx, write, caplog):
    assert join_few("abc") == "a, b, c"
    names = [f"c{number}" for number in range(40)]
    with caplog.at_level(logging.WARNING):
        table(write(f"id,a,{','.join(names)}\nx,1{',5' * 40}\ny,2{',5' * 40}\n")).load(ctx)
    assert "c11 (always 5), ... (40 in all)" in caplog.text
    assert "c12" not in caplog.text


def damaged():
    whole = io.BytesIO()
    np.savez_compressed(whole, embeddings=np.random.default_rng(0).random((50, 40)))
    data = whole.getvalue()
    return {
        "short": data[: len(data) // 2],
        "changed": data[:2000] + bytes(500) + data[2500:],
        "none": b"PK\x03\x04x",
    }


@pytest.mark.parametrize("name", ["short", "changed", "none"])
@pytest.mark.parametrize("extension", ["npz", "npy"])
def test_a_damaged_archive_of_arrays_is_named(embeddings, ctx, write, name, extension):
    path = write(damaged()[name], f"rows.{extension}")
    with pytest.raises(ValueError) as error:
        embeddings(path).load(ctx)
    says(error, key=f"dataset.path={path}", use="numpy.savez")


def test_arrays_are_read_whatever_their_files_are_called(embeddings, ctx, write):
    many, single = io.BytesIO(), io.BytesIO()
    np.savez(many, embeddings=np.eye(3), ids=np.array(["'=c", "a", "b"]))
    np.save(single, np.eye(3))
    samples = embeddings(write(many.getvalue(), "rows.npy")).load(ctx)
    assert list(samples.ids) == ["'=c", "a", "b"]
    np.testing.assert_array_equal(
        embeddings(write(single.getvalue(), "rows.npz")).load(ctx).content.vectors(), np.eye(3)
    )
    ids = write(many.getvalue(), "ids.npy")
    rows = write(single.getvalue(), "rows.npy")
    with pytest.raises(ValueError) as error:
        embeddings(rows, ids=str(ids)).load(ctx)
    assert "several arrays" in says(error, key=f"dataset.ids={ids}", use="ids.astype(str)")
    assert zipfile.is_zipfile(ids)


def test_a_space_that_does_not_break_is_named_with_its_line(embeddings, table, ctx, write):
    path = write("id,d0\na, 1\nb,\xa02\nc,3\t\n")
    for made in (embeddings, table):
        with pytest.raises(ValueError) as error:
            made(path).load(ctx)
        text = says(error, key=r"'\xa02' in the column 'd0'", use="dataset.exclude=[d0]")
        assert "line 3, id 'b'" in text


def test_a_header_may_be_longer_than_the_sample(write):
    names = ("id", "a long name" * 60_000, "another name" * 60_000)
    for encoding in ("utf-8", "utf-16"):
        assert len(",".join(names)) > DEFAULT.sample
        assert detect_dialect(write(f"{','.join(names)}\na,1,2\n".encode(encoding)), "x").columns == names


def test_marks_of_gaps_in_the_first_rows_make_no_column_of_texts(table, ctx, write):
    body = "".join(f"{row},{'?' if row < 250 else row},{row % 7}\n" for row in range(1000))
    path = write(f"id,a,b\n{body}")
    with pytest.raises(ValueError) as error:
        table(path).load(ctx)
    assert "250 such" in says(error, key="'?' in the column 'a'", use="dataset.exclude=[a]")
    body = "".join(f"{row},-,{row % 7}\n" for row in range(1000))
    assert table(write(f"id,a,b\n{body}")).load(ctx).columns == ("b",)


def test_one_zero_byte_makes_no_other_encoding(table, ctx, write):
    path = write(b"id,a\nx,1\ny\0,2\nz,3\n")
    with pytest.raises(ValueError) as error:
        table(path).load(ctx)
    assert "line 3" in says(error, key=f"dataset.path={path}", use="CSV UTF-8")


def test_parquet_has_no_guards(embeddings, ctx, tmp_path):
    path = tmp_path / "rows.parquet"
    pd.DataFrame({"id": ["'=a", " -b"], "'=c": [1.0, 2.0], "kind": ["'-x", "y"]}).to_parquet(path)
    samples = embeddings(path, label="kind", split=ALL).load(ctx)
    assert (list(samples.ids), samples.columns) == (["'=a", "-b"], ("'=c",))
    assert samples.class_names == ("'-x", "y")
    assert list(text_table(path, "x")["id"]) == ["'=a", " -b"]
    assert list(text_table(path, "x")) == ["id", "'=c", "kind"]


@pytest.mark.parametrize("quotes", [False, True])
def test_gaps_need_no_second_reading(table, ctx, write, monkeypatch, quotes):
    """With many missing values, only the line in the message is parsed again."""
    body = "".join(f"{row},{'' if row % 5 == 3 else row},{row}\n" for row in range(2000))
    read, original = [], blocks._CsvReader.rows
    monkeypatch.setattr(blocks._CsvReader, "rows", lambda *given: read.append(1) or original(*given))
    path = write(f"id,a,b\n{body}" + ('"x",1,2\n' if quotes else ""))
    samples = table(path, block_bytes=4000).load(ctx)
    assert len(samples) == 2000 + quotes
    assert len(read) <= quotes
    assert not np.isnan(samples.content.vectors()).any()


def test_the_first_of_odd_values_is_found_wherever_it_is(embeddings, ctx, write):
    body = [f"{row},{row},1\n" for row in range(200)]
    body[120] = "120,5,NaN\n"
    for blank, line in (("", 122), ("\n", 123)):
        for end in ("\n", "\r\n"):
            text = ("id,a,b\n" + blank + "".join(body)).replace("\n", end)
            path = write(text)
            with pytest.raises(ValueError) as error:
                embeddings(path, block_bytes=300).load(ctx)
            message = says(error, key="'NaN' in the column 'b'", use="dataset=table")
            assert f"line {line}, id '120'" in message


def test_memory_is_bounded_by_a_few_chunks(table, ctx, write):
    values = np.random.default_rng(0).integers(0, 999, (12000, 200))
    names = ",".join(f"d{number}" for number in range(200))
    body = "\n".join(f"{row}," + ",".join(map(str, line)) for row, line in enumerate(values))
    path = write(f"id,{names}\n{body}\n")
    table(path).load(ctx)  # imports on first use
    stage = table(path, exclude=("d7",), block_bytes=1 << 16)
    tracemalloc.start()
    try:
        stage.load(ctx)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < path.stat().st_size / 2, peak


def test_settings_have_different_cache_keys(embeddings, ctx, write, tmp_path):
    path = write("id,other,kind,d0,d1\na,z,x,1,2\nb,y,x,3,4\nc,x,y,5,6\n")
    plain = {"exclude": ("other",), "label": "kind", "split": ALL}
    first = embeddings(path, **plain).load(ctx)
    assert list(
        embeddings(path, **plain | {"label": "other", "exclude": ("kind",)}).load(ctx).class_names
    ) == list("xyz")
    assert list(embeddings(path, **plain | {"id": "other", "exclude": ("id",)}).load(ctx).ids) == list("xyz")
    assert embeddings(path, **plain | {"exclude": ("other", "d0")}).load(ctx).columns == ("d1",)
    assert embeddings(path, **plain).load(ctx).data_key == first.data_key
    np.save(tmp_path / "rows.npy", np.eye(2))
    ids_read = []
    for ids in ("ab", "cd"):
        (tmp_path / f"{ids}.txt").write_text("\n".join(ids), encoding="utf-8")
        ids_read += list(embeddings(tmp_path / "rows.npy", ids=str(tmp_path / f"{ids}.txt")).load(ctx).ids)
    assert ids_read == list("abcd")
