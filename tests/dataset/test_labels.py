"""Labels from a file: how ids meet, what is missing, and what cannot be."""

import logging

import numpy as np
import pandas as pd
import pytest

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
    labels, classes = read(path, match=match)
    assert list(labels) == [0, 1, 0]
    assert classes == ("x", "y")


@pytest.mark.parametrize("match", ["stem", "digits"])
@pytest.mark.parametrize("named", [["2024.07", "2024.08"], ["2024.07.png", "2024.08.JPG"]])
def test_a_dot_that_begins_no_ending_is_part_of_the_name(tmp_path, match, named):
    path = tmp_path / "labels.csv"
    path.write_text(f"id,label\n{named[0]},x\n{named[1]},y\n")
    images = np.array(["a/2024.07.png", "b/2024.08.HEIC"])
    labels, _ = Labels.of({"path": str(path), "match": match}).match(images)
    assert list(labels) == [0, 1]


def test_versions_of_a_photo_are_told_apart(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\nphoto.v1,x\nphoto.v2,y\n")
    for images in (["photo.v1.png", "photo.v2.png"], ["photo.v1", "photo.v2"]):
        labels, _ = Labels.of({"path": str(path), "match": "stem"}).match(np.array(images))
        assert list(labels) == [0, 1]


def test_ids_stay_text(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n007,x\n12,y\n")
    labels, _ = Labels.of({"path": str(path)}).match(np.array(["007", "012", "12"]))
    assert list(labels) == [0, -1, 1]


def test_parquet_and_tsv_are_read(tmp_path):
    table = pd.DataFrame({"id": [7, 12, 113], "label": [10, 2, None]})
    table.to_parquet(tmp_path / "labels.parquet")
    table.astype("Int64").to_csv(tmp_path / "labels.tsv", sep="\t", index=False)
    for path in (tmp_path / "labels.tsv", tmp_path / "labels.parquet"):
        labels, classes = read(path, match="digits")
        assert list(labels) == [1, 0, -1]  # 2 before 10
        assert classes == ("2", "10")


def test_the_first_usual_column_is_taken_unless_one_is_named(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("filename,category,labels_txt,mine\nimg_007.png,c,l,m\n")
    assert read(path, match="name")[1] == ("l",)
    assert read(path, match="name", column="mine")[1] == ("m",)


def test_a_class_named_none_or_na_is_a_class(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,None\n12,NA\n113,\n")
    labels, classes = read(path, match="digits")
    assert classes == ("NA", "None")
    assert list(labels) == [1, 0, -1]


def test_what_matches_nothing_is_counted_on_both_sides(tmp_path, caplog):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,x\n500,y\n501,y\n")
    with caplog.at_level(logging.WARNING):
        read(path, match="digits")
    assert "2 of 3 images have no label and are left out, 2 labels match no image" in caplog.text


@pytest.mark.parametrize(
    ("text", "settings", "message"),
    [
        ("id,label\na,x\n", {"match": "digits"}, "meets a row without digits, 'a'"),
        ("id,label\n7,x\n007,y\n", {"match": "digits"}, "gives '007' the labels 'x' and 'y'"),
        ("id,label\n7,x\n", {}, "matches no image.*'7'.*'cats/img_007.png'.*match"),
        ("id,colour\n7,x\n", {}, "dataset.labels.column is not given.*use one of id, colour"),
        (
            "id,label\n7,x\n",
            {"column": "lable"},
            "dataset.labels.column=lable is no column.*use one of id, label",
        ),
        ("id,label\n7,\n", {}, "dataset.labels.column=label is empty"),
        ("", {}, "cannot be read as CSV"),
    ],
)
def test_a_file_that_does_not_fit_says_why(tmp_path, text, settings, message):
    path = tmp_path / "labels.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read(path, **settings)


def test_an_image_without_digits_is_an_error(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n7,x\n")
    with pytest.raises(ValueError, match=r"an image without digits, 'cover.png'; use stem"):
        Labels.of({"path": str(path), "match": "digits"}).match(np.array(["7.png", "cover.png"]))


def test_one_label_for_several_images_is_an_error(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("id,label\n1.png,x\n")
    with pytest.raises(ValueError, match=r"several images each, such as '1.png'; use match=exact"):
        Labels.of({"path": str(path), "match": "name"}).match(np.array(["a/1.png", "b/1.png"]))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"nowhere.csv cannot be read"):
        read(tmp_path / "nowhere.csv")
