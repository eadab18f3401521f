"""Labels from a file: matching of ids, missing labels, and errors."""

import logging
import unicodedata

import numpy as np
import pandas as pd
import pytest
from tests.messages import says
from tests.studies import study_e

from experiments.dataset.labels.joining import Labels

IDS = np.array(["cats/img_007.png", "dogs/img_012.png", "dogs/img_113.png"])
BY_DIGITS = {"match": "digits"}
TAGGED = BY_DIGITS | {"tags": ["n"]}


def read(path, **settings):
    return Labels.of({"path": str(path), **settings}).match(IDS)


@pytest.mark.parametrize(
    ("match", "names"),
    [
        ("exact", ["cats/img_007.png", "dogs/img_012.png", "dogs/img_113.png"]),
        ("name", ["img_007.png", "elsewhere/img_012.png", "img_113.png"]),
        ("stem", ["img_007", "img_012.jpg", "elsewhere\\img_113.tif"]),
        ("digits", ["7", "P12", "113"]),
    ],
)
def test_each_way_of_matching_finds_all(tmp_path, match, names):
    path = tmp_path / "labels.csv"
    pd.DataFrame({"image_id": names, "label": ["x", "y", "x"]}).to_csv(path, index=False)
    joined = read(path, match=match)
    assert list(joined.labels) == [0, 1, 0]
    assert joined.class_names == ("x", "y")


@pytest.mark.parametrize("match", ["stem", "digits"])
@pytest.mark.parametrize("named", [["2024.07", "2024.08"], ["2024.07.png", "2024.08.JPG"]])
def test_a_dot_that_begins_no_ending_is_part_of_the_name(tmp_path, match, named):
    path = tmp_path / "labels.csv"
    path.write_text(f"id,label\n{named[0]},x\n{named[1]},y\n", encoding="utf-8")
    images = np.array(["a/2024.07.png", "b/2024.08.HEIC"])
    assert list(Labels.of({"path": str(path), "match": match}).match(images).labels) == [0, 1]


