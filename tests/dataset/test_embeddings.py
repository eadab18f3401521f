"""Embeddings from every kind of file load alike; errors name the line."""

import logging
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_iris
from tests.messages import says

from experiments.dataset.tables import blocks
from experiments.dataset.vectors import vector_rows
from experiments.samples import Resize

DIGITS = load_digits().data[:300].astype(np.float32) / np.float32(3)
IDS = [f"{'even' if row % 2 else 'odd'}/{row:03}.png" for row in range(300)]


@pytest.fixture
def write(tmp_path):
    def make(text, name="rows.csv"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return make


def frame(values=DIGITS, ids=IDS):
    return pd.DataFrame(values, columns=[f"d{column}" for column in range(values.shape[1])]).assign(
        image_id=ids
    )


def saved(folder, kind, rows=None):
    """Write the digits as a kind of file; return the settings to load it."""
    rows = frame() if rows is None else rows
    path = folder / f"digits.{kind}"
    values = rows.drop(columns="image_id").to_numpy()
    if kind == "parquet":
        rows.to_parquet(path, row_group_size=100)
    elif kind == "npy":
        np.save(path, values)
        (folder / "ids.txt").write_text("\n".join(rows["image_id"]), encoding="utf-8")
        return {"path": path, "ids": str(folder / "ids.txt")}
    elif kind == "npz":
        np.savez(path, embeddings=values, ids=rows["image_id"].to_numpy(str), other=np.arange(3))
    else:
        rows.to_csv(path, index=False, sep="\t" if kind == "tsv" else ",")
    return {"path": path}


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "npy", "npz"])
def test_every_kind_of_file_gives_the_values_bit_for_bit(embeddings, ctx, tmp_path, kind):
    samples = embeddings(**saved(tmp_path, kind)).load(ctx)
    order = np.argsort(IDS)
    assert list(samples.ids) == sorted(IDS)
    np.testing.assert_array_equal(samples.content.vectors().view(np.uint32), DIGITS[order].view(np.uint32))
    assert samples.columns == tuple(f"d{column}" for column in range(64))
    assert (samples.name, samples.labels) == ("digits", None)


@pytest.mark.parametrize("kind", ["csv", "parquet", "npy"])
def test_shuffled_rows_are_the_same_data_set(embeddings, ctx, tmp_path, kind):
    first = embeddings(**saved(tmp_path, kind)).load(ctx)
    shuffled = saved(tmp_path, kind, frame().sample(frac=1, random_state=0))
    again = embeddings(**shuffled).load(ctx)
    assert again.data_key == first.data_key
    np.testing.assert_array_equal(again.content.vectors(), first.content.vectors())


@pytest.mark.parametrize("kind", ["csv", "parquet", "npy"])
def test_blocks_and_threads_change_nothing(embeddings, ctx, tmp_path, kind):
    whole = embeddings(**saved(tmp_path, kind)).load(ctx)
    os.utime(tmp_path / f"digits.{kind}", (1, 1))  # another file for the cache
    again = embeddings(**saved(tmp_path, kind), block_bytes=3000).load(replace(ctx, threads=3))
    assert again.data_key == whole.data_key
    np.testing.assert_array_equal(again.content.vectors(), whole.content.vectors())


QUOTED = 'id,d0,d1\n"a\nb",1,2\n"c""d",3,4\n\n"e,f","5",6\ng,7,8\n'


@pytest.mark.parametrize("size", [8, 17, 25, 1000])
def test_quoted_ids_are_whole_in_chunks_of_any_size(embeddings, ctx, write, size):
    stage = embeddings(write(QUOTED), block_bytes=size)
    samples = stage.load(ctx)
    assert list(samples.ids) == ["a\nb", 'c"d', "e,f", "g"]
    np.testing.assert_array_equal(samples.content.vectors(), [[1, 2], [3, 4], [5, 6], [7, 8]])
    assert stage.count() == 4


