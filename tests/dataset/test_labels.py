"""Labels from a file: how ids meet, what is missing, and what cannot be."""

import logging

import numpy as np
import pandas as pd
import pytest
from tests import study_e

from experiments.dataset.labels import Labels

IDS = np.array(["cats/img_007.png", "dogs/img_012.png", "dogs/img_113.png"])


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
    found = read(path, match=match)
    assert list(found.labels) == [0, 1, 0]
    assert found.class_names == ("x", "y")


@pytest.mark.parametrize("match", ["stem", "digits"])
@pytest.mark.parametrize("named", [["2024.07", "2024.08"], ["2024.07.png", "2024.08.JPG"]])
def test_a_dot_that_begins_no_ending_is_part_of_the_name(tmp_path, match, named):
    path = tmp_path / "labels.csv"
    path.write_text(f"id,label\n{named[0]},x\n{named[1]},y\n", encoding="utf-8")
    images = np.array(["a/2024.07.png", "b/2024.08.HEIC"])
    assert list(Labels.of({"path": str(path), "match": match}).match(images).labels) == [0, 1]


def test_versions_of_a_photo_are_told_apart(tmp_path):
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
        found = read(path, match="digits")
        assert list(found.labels) == [1, 0, -1]  # 2 before 10
        assert found.class_names == ("2", "10")


def test_the_first_usual_column_is_taken_unless_one_is_named(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("filename,category,labels_txt,mine\nimg_007.png,c,l,m\n", encoding="utf-8")
    assert read(path, match="name").class_names == ("l",)
    assert read(path, match="name", column="mine").class_names == ("m",)


def test_a_class_named_none_or_na_is_a_class(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,None\n12,NA\n113,\n", encoding="utf-8")
    found = read(path, match="digits")
    assert found.class_names == ("NA", "None")
    assert list(found.labels) == [1, 0, -1]


def test_what_matches_nothing_is_counted_on_both_sides(tmp_path, caplog):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,x\n500,y\n\n501,y\n,z\n", encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        found = read(path, match="digits")
    assert "2 of 3 images have no row, 3 of 4 rows match no image" in caplog.text
    assert found.unmatched == (
        ("500", "line 3 of labels.csv matches no image"),
        ("501", "line 5 of labels.csv matches no image"),
        ("", "line 6 of labels.csv has no id"),
    )


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("id,label\n7,x\na,x\n", {"match": "digits"}, r"meets 1 rows without digits .*\('a' in line 3\)"),
        ("id,label\n7,x\n007,y\n", {"match": "digits"}, "'7' and '007' in lines 2 and 3; keep one"),
        ("id,label\ncats/img_007.png,x\n7,x\n7,x\n", {}, "has 1 rows .* has one .*'7' in lines 3 and 4"),
        ("id,label\n7,x\n7,x\n", {}, "matches no image.*'7'.*'cats/img_007.png'.*match"),
        ("id,label\n7,x\n", {}, "matches no image.*'7'.*'cats/img_007.png'.*match"),
        ("id,colour\n7,x\n", {}, "dataset.labels.column is not given.*use one of id, colour"),
        (
            "id,label\n7,x\n",
            {"column": "lable"},
            "dataset.labels.column=lable is no column.*use one of id, label",
        ),
        ("id,label\n7,\n", {}, "dataset.labels.column=label is empty"),
        ("", {}, "cannot be read as CSV"),
        ("id,label\n7,x,y\n", {}, "is broken in line 2"),
        ("id,label\n", {}, "has a header and no rows"),
        (
            "id,label,n\n7,x,few\n",
            {"match": "digits", "tags": ["n"]},
            "labels.tags: n of .* holds 'few' in line 2; use columns",
        ),
        (
            "id,label,n\n7,x,inf\n",
            {"match": "digits", "tags": ["n"]},
            "labels.tags: n of .* holds 'inf' in line 2; use columns",
        ),
        (
            "id,label\n7,x\n",
            {"match": "digits", "tags": ["n"]},
            "labels.tags: n is no column of .*; use some of id, label",
        ),
    ],
)
def test_a_file_that_does_not_fit_says_why(tmp_path, text, settings, message):
    path = tmp_path / "labels.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read(path, **settings)