def test_versions_of_a_photo_do_not_match_each_other(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\nphoto.v1,x\nphoto.v2,y\n", encoding="utf-8")
    for images in (["photo.v1.png", "photo.v2.png"], ["photo.v1", "photo.v2"]):
        assert list(Labels.of({"path": str(path), "match": "stem"}).match(np.array(images)).labels) == [0, 1]


def test_ids_stay_text(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n007,x\n12,y\n", encoding="utf-8")
    assert list(Labels.of({"path": str(path)}).match(np.array(["007", "012", "12"])).labels) == [0, -1, 1]


def test_parquet_and_tsv_are_read(tmp_path):
    table = pd.DataFrame({"id": [7, 12, 113], "label": [10, 2, None]})
    table.to_parquet(tmp_path / "labels.parquet")
    table.astype("Int64").to_csv(tmp_path / "labels.tsv", sep="\t", index=False)
    for path in (tmp_path / "labels.tsv", tmp_path / "labels.parquet"):
        joined = read(path, match="digits")
        assert list(joined.labels) == [1, 0, -1]  # 2 before 10
        assert joined.class_names == ("2", "10")


def test_the_first_usual_column_is_used_unless_one_is_set(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("filename,category,labels_txt,mine\nimg_007.png,c,l,m\n", encoding="utf-8")
    assert read(path, match="name").class_names == ("l",)
    assert read(path, match="name", column="mine").class_names == ("m",)


def test_a_class_named_none_or_na_is_a_class(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,None\n12,NA\n113,\n", encoding="utf-8")
    joined = read(path, match="digits")
    assert joined.class_names == ("NA", "None")
    assert list(joined.labels) == [1, 0, -1]


def test_what_matches_nothing_is_counted_on_both_sides(tmp_path, caplog):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,x\n500,y\n\n501,y\n,z\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        joined = read(path, match="digits")
    says(caplog.text, key="2 of 3 images", use="3 of 4 rows")
    assert [name for name, _ in joined.unmatched] == ["500", "501", ""]
    for (_, reason), line, why in zip(
        joined.unmatched, (3, 5, 6), ("no image", "no image", "no id"), strict=True
    ):
        says(reason, key=f"line {line} of labels.csv", use=why)


@pytest.mark.parametrize(
    ("text", "settings", "key", "use", "facts"),
    [
        ("id,label\n7,x\na,x\n", BY_DIGITS, ".match=digits", "stem or exact", ("1 rows", "'a' in line 3")),
        (
            "id,label\n7,x\n007,y\n",
            BY_DIGITS,
            ".path={}",
            ".match",
            ("'7' and '007'", "2 and 3"),
        ),
        (
            "id,label\ncats/img_007.png,x\n7,x\n7,x\n",
            {},
            ".path={}",
            ".match",
            ("'7' in lines 3 and 4",),
        ),
        ("id,label\n7,x\n7,x\n", {}, ".path={}", ".match=digits", ("'7'", "'cats/img_007.png'")),
        ("id,label\n7,x\n", {}, ".path={}", ".match=digits", ("'7'", "'cats/img_007.png'")),
        ("id,colour\n7,x\n", {}, ".column", "one of id, colour", ()),
        ("id,label\n7,x\n", {"column": "lable"}, ".column=lable", "one of id, label", ()),
        ("id,label\n7,\n", {}, ".column=label", "another", ("empty",)),
        ("", {}, ".path={}", "a CSV, TSV or Parquet file", ("empty",)),
        ("id,label\n7,x,y\n", {}, ".path={}", "repair that line", ("line 2",)),
        ("id,label\n", {}, ".path={}", "a table with rows", ()),
        ("id,label,n\n7,x,few\n", TAGGED, ".tags: n", "columns of 0 and 1", ("'few' in line 2",)),
        ("id,label,n\n7,x,inf\n", TAGGED, ".tags: n", "columns of 0 and 1", ("'inf' in line 2",)),
        ("id,label\n7,x\n", TAGGED, ".tags: n", "some of id, label", ()),
    ],
)
def test_an_invalid_label_file_is_an_error_with_the_reason(tmp_path, text, settings, key, use, facts):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as error:
        read(path, **settings)
    message = says(error, key=f"dataset.labels{key.format(path)}", use=use)
    assert [fact for fact in facts if fact not in message] == []


def test_an_image_without_digits_is_an_error(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,x\n", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        Labels.of({"path": str(path), "match": "digits"}).match(np.array(["7.png", "cover.png"]))
    says(says(error, key="dataset.labels.match=digits", use="stem"), key="1 images", use="'cover.png'")


def test_one_label_for_several_images_is_an_error(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n1.png,x\n", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        Labels.of({"path": str(path), "match": "name"}).match(np.array(["a/1.png", "b/1.png"]))
    assert "'a/1.png' and 'b/1.png'" in says(error, key="dataset.labels.match=name", use="match=exact")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError) as error:
        read(tmp_path / "nowhere.csv")
    says(error, key=f"dataset.labels.path={tmp_path}/nowhere.csv", use="a CSV, TSV or Parquet file")


@pytest.mark.parametrize("coding", ["utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_spreadsheets_file_is_read_as_it_was_meant(tmp_path, coding, separator):
    path = tmp_path / "labels.csv"
    rows = [("id", "label"), ("7", "Bär"), ("12", "'=cmd|' /C calc'!A0"), ("113", "-3")]
    path.write_text("".join(f"{separator.join(row)}\r\n" for row in rows), encoding=coding)
    joined = read(path, match="digits")
    assert {joined.class_names[label] for label in joined.labels} == {"Bär", "=cmd|' /C calc'!A0", "-3"}


def test_columns_of_numbers_are_tags(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "image_id,id,cluster,labels_txt,category,strong,cat,cat_weight,dog\n"
        "113,1,0,x,1,a;b,0,0.25,1\n7,2,0,y,1,b,1,,0\n500,3,0,y,1,c,1,1,1\n",
        encoding="utf-8",
    )
    joined = read(path, match="digits")
    assert joined.tag_names == ("cat", "cat_weight", "dog")
    assert joined.tags.dtype == np.float32
    np.testing.assert_array_equal(joined.tags, [[1, 0, 0], [0, 0, 0], [0, 0.25, 1]])
    chosen = read(path, match="digits", tags=["dog", "category"])
    assert chosen.tag_names == ("dog", "category")
    np.testing.assert_array_equal(chosen.tags, [[0, 1], [0, 0], [1, 1]])
    assert read(path, match="digits", tags=[]).tags is None


def test_an_empty_tag_counts_as_0_with_a_warning(tmp_path, caplog):
    path = tmp_path / "labels.csv"
    path.write_text("id,label,cat\n7,x,\n12,x,1\n", encoding="utf-8")
    read(path, match="digits")
    says(caplog.text, key="cat", use="count as 0")


def test_parquets_true_and_false_are_tags(tmp_path):
    table = pd.DataFrame({"id": [7, 12], "label": ["x", "y"], "cat": [True, False]})
    table.to_parquet(tmp_path / "labels.parquet")
    np.testing.assert_array_equal(read(tmp_path / "labels.parquet", match="digits").tags, [[1], [0], [0]])


def test_tags_that_are_no_list_say_what_to_type():
    with pytest.raises(ValueError) as error:
        Labels.of({"path": "a.csv", "tags": "cat"})
    says(error, key="dataset.labels.tags=cat", use="dataset.labels.tags=[cat]")


def test_study_es_labels_meet_their_images(tmp_path):
    table, labels = study_e.write(tmp_path)
    ids = np.array([line.partition(",")[0] for line in table.read_text(encoding="utf-8").splitlines()[1:]])
    joined = Labels.of({"path": str(labels), "match": "digits"}).match(ids)
    assert (joined.labels >= 0).all()
    assert joined.class_names == study_e.NAMES
    assert [name for name, _ in joined.unmatched] == [f"img_{number:03}.jpg" for number in study_e.MISSING]
    assert joined.tag_names == (*study_e.NAMES, *(f"{name}_weight" for name in study_e.NAMES))
    assert (joined.tags[np.arange(len(ids)), joined.labels] == 1).all()  # each has the tag of its label


def images(*names):
    return np.array(names)


def found_in(path, ids, text, **settings):
    path = path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    joined = Labels.of({"path": str(path), **settings}).match(ids)
    return [None if label < 0 else joined.class_names[label] for label in joined.labels], joined


@pytest.mark.parametrize("spelt", ["{}.0", "{}", "{:03}", "{}.", "{}e0", "{}.png", "img_{}", "{:,}.0"])
def test_digits_are_those_of_the_number(tmp_path, spelt):
    ids = images(*(f"{n:03}.png" for n in range(1, 101)), "1000.png", "2000.png")
    numbers = [*range(1, 101), 1000, 2000]
    rows = "".join(f'"{spelt.format(n)}",{"abcdefg"[n % 7]}\n' for n in numbers)
    labels, _ = found_in(tmp_path, ids, f"image_id,label\n{rows}", match="digits")
    assert labels == ["abcdefg"[n % 7] for n in numbers]


def test_a_number_that_is_not_whole_is_no_other_images(tmp_path):
    ids = images("150.png", "15.png", "2.png", "3.5.png")
    text = "id,label\n1.50,x\n2,z\n3.50,w\n"
    labels, joined = found_in(tmp_path, ids, text, match="digits")
    assert labels == [None, None, "z", "w"]
    assert [name for name, _ in joined.unmatched] == ["1.50"]


def test_floats_of_parquet_are_whole_again(tmp_path):
    table = pd.DataFrame({"id": [1.0, 10.0, None], "label": ["x", "y", "z"]})
    table.to_parquet(tmp_path / "labels.parquet")
    for match, ids in (("digits", images("001.png", "010.png")), ("exact", images("1", "10"))):
        joined = Labels.of({"path": str(tmp_path / "labels.parquet"), "match": match}).match(ids)
        assert list(joined.labels) == [0, 1]


NFC, NFD = (unicodedata.normalize(form, "café") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("ids", "rows", "labels"),
    [
        ((" cat/0.png", "cat/0.png"), " cat/0.png,x\n", ["x", None]),
        ((" cat/0.png", "cat/0.png"), "cat/0.png,x\n", [None, "x"]),
        ((" cat/0.png", "dog/0.png"), "cat/0.png,x\n", ["x", None]),
        ((f"{NFD}/0.png", "b.png"), f"{NFC}/0.png,x\n", ["x", None]),
        ((f"{NFD}.png", f"{NFC}.png"), f"{NFC}.png,x\n{NFD}.png,y\n", ["y", "x"]),
        (("001", "1"), "1,x\n001,y\n", ["y", "x"]),
        (("A.png", "a.png"), "a.png,x\n", [None, "x"]),
        (("A.png", "b.png"), "a.png,x\n", ["x", None]),
        (("A.png", "a.png", "b.png"), "a.PNG,x\nb.png,y\n", [None, None, "y"]),
    ],
)
def test_an_id_is_matched_exactly_first_and_loosely_only_if_that_is_clear(tmp_path, ids, rows, labels):
    assert found_in(tmp_path, images(*ids), f"image_id,label\n{rows}")[0] == labels


def test_the_matches_of_each_rule_are_logged(tmp_path, caplog):
    ids = images("a/1.png", "a/2.png", f"{NFD}.png", "x.png", "X.png")
    text = f"id,label\na/1.png,x\n2.png,y\n{NFC}.png,z\n X.PNG,w\n"
    labels, joined = found_in(tmp_path, ids, text, match="name")
    assert labels == ["x", "y", "z", None, None]
    says(caplog.text, key="3 of 5 images", use="1 exactly, 1 by file name, 1 ignoring")
    says(joined.unmatched[0][1], key="line 5 of labels.csv", use="'X.png'")


def test_equal_ids_are_matched_though_their_names_are_shared(tmp_path):
    ids = images("a/1.png", "b/1.png")
    for match in ("name", "stem", "digits"):
        assert found_in(tmp_path, ids, "id,label\na/1.png,x\nb/1.png,y\n", match=match)[0] == ["x", "y"]
    with pytest.raises(ValueError) as error:
        found_in(tmp_path, ids, "id,label\na/1.png,x\n1.png,y\n", match="name")
    says(error, key="dataset.labels.match=name", use="'a/1.png' and 'b/1.png'; use match=exact")


@pytest.mark.parametrize(("row", "remedy"), [("img_007.png", "name"), ("img_007", "stem"), ("7", "digits")])
def test_where_nothing_matches_the_way_that_would_is_named(tmp_path, row, remedy):
    text = f"id,label\n{row},x\n"
    with pytest.raises(ValueError) as caught:
        found_in(tmp_path, IDS, text)
    says(caught, key=f"dataset.labels.path={tmp_path}/labels.csv", use=f"dataset.labels.match={remedy}")
    way = str(caught.value).partition("match=")[2].partition(",")[0]
    assert found_in(tmp_path, IDS, text, match=way)[0] == ["x", None, None]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([" cat", "dog "], ["cat", "dog"]),
        ([" cat", "cat"], [" cat", "cat"]),
        (["NA", "None"], ["NA", "None"]),
        (["nan", "null"], ["nan", "null"]),
        (["1", "01"], ["1", "01"]),
        (["true", "-"], ["true", "-"]),
        (["2020-01-01", "1e3"], ["2020-01-01", "1e3"]),
        (["9" * 5000, "10"], ["9" * 5000, "10"]),
        (["a,b", 'c"d\ne'], ["a,b", 'c"d\ne']),
    ],
)
@pytest.mark.parametrize("extension", ["csv", "parquet"])
def test_a_label_is_the_text_that_it_is(tmp_path, labels, classes, extension):
    table = pd.DataFrame({"id": ["a", "b", "c"], "label": [*labels, " "]})
    path = tmp_path / f"labels.{extension}"
    table.to_csv(path, index=False) if extension == "csv" else table.to_parquet(path)
    joined = Labels.of({"path": str(path)}).match(images("a", "b", "c"))
    assert [joined.class_names[label] for label in joined.labels[:2]] == classes
    assert joined.labels[2] == -1


def test_tiny_imagenets_annotations_have_no_header(tmp_path, caplog):
    rows = [("val_0.JPEG", "n034"), ("val_1.JPEG", "n040"), ("val_2.JPEG", "n034"), ("val_3.JPEG", "n051")]
    text = "".join(f"{name}\t{label}\t0\t{n}\t44\t62\n" for n, (name, label) in enumerate(rows))
    ids = images(*(f"images/{name}" for name, _ in rows))
    with caplog.at_level(logging.INFO):
        labels, joined = found_in(tmp_path, ids, text, match="name")
    assert labels == [label for _, label in rows]
    assert (joined.tag_names, joined.unmatched) == ((), ())
    says(caplog.text, use="dataset.labels.header=true")
    says(caplog.text, key="'column_1'", use="'column_2'")
    says(caplog.text, key="column_3", use="dataset.labels.tags=[column_3]")
    assert found_in(tmp_path, ids, text, match="name", tags=["column_3"])[1].tag_names == ("column_3",)
    named = "file\tlabel\tx\ty\tw\th\n"
    assert found_in(tmp_path, ids, named + text, match="name")[0] == labels
    with pytest.raises(ValueError) as error:
        found_in(tmp_path, ids, text, header=5)
    says(error, key="dataset.labels.header=5", use="null")
    with pytest.raises(ValueError) as error:
        found_in(tmp_path, ids, text.replace("\t0\t0", "\t0\t7"), match="name", header=True)
    says(error, key="dataset.labels.id", use="val_0.JPEG")


def test_a_list_of_names_alone_has_no_labels(tmp_path):
    with pytest.raises(ValueError) as error:
        found_in(tmp_path, IDS, "".join(f"{name}\n" for name in IDS))
    says(error, key="dataset.labels.column", use="one of column_1")


def test_the_usual_name_that_is_spelt_so_comes_first(tmp_path):
    text = "ID,id,Category,label\nx,7,a,b\n"
    assert found_in(tmp_path, IDS, text, match="digits")[0] == ["b", None, None]


def test_columns_that_are_no_tags_are_left_out_and_named(tmp_path, caplog):
    text = "ID,Label,cat,weight,x,w,xmin,age,note\n7,a,1,.5,0.1,0.2,0,33,z\n12,b,0,.25,0.3,.4,1,5,z\n"
    with caplog.at_level(logging.INFO):
        _, joined = found_in(tmp_path, IDS, text, match="digits")
    assert joined.tag_names == ("cat", "weight")
    says(
        caplog.text,
        key="ids are in 'ID', labels in 'Label', tags in cat, weight",
        use="x, w, xmin, age, note",
    )
    assert found_in(tmp_path, IDS, text, match="digits", tags=["age"])[1].tags[:, 0].tolist() == [33, 5, 0]


def test_columns_may_be_named_by_numbers_and_texts_be_long(tmp_path):
    text = f"1,2019\n7,{'x' * 200_000}\n"
    chosen = {"id": 1, "column": 2019, "header": True}
    assert found_in(tmp_path, IDS, text, match="digits", **chosen)[0] == ["x" * 200_000, None, None]


def test_columns_are_named_in_either_form_of_unicode(tmp_path):
    text = f"{NFD}, kind \n7,x\n"
    assert found_in(tmp_path, IDS, text, match="digits", id=NFC, column="kind")[0] == ["x", None, None]