@pytest.mark.parametrize("size", [8, 17, 25, 1000])
def test_line_numbers_count_over_all_chunks(embeddings, ctx, write, size):
    for rows, use, facts in (
        ("h,9\ni,1,2\n", "repair that line", ("line 8", "2 fields")),
        ("h,x,9\ni,1,2\n", "dataset.exclude=[d0]", ("line 8", "'x'", "'d0'", "'h'")),
        ('"h,1,9\ni,1,2\n', "repair that line", ("line 8", "unexpected end of data")),
    ):
        path = write(f"{QUOTED}{rows}")
        with pytest.raises(ValueError) as error:
            embeddings(path, block_bytes=size).load(ctx)
        text = says(error, key=f"dataset.path={path}", use=use)
        assert [fact for fact in facts if fact not in text] == []


def test_floats_of_any_size_survive_text(embeddings, ctx, tmp_path):
    bits = np.random.default_rng(0).integers(0, 2**32, (400, 25), np.uint32).view(np.float32)
    bits[~(np.abs(bits) < 2.0**64)] = -0.0  # larger values are an error
    rows = frame(bits, [f"{row:03}" for row in range(400)])
    samples = embeddings(**saved(tmp_path, "csv", rows)).load(ctx)
    np.testing.assert_array_equal(samples.content.vectors().view(np.uint32), bits.view(np.uint32))


def test_the_file_is_read_once(embeddings, ctx, tmp_path, monkeypatch):
    stage = embeddings(**saved(tmp_path, "csv"))
    stage.load(ctx)
    computed = list(ctx.store.computed)
    original = Path.open

    def watched(path, *args, **kwargs):
        assert path.suffix != ".csv"
        return original(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", watched)
    stage.load(ctx)
    assert ctx.store.computed == computed


@pytest.mark.parametrize("replace", ["in place", "os.replace"])
def test_a_changed_file_is_read_again_though_size_and_time_are_the_same(
    embeddings, ctx, write, tmp_path, replace
):
    path = write("id,d0\na,1\nb,2\n")
    before = path.stat()
    first = embeddings(path).load(ctx)
    other = path if replace == "in place" else tmp_path / "other.csv"
    other.write_text("id,d0\na,1\nb,3\n", encoding="utf-8")
    other.replace(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert embeddings(path).load(ctx).content_key != first.content_key


def test_a_moved_file_is_not_read_again_and_another_ending_is_another_file(embeddings, ctx, write):
    path = write("id,d0\na,1\nb,2\n")
    first = embeddings(path).load(ctx)
    computed = [key for key in ctx.store.computed if key.startswith("embeddings-")]
    moved = path.rename(path.with_name("moved.csv"))
    assert embeddings(moved).load(ctx).content_key == first.content_key
    assert [key for key in ctx.store.computed if key.startswith("embeddings-")] == computed
    array = moved.rename(path.with_suffix(".npy"))
    with pytest.raises(ValueError) as error:
        embeddings(array).load(ctx)
    says(error, key=f"dataset.path={array}", use="numpy.save")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("d0,image_id\n1,007\n2,7\n", ["007", "7"]),
        ("ID;d0;d1\nb;1,5;2\na;-2;1e-2\n", ["a", "b"]),
        ("\ufefffilename,d0\nÄ,1\nZ,2\n", ["Z", "Ä"]),
        ("who,d0\nb,1\na,2\n", ["a", "b"]),
        (",d0\n10,1\n9,2\n", ["10", "9"]),
        (",d0,id\n0,1,x\n1,2,w\n", ["w", "x"]),
        ("d0,d1\n5,5\n6,7\n", ["0", "1"]),
    ],
)
def test_ids_are_found_and_stay_as_written(embeddings, ctx, write, text, ids):
    assert list(embeddings(write(text)).load(ctx).ids) == ids


