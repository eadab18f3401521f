"""Tables of measurements: texts, missing values and constants, and scikit-learn's own tables."""

import logging

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_iris, load_wine
from sklearn.metrics import adjusted_rand_score
from tests.messages import says

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build

BACKBONES = sorted({*compose.options("backbone")} - {"identity"})


@pytest.fixture
def write(tmp_path):
    def make(text, name="rows.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_text(text, encoding=encoding)
        return path

    return make


def known(name, folder):
    """Write one of scikit-learn's tables as CSV with shuffled rows; return its path and labels."""
    data = {"iris": load_iris, "wine": load_wine, "breast_cancer": load_breast_cancer}[name](as_frame=True)
    rows = data.data.assign(kind=data.target_names[data.target], id=[f"{row:03}" for row in data.data.index])
    rows.sample(frac=1, random_state=0).to_csv(folder / f"{name}.csv", index=False)
    return folder / f"{name}.csv", data


@pytest.mark.parametrize(
    ("name", "ari"), [("iris", 0.6), ("wine", 0.8), ("breast_cancer", 0.6)]
)  # ARI of k-means on standardised columns
def test_scikit_learns_tables_are_clustered(tmp_path, ctx, name, ari):
    path, data = known(name, tmp_path)
    k = len(data.target_names)
    typed = [
        "dataset=table", f"dataset.path={path}", "dataset.label=kind", f"cluster.k={k}", "cluster.n_redo=10",
        "protocol=published",
    ]  # fmt: skip
    result = pipeline.run(build(compose.compose_config(typed)).stages, ctx)
    np.testing.assert_allclose(result.embeddings, data.data.to_numpy(), rtol=1e-6)
    assert result.samples.columns == tuple(data.data.columns)
    assert set(result.samples.class_names) == set(data.target_names)
    np.testing.assert_allclose(result.reduced.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(result.reduced.std(axis=0), 1, atol=1e-5)
    assert result.metrics["ari"] > ari
    assert adjusted_rand_score(data.target, result.clustering.assignments) == pytest.approx(
        result.metrics["ari"]
    )


def test_columns_that_are_not_features_are_left_out_and_logged(table, ctx, write, caplog):
    path = write(
        "image_id,a,note,b,c,d,code\n"
        "010,1,x,2,,5,7\n2,,y,2,NA,6,q\n3,3,,2,,NaN,r\n4,8,w,2,nan,8,s\n"
    )  # fmt: skip
    with caplog.at_level(logging.WARNING):
        samples = table(path).load(ctx)
    assert samples.columns == ("a", "d")
    assert list(samples.ids) == ["010", "2", "3", "4"]
    np.testing.assert_array_equal(samples.content.vectors(), [[1, 5], [3, 6], [3, 6], [8, 8]])
    assert samples.skipped == ()
    for key, names in (
        ("2 text columns", "note, code"),
        ("1 empty columns", "c"),
        ("1 constant columns", "b (always 2)"),
        ("missing values", ": a (1), d (1)"),
    ):
        says(caplog.text, key=key, use=f": {names}" if key[0].isdigit() else names)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        table(path).load(ctx)
    assert ": a (1), d (1)" in caplog.text  # logged again for a cached table


def test_a_text_column_with_a_usual_name_of_labels_is_suggested(table, ctx, write, caplog):
    path = write("id,a,Species\n1,1,x\n2,2,y\n3,5,x\n")
    with caplog.at_level(logging.WARNING):
        table(path).load(ctx)
    says(caplog.text, key="'Species'", use="dataset.label=Species")
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        table(path, label="Species").load(ctx)
    assert "dataset.label" not in caplog.text


def test_a_median_between_two_values_is_their_mean(table, ctx, write):
    samples = table(write("id,a\n1,0.1\n2,\n3,0.2\n4,0.7\n5,9\n")).load(ctx)
    assert samples.content.vectors()[1, 0] == pytest.approx(0.45)


def test_shuffled_rows_are_the_same_data_set(table, ctx, tmp_path):
    path, data = known("wine", tmp_path)
    first = table(path, label="kind").load(ctx)
    rows = pd.read_csv(path, dtype=str).sample(frac=1, random_state=1)
    rows.to_csv(path, index=False)
    assert table(path, label="kind").load(ctx).data_key == first.data_key
    rows.to_csv(path, index=False, sep=";")
    assert table(path, label="kind").load(ctx).data_key == first.data_key
    rows.astype(dict.fromkeys(data.data.columns, float)).to_parquet(tmp_path / "wine.parquet")
    assert table(tmp_path / "wine.parquet", label="kind").load(ctx).data_key == first.data_key


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16"])
def test_a_spreadsheets_export_is_read(table, ctx, write, encoding):
    path = write("Größe;id;Länge\n1,5;Ä;2\n2,5;Ö;3,25\n", encoding=encoding)
    samples = table(path).load(ctx)
    assert (list(samples.ids), samples.columns) == (["Ä", "Ö"], ("Größe", "Länge"))
    np.testing.assert_array_equal(samples.content.vectors(), [[1.5, 2], [2.5, 3.25]])


def test_columns_of_0_and_1_are_features(table, ctx, write):
    samples = table(write("id,sunny,wet\na,1,0\nb,0,0\nc,1,1\n"), exclude=("wet",)).load(ctx)
    np.testing.assert_array_equal(samples.content.vectors(), [[1], [0], [1]])
    assert samples.columns == ("sunny",)


def test_ids_need_no_digits_and_labels_may_be_missing(table, ctx, write):
    path = write("name,a,kind\nbob,1,x\nann,2,\ncid,3,x\neva,4,y\n")
    whole = table(path, label="kind").load(ctx)
    assert list(zip(whole.ids, whole.label_names, strict=True)) == [
        ("ann", ""), ("bob", "x"), ("cid", "x"), ("eva", "y"),
    ]  # fmt: skip
    np.testing.assert_array_equal(whole.content.vectors()[:, 0], [2, 1, 3, 4])
    samples = table(path, label="kind", unlabelled="drop").load(ctx)
    assert list(samples.ids) == ["bob", "cid", "eva"]
    assert samples.skipped == (("ann", "no label"),)
    np.testing.assert_array_equal(samples.content.vectors()[:, 0], [1, 3, 4])


@pytest.mark.parametrize(
    ("text", "use", "facts"),
    [
        (
            "id,a\n1,1\n2,2\n3,two\n4,?\n",
            "dataset.exclude=[a]",
            ("'two' in the column 'a'", "line 4, id '3'", "2 such"),
        ),
        (
            "id,a\n1,1\n2,inf\n",
            "dataset.exclude=[a]",
            ("'inf' in the column 'a'", "float32", "line 3, id '2'", "1 such"),
        ),
        ("id,a,b\n1,1,\n2,1,\n", "another table", ("no column",)),
        ("id,a,b\n1,2,3\n2,3\n", "repair that line", ("line 3", "2 fields", "header has 3")),
        ("id,a\n", "a table with rows", ("no rows",)),
        ("id,a\n7,1\n7,2\n", "dataset.exclude=[id]", ("'7'", "line 2", "line 3")),
    ],
)
def test_an_invalid_value_is_an_error_with_the_line(table, ctx, write, text, use, facts):
    path = write(text)
    with pytest.raises(ValueError) as error:
        table(path).load(ctx)
    message = says(error, key=f"dataset.path={path}", use=use)
    assert [fact for fact in facts if fact not in message] == []


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize("kind", ["embeddings", "table"])
def test_a_backbone_for_images_suggests_another_for_vectors(tmp_path, ctx, name, kind):
    path, _ = known("wine", tmp_path)
    typed = [f"dataset={kind}", f"dataset.path={path}", "dataset.label=kind", f"backbone={name}"]
    stages = build(compose.compose_config(typed)).stages
    with pytest.raises(ValueError) as error:
        pipeline.run(stages, ctx)
    assert "wine" in says(error, key=f"backbone={name}", use="backbone=identity")
    assert [key.partition("-")[0] for key in ctx.store.computed] == ["content", kind]


@pytest.mark.parametrize(
    ("typed", "reducer"),
    [
        (["dataset=table"], "standardize"),
        (["dataset=table", "reducer=pca"], "pca"),
        (["reducer=umap", "dataset=table"], "umap"),
        (["dataset=embeddings"], "pca"),
        (["dataset=table", "backbone=pixels"], "standardize"),
    ],
)
def test_a_table_chooses_what_nobody_typed(typed, reducer):
    stages = build(compose.compose_config(typed)).stages
    assert type(stages.reducer).__module__ == f"experiments.reducer.{reducer}"
    expected = "pixels" if "backbone=pixels" in typed else "identity"
    assert type(stages.backbone).__module__ == f"experiments.backbone.{expected}"


@pytest.mark.parametrize("header", [None, False])
def test_a_table_without_a_header_keeps_its_first_row(table, ctx, write, caplog, header):
    rows = [f"{n % 7},Private,{n * 37 % 11},{('a', 'b')[n % 2]},{n * n % 13}" for n in range(40)]
    samples = table(write("\n".join(rows)), header=header, label="column_4").load(ctx)
    assert (len(samples), samples.columns) == (40, ("column_1", "column_3", "column_5"))
    assert samples.class_names == ("a", "b")
    assert ("dataset.header=true" in caplog.text) == (header is None)
    assert table(write("\n".join(rows)), header=header).count() == 40


@pytest.mark.parametrize("names", ["9.997515,9.991645,9.985775", "4000,3998,3996", "2019,2018,2017"])
@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_a_header_may_be_numbers(table, ctx, tmp_path, names, extension):
    rows = [f"s{n},{n * 37 % 11 / 7:.3f},{n * 5 % 13 / 7:.3f},{n % 3 / 7:.3f}" for n in range(40)]
    path = tmp_path / f"rows.{extension}"
    path.with_suffix(".csv").write_text("\n".join([f"country,{names}", *rows]), encoding="utf-8")
    if extension == "parquet":
        pd.read_csv(path.with_suffix(".csv")).to_parquet(path)
    samples = table(path).load(ctx)
    assert (len(samples), samples.columns) == (40, tuple(names.split(",")))


def test_ids_and_labels_that_only_spaces_tell_apart_stay_two(table, ctx, write, caplog):
    chosen = {"label": "kind", "split": {"train": 1.0}}
    samples = table(write("id,a,kind\n a,1, x\na,2,x\nb ,3,y\nc,4, y\n"), **chosen).load(ctx)
    assert list(samples.ids) == [" a", "a", "b", "c"]
    assert samples.class_names == (" x", " y", "x", "y")
    says(caplog.text, key="4 classes", use="spaces")
    assert table(write("id,a,kind\n a,1, x\nb ,3,y\n"), **chosen).load(ctx).class_names == ("x", "y")