def test_an_image_without_digits_is_an_error(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,x\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"1 images without digits \('cover.png'\); use stem"):
        Labels.of({"path": str(path), "match": "digits"}).match(np.array(["7.png", "cover.png"]))


def test_one_label_for_several_images_is_an_error(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n1.png,x\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"several images each: 'a/1.png' and 'b/1.png'; use match=exact"):
        Labels.of({"path": str(path), "match": "name"}).match(np.array(["a/1.png", "b/1.png"]))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere.csv cannot be read"):
        read(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("coding", ["utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_spreadsheets_file_is_read_as_it_was_meant(tmp_path, coding, separator):
    path = tmp_path / "labels.csv"
    rows = [("id", "label"), ("7", "Bär"), ("12", "'=cmd|' /C calc'!A0"), ("113", "-3")]
    path.write_text("".join(f"{separator.join(row)}\r\n" for row in rows), encoding=coding)
    found = read(path, match="digits")
    assert {found.class_names[label] for label in found.labels} == {"Bär", "=cmd|' /C calc'!A0", "-3"}


def test_columns_of_numbers_are_tags(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "image_id,id,cluster,labels_txt,category,strong,cat,cat_weight,dog\n"
        "113,1,0,x,1,a;b,0,0.25,1\n7,2,0,y,1,b,1,,0\n500,3,0,y,1,c,1,1,1\n",
        encoding="utf-8",
    )
    found = read(path, match="digits")
    assert found.tag_names == ("cat", "cat_weight", "dog")
    assert found.tags.dtype == np.float32
    np.testing.assert_array_equal(found.tags, [[1, 0, 0], [0, 0, 0], [0, 0.25, 1]])
    chosen = read(path, match="digits", tags=["dog", "category"])
    assert chosen.tag_names == ("dog", "category")
    np.testing.assert_array_equal(chosen.tags, [[0, 1], [0, 0], [1, 1]])
    assert read(path, match="digits", tags=[]).tags is None


def test_an_empty_tag_counts_as_0_and_is_said_to(tmp_path, caplog):
    path = tmp_path / "labels.csv"
    path.write_text("id,label,cat\n7,x,\n12,x,1\n", encoding="utf-8")
    read(path, match="digits")
    assert "1 empty values of cat count as 0" in caplog.text


def test_parquets_true_and_false_are_tags(tmp_path):
    table = pd.DataFrame({"id": [7, 12], "label": ["x", "y"], "cat": [True, False]})
    table.to_parquet(tmp_path / "labels.parquet")
    np.testing.assert_array_equal(read(tmp_path / "labels.parquet", match="digits").tags, [[1], [0], [0]])


def test_tags_that_are_no_list_say_what_to_type():
    with pytest.raises(
        ValueError, match=r"dataset.labels.tags=cat is no list; use dataset.labels.tags=\[cat\]"
    ):
        Labels.of({"path": "a.csv", "tags": "cat"})


def test_study_es_labels_meet_their_images(tmp_path):
    table, labels = study_e.write(tmp_path)
    ids = np.array([line.partition(",")[0] for line in table.read_text(encoding="utf-8").splitlines()[1:]])
    found = Labels.of({"path": str(labels), "match": "digits"}).match(ids)
    assert (found.labels >= 0).all()
    assert found.class_names == study_e.NAMES
    assert [name for name, _ in found.unmatched] == [f"img_{number:03}.jpg" for number in study_e.MISSING]
    assert found.tag_names == (*study_e.NAMES, *(f"{name}_weight" for name in study_e.NAMES))
    assert (found.tags[np.arange(len(ids)), found.labels] == 1).all()  # each has the tag of its label