def test_decimal_commas_are_numbers(embeddings, ctx, write):
    samples = embeddings(write('id;d0;d1\na;1,5;2\nb;-2;"1,25e1"\n')).load(ctx)
    np.testing.assert_array_equal(samples.content.vectors(), [[1.5, 2], [-2, 12.5]])


def test_a_named_id_leaves_the_others_to_be_excluded(embeddings, ctx, write):
    path = write("image_id,crop,d0\nx,b,1\nx,a,2\n")
    with pytest.raises(ValueError) as error:
        embeddings(path, id="crop").load(ctx)
    assert "line 2" in says(error, key="'image_id'", use="dataset.exclude=[image_id]")
    samples = embeddings(path, id="crop", exclude=("image_id",)).load(ctx)
    assert (list(samples.ids), samples.columns) == (["a", "b"], ("d0",))


def test_a_column_of_labels_gives_classes(embeddings, ctx, tmp_path, caplog):
    iris = load_iris(as_frame=True)
    rows = iris.data.assign(kind=iris.target_names[iris.target], name=[f"{row:03}" for row in range(150)])
    rows.loc[[3, 149], "kind"] = None
    rows.to_csv(tmp_path / "iris.csv", index=False)
    with caplog.at_level(logging.WARNING):
        samples = embeddings(tmp_path / "iris.csv", label="kind", unlabelled="drop").load(ctx)
    assert samples.class_names == ("setosa", "versicolor", "virginica")
    assert list(np.bincount(samples.labels)) == [49, 50, 49]
    assert samples.skipped == (("003", "no label"), ("149", "no label"))
    np.testing.assert_allclose(samples.content.vectors()[:4], iris.data.to_numpy()[[0, 1, 2, 4]], rtol=1e-6)
    says(caplog.text, key="2 of 150", use="label")


def test_numbers_that_may_be_labels_or_ids_are_pointed_out(embeddings, ctx, write, caplog):
    with caplog.at_level(logging.WARNING):
        embeddings(write("d0,label,row\n.1,0,1\n.2,1,2\n.4,0,3\n")).load(ctx)
    says(caplog.text, key="'label'", use="dataset.label=label")
    says(caplog.text, key="ids", use="row numbers")
    says(caplog.text, key="'row'", use="dataset.id=row")


@pytest.mark.parametrize(
    ("text", "key", "use", "facts"),
    [
        ("id,d0,d1\na,1,2\nb,1,2,3\n", "line 3", "repair that line", ("4 fields", "header has 3")),
        ("id,d0,note,d1\na,1,good,2\nb,1,bad,2\n", "'note'", "dataset.exclude=[note]", ("'good'", "line 2")),
        (
            "id,d0,d1\na,1,2\nb,3,oops\nc,1,2\n",
            "'oops' in the column 'd1'",
            "dataset.exclude=[d1]",
            ("line 3", "id 'b'", "this column: 1", "1 columns: 1"),
        ),
        (
            "id,d0,d1\n\na,1,2\nb,NaN,\nc,,2\n",
            "'NaN' in the column 'd0'",
            "dataset=table",
            ("line 4", "id 'b'", "this column: 2", "2 columns: 3"),
        ),
        (
            "id,d0,d1\na,1,2\nb,3,-inf\nc,1,1e39\n",
            "'-inf' in the column 'd1'",
            "dataset.exclude=[d1]",
            ("float32", "line 3", "id 'b'", "this column: 2"),
        ),
        ("id,d0\n", "no rows", "a table with rows", ()),
        ("id,d0\na,1\n,2\n", "no id in line 3", "fill it, or remove the row", ()),
        ("id,d0\na,1\nb,2\na,3\n", "the id 'a'", "dataset.exclude=[id]", ("line 2", "line 4")),
        ("id,name\na,x\n", "id, name", "a table with numbers", ()),
        ("one,two,d0\na,x,1\nb,y,2\n", "one, two", "dataset.id=one", ()),
    ],
)
def test_an_invalid_file_is_an_error_with_the_line(embeddings, ctx, write, text, key, use, facts):
    path = write(text)
    with pytest.raises(ValueError) as error:
        embeddings(path).load(ctx)
    message = says(error, key=f"dataset.path={path}", use=key)
    says(message, key=key, use=use)
    assert [fact for fact in facts if fact not in message] == []
    assert not list(ctx.store.root.glob("embeddings-*"))


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"id": "who"}, "dataset.id=who", "id, d0"),
        ({"label": "kind"}, "dataset.label=kind", "id, d0"),
        ({"exclude": ("d0", "x")}, "dataset.exclude=[x]", "id, d0"),
        ({"ids": "ids.txt"}, "dataset.ids=ids.txt", "dataset.id="),
    ],
)
def test_a_setting_that_names_no_column_is_answered(embeddings, ctx, write, changes, key, use):
    with pytest.raises(ValueError) as error:
        embeddings(write("id,d0\na,1\nb,2\n"), **changes).load(ctx)
    says(error, key=key, use=use)


@pytest.mark.parametrize(
    ("array", "changes", "key", "use", "facts"),
    [
        (np.zeros(4), {}, "dataset.path={}/rows.npy", ".npz as `embeddings`", ("float64[4]",)),
        (np.array([["a", "b"]]), {}, "dataset.path={}/rows.npy", ".npz as `embeddings`", ("<U1[1, 2]",)),
        (np.zeros((0, 3)), {}, "dataset.path={}/rows.npy", "an array with rows", ("[0, 3]",)),
        (np.array([[1, np.nan]]), {}, "'nan' in the column 'd1'", "dataset=table", ("row 1", "id '0'")),
        (np.array([[1, 2], [1e300, 2]]), {}, "'1e+300' in the column 'd0'", "exclude=[d0]", ("row 2",)),
        (
            np.array([[None, 1]], object),
            {},
            "embeddings",
            "embeddings.astype('float32')",
            ("Python objects",),
        ),
        (np.eye(2), {"label": "x"}, "dataset.label=x", "dataset.label=null", ()),
        (np.eye(2), {"exclude": ("x",)}, "dataset.exclude=[x]", "d0, d1", ()),
        (np.eye(2), {"ids": "short.txt"}, "dataset.ids={}/short.txt", "the ids of these", ("3 ids", "2 vec")),
        (np.eye(2), {"ids": "twice.npy"}, "the id 'a'", "dataset.ids=<", ("row 1", "row 2")),
        (
            np.eye(2),
            {"ids": "none.txt"},
            "dataset.ids={}/none.txt",
            "readable file",
            ("No such file",),
        ),
        (np.eye(2), {"ids": "wide.csv"}, "dataset.ids={}/wide.csv", "image_id", ("2 columns",)),
    ],
)
def test_invalid_arrays_are_an_error_with_the_reason(
    embeddings, ctx, tmp_path, array, changes, key, use, facts
):
    np.save(tmp_path / "rows.npy", array, allow_pickle=True)
    (tmp_path / "short.txt").write_text("a\nb\nc\n", encoding="utf-8")
    (tmp_path / "wide.csv").write_text("one,two\na,b\n", encoding="utf-8")
    np.save(tmp_path / "twice.npy", np.array(["a", "a"]))
    if "ids" in changes:
        changes = {"ids": str(tmp_path / changes["ids"])}
    with pytest.raises(ValueError) as error:
        embeddings(tmp_path / "rows.npy", **changes).load(ctx)
    text = says(error, key=key.format(tmp_path), use=use)
    assert [fact for fact in facts if fact not in text] == []


def test_the_only_array_of_rows_needs_no_name(embeddings, ctx, tmp_path):
    np.savez(tmp_path / "rows.npz", features=np.eye(3), names=np.array(["a", "b", "c"]))
    samples = embeddings(tmp_path / "rows.npz").load(ctx)
    np.testing.assert_array_equal(samples.content.vectors(), np.eye(3))
    np.savez(tmp_path / "rows.npz", one=np.eye(3), two=np.eye(3))
    with pytest.raises(ValueError) as error:
        embeddings(tmp_path / "rows.npz").load(ctx)
    says(error, key="one float64[3, 3], two float64[3, 3]", use="`embeddings`")


def typed(error):
    """Return the columns of the dataset.exclude that an error suggests."""
    return tuple(re.search(r"dataset\.exclude=\[([^]]*)\]", str(error.value))[1].replace('"', "").split(","))


def test_nested_parquet_columns_are_an_error_with_suggestions(embeddings, ctx, tmp_path):
    table = pd.DataFrame(
        {"id": ["a", "b"], "embedding": [[1.0, 2.0], [3.0]], "box b": [{"x": 1}, {"x": 2}], "d": [5, 6]}
    )
    table.to_parquet(tmp_path / "rows.parquet")
    with pytest.raises(ValueError) as error:
        embeddings(tmp_path / "rows.parquet").load(ctx)
    assert "list<" in says(error, key="'embedding'", use="a column for each value")
    samples = embeddings(tmp_path / "rows.parquet", exclude=typed(error)).load(ctx)
    assert (samples.columns, list(samples.ids)) == (("d",), ["a", "b"])


@pytest.mark.parametrize("name", ["id", "name"])
def test_duplicate_ids_can_be_excluded_as_suggested(embeddings, ctx, write, name):
    path = write(f"{name},d0\nx,1\nx,2\n")
    with pytest.raises(ValueError) as error:
        embeddings(path).load(ctx)
    assert "line 2 and line 3" in says(error, key=f"the {name} 'x'", use="keep one row")
    assert list(embeddings(path, exclude=typed(error)).load(ctx).ids) == ["0", "1"]
    with pytest.raises(ValueError) as error:
        embeddings(path, id=name).load(ctx)
    says(error, key=f"the {name} 'x'", use="dataset.id=<another column>")


@pytest.mark.parametrize("extension", ["npy", "npz"])
def test_the_suggestion_for_arrays_with_missing_values_works(embeddings, table, ctx, tmp_path, extension):
    values, path = np.array([[1, np.nan, 0], [2, 5, 1], [4, 7, 3.0]]), tmp_path / f"rows.{extension}"
    np.save(path, values) if extension == "npy" else np.savez(path, embeddings=values, ids=["a", "b", "c"])
    with pytest.raises(ValueError) as error:
        embeddings(path).load(ctx)
    says(error, key="'nan' in the column 'd1'", use="dataset=table")
    left = embeddings(path, exclude=typed(error)).load(ctx)
    assert left.columns == ("d0", "d2")
    np.testing.assert_array_equal(left.content.vectors(), values[:, [0, 2]])
    filled = table(path).load(ctx)
    np.testing.assert_array_equal(filled.content.vectors()[:, 1], [6, 5, 7])
    assert list(filled.ids) == (["0", "1", "2"] if extension == "npy" else ["a", "b", "c"])
    assert table(path).count() == 3
    values[2, 2] = 1e300
    np.save(tmp_path / "large.npy", values)
    with pytest.raises(ValueError) as error:
        embeddings(tmp_path / "large.npy", exclude=("d1",)).load(ctx)
    assert "row 3" in says(error, key="'1e+300' in the column 'd2'", use="dataset.exclude=[d2]")


def test_the_suggestion_for_arrays_of_python_objects_works(embeddings, ctx, tmp_path):
    path, ids = tmp_path / "rows.npz", np.array(["a", "b"], object)
    np.savez(path, embeddings=np.eye(2), ids=ids, notes=ids)
    with pytest.raises(ValueError) as error:
        embeddings(path).load(ctx)
    says(error, key=f"dataset.path={path}", use="ids.astype(str)")
    np.savez(path, embeddings=np.eye(2).astype(object), ids=ids.astype(str))
    with pytest.raises(ValueError) as error:
        embeddings(path).load(ctx)
    says(error, key=f"dataset.path={path}", use="embeddings.astype('float32')")
    np.savez(path, embeddings=np.eye(2).astype(object).astype("float32"), ids=ids.astype(str), notes=ids)
    assert list(embeddings(path).load(ctx).ids) == ["a", "b"]
    np.save(tmp_path / "ids.npy", ids)
    np.save(tmp_path / "rows.npy", np.eye(2))
    with pytest.raises(ValueError) as error:
        embeddings(tmp_path / "rows.npy", ids=str(tmp_path / "ids.npy")).load(ctx)
    says(error, key=f"dataset.ids={tmp_path}/ids.npy", use="ids.astype(str)")


@pytest.mark.parametrize(
    "ids", [np.array([b"001", "é".encode()]), np.array(["001", "é"]), ["001", "é"], [" 001", "é "]]
)
def test_ids_next_to_arrays_stay_text(embeddings, ctx, tmp_path, ids):
    np.save(tmp_path / "rows.npy", np.eye(2))
    extension = "npy" if isinstance(ids, np.ndarray) else "txt"
    path = tmp_path / f"ids.{extension}"
    np.save(path, ids) if extension == "npy" else path.write_text("\n".join(ids), encoding="utf-16")
    assert list(embeddings(tmp_path / "rows.npy", ids=str(path)).load(ctx).ids) == ["001", "é"]


def test_arrays_that_are_not_used_are_named(embeddings, ctx, tmp_path, caplog):
    np.savez(tmp_path / "rows.npz", X=np.eye(3), y=np.arange(3))
    embeddings(tmp_path / "rows.npz").load(ctx)
    says(caplog.text, key="not used", use="y")


def test_images_are_found_and_change_no_key(embeddings, ctx, two_classes, tmp_path):
    ids = [f"{('cats', 'dogs')[row % 2]}/{row}.png" for row in range(10)]
    path = saved(tmp_path, "csv", frame(DIGITS[:10], ids))["path"]
    bare, shown = embeddings(path).load(ctx), embeddings(path, images=str(two_classes)).load(ctx)
    assert shown.data_key == bare.data_key
    assert shown.report_key != bare.report_key  # the images differ
    assert (bare.content.has_images, shown.content.has_images) == (False, True)
    few = shown.content.take(np.array([2, 5]))
    np.testing.assert_array_equal(few.pixels(Resize(6), ctx), shown.content.pixels(Resize(6), ctx)[[2, 5]])
    assert list(few.images.paths) == list(shown.ids[[2, 5]])


def test_memory_is_bounded_by_a_few_chunks(embeddings, ctx, tmp_path, monkeypatch):
    """Arrow allocates memory for a few chunks at most, not for the file."""
    import pyarrow as pa

    values = np.tile(DIGITS, (20, 1))
    path = saved(tmp_path, "csv", frame(values, [f"{row:05}" for row in range(6000)]))["path"]
    pool = pa.default_memory_pool()
    before, allocated = pool.bytes_allocated(), []
    original = blocks._CsvReader.block

    def watched(reader, *piece):
        block = original(reader, *piece)
        allocated.append(pool.bytes_allocated() - before)
        return block

    monkeypatch.setattr(blocks._CsvReader, "block", watched)
    embeddings(path, block_bytes=1 << 16).load(ctx)
    assert len(allocated) > 20
    assert max(allocated) < values.nbytes / 2


def test_a_file_that_changes_while_it_is_read_is_not_cached(embeddings, ctx, write, monkeypatch):
    path, read = write("id,d0\na,1\nb,2\n"), vector_rows.read_blocks

    def slow(*args):
        rows = read(*args)
        write("id,d0\na,1\nb,3\n")
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(vector_rows, "read_blocks", slow)
        with pytest.raises(ValueError) as error:
            embeddings(path).load(ctx)
    says(error, key=f"dataset.path={path}", use="run it again")
    assert embeddings(path).load(ctx).content.values[:, 0].tolist() == [1, 3]
