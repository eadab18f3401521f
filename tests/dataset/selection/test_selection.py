"""The selection: ranges of settings, limit, and labels from a file."""

import logging

import numpy as np
import pytest
from tests.messages import says

from experiments.dataset.selection.selection import Pool, Selection
from experiments.dataset.vectors.content import Vectors
from experiments.numerics.hashes import hash_rows

VALUES = np.arange(200, dtype=np.float32)[:, None]
LABELS = np.repeat(np.arange(3), (120, 60, 20))
IDS = np.array([f"{row}.png" for row in range(200)])


def choose(settings, own_labels=LABELS, **changes):
    content = Vectors(VALUES, hash_rows(VALUES))
    return Selection(**(settings | changes)).samples(Pool("", IDS, content, own_labels, ("a", "b", "c")))


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"image_size": 0}, "dataset.image_size=0", "1 or more"),
        ({"limit": 0}, "dataset.limit=0", "1 or more, or null"),
        ({"split": {"train": 0.8, "valid": 0.2}}, "dataset.split.valid", "train, validation, test"),
        (
            {"split": {"train": 0.8, "validation": 0.3}},
            "1.1",
            "{train: .8, validation: .2, test: 0}",
        ),
        ({"split": {"train": 1.5, "validation": -0.5}}, "dataset.split.train=1.5", "0 to 1"),
        ({"split": {"train": float("nan"), "validation": 0.2}}, "dataset.split.train=nan", "0 to 1"),
        ({"split": {"train": float("inf"), "validation": 0.2}}, "dataset.split.train=inf", "0 to 1"),
        ({"split": {"train": 0.0, "validation": 1.0}}, "dataset.split.train=0", "more than 0"),
        (
            {"labels": {"path": "a.csv", "match": "fuzzy"}},
            "dataset.labels.match=fuzzy",
            "exact, name, stem, digits",
        ),
        ({"labels": {"pth": "a.csv"}}, "dataset.labels.pth", "path"),
        ({"labels": {"match": "stem"}}, "dataset.labels.path", "dataset.labels.path=<CSV or Parquet>"),
    ],
)
def test_an_invalid_setting_is_an_error_with_a_suggestion(selection, changes, key, use):
    with pytest.raises(ValueError) as error:
        Selection(**(selection | changes))
    says(error, key=key, use=use)


def test_everything_is_the_default(selection):
    samples = choose(selection)
    assert len(samples) == 200
    assert samples.class_names == ("a", "b", "c")
    assert len(samples.rows("validation")) == 40


def test_a_limit_keeps_the_classes_in_proportion(selection):
    samples = choose(selection, limit=20)
    np.testing.assert_allclose(np.bincount(samples.labels), [12, 6, 2], atol=1)
    np.testing.assert_array_equal(
        samples.content.values[:, 0], [int(name.removesuffix(".png")) for name in samples.ids]
    )


def test_a_limit_takes_the_first_of_each_class_in_order(selection):
    samples = choose(selection, limit=6)
    assert list(samples.ids) == ["0.png", "1.png", "120.png", "121.png", "180.png", "181.png"]


def test_a_limit_below_the_classes_leaves_whole_classes(selection):
    samples = choose(selection, limit=3)
    assert samples.class_names == ("a", "b")
    assert list(samples.labels) == [0, 0, 1]


def test_a_limit_without_labels_takes_the_first(selection):
    assert list(choose(selection, None, limit=3).ids) == ["0.png", "1.png", "2.png"]


def test_a_limit_above_n_takes_all(selection):
    assert choose(selection, limit=999).data_key == choose(selection).data_key


def test_labels_from_a_file_replace_those_of_the_data_set(selection, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "image_id,label\n" + "".join(f"{row}.png,{'odd' if row % 2 else 'even'}\n" for row in range(150)),
        encoding="utf-8",
    )
    samples = choose(selection, labels={"path": str(table)}, unlabelled="drop")
    assert len(samples) == 150
    assert samples.class_names == ("even", "odd")
    np.testing.assert_array_equal(samples.labels, np.arange(150) % 2)
    assert samples.skipped[0] == ("150.png", "no label")
    assert len(samples.skipped) == 50


def test_limit_and_split_go_by_the_labels_from_the_file(selection, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text(
        "image_id,label\n" + "".join(f"{row}.png,{row % 4}\n" for row in range(200)), encoding="utf-8"
    )
    samples = choose(selection, labels={"path": str(table)}, limit=40)
    assert list(np.bincount(samples.labels)) == [10] * 4
    assert list(np.bincount(samples.labels[samples.rows("validation")])) == [2] * 4


def test_a_million_rows_are_split(selection):
    values = np.random.default_rng(0).integers(0, 2**62, 1_000_000)
    content = Vectors(values, np.array([f"{value:016x}" for value in values]))
    pool = Pool("", values, content, values % 233, tuple(map(str, range(233))))
    samples = Selection(**(selection | {"limit": 900_000})).samples(pool)
    assert len(samples.rows("validation")) == pytest.approx(180_000, abs=233)


def test_a_class_that_is_not_scored_is_named(selection, caplog):
    with caplog.at_level(logging.WARNING):
        choose(selection | {"limit": 5})
    says(caplog.text, key="1 of 3 classes", use=": c")


def test_tags_go_with_their_samples_and_unmatched_rows_are_listed(selection, tmp_path):
    table = tmp_path / "labels.csv"
    rows = [f"{row}.png,{'odd' if row % 2 else 'even'},{row}" for row in range(199, 99, -1)]
    table.write_text("\n".join(["image_id,label,tag", *rows, "x.png,odd,1"]) + "\n", encoding="utf-8")
    samples = choose(selection, labels={"path": str(table), "tags": ["tag"]}, limit=10, unlabelled="drop")
    assert len(samples) == 10
    assert samples.tag_names == ("tag",)
    assert [f"{tag:.0f}.png" for tag in samples.tags[:, 0]] == list(samples.ids)
    [(name, reason)] = samples.unmatched
    assert name == "x.png"
    says(reason, key="line 102 of labels.csv")


def test_unlabelled_samples_are_kept_or_dropped_without_changing_the_split(selection):
    own = np.where(np.arange(200) < 150, LABELS, -1)
    kept, dropped = (choose(selection, own, unlabelled=option) for option in ("keep", "drop"))
    assert (len(dropped), dropped.class_names, kept.class_names) == (150, ("a", "b"), ("a", "b"))
    assert dropped.skipped == tuple((f"{row}.png", "no label") for row in range(150, 200))
    assert (len(kept), kept.skipped) == (200, ())
    np.testing.assert_array_equal(kept.labelled, np.arange(150))
    assert set(kept.label_names[150:]) == {""}
    np.testing.assert_array_equal(kept.split[:150], dropped.split)
    assert len(np.intersect1d(kept.rows("validation"), np.arange(150, 200))) == 10
    assert kept.take(kept.labelled).data_key == dropped.data_key


def test_a_limit_takes_labelled_samples_first(selection):
    own = np.where(np.arange(200) < 100, -1, LABELS)
    assert choose(selection, own, limit=2).label_names.tolist() == ["a", "a"]
    few = choose(selection, own, limit=60)
    assert list(np.bincount(few.labels + 1)) == pytest.approx([30, 6, 18, 6], abs=2)


def test_labels_too_few_to_be_split_are_all_for_training(selection, caplog):
    own = np.where(np.arange(200) == 7, 0, -1)
    samples = choose(selection, own)
    assert samples.split[7] == 0
    assert len(samples.rows("validation")) == 40
    says(caplog.text, key="all labelled images", use="training")


def test_what_to_do_without_a_label_is_checked(selection):
    with pytest.raises(ValueError) as error:
        choose(selection, unlabelled="no")
    says(error, key="dataset.unlabelled=no", use="keep or drop")


def test_a_copy_without_a_label_goes_where_the_labelled_one_is(selection):
    twice = np.tile(np.arange(100), 2)
    content = Vectors(twice, np.array([f"{value:016x}" for value in twice]))
    labels = np.where(np.arange(200) < 100, np.arange(200) % 2, -1)
    ids = np.arange(200).astype(str)
    samples = Selection(**selection).samples(Pool("", ids, content, labels, ("a", "b")))
    np.testing.assert_array_equal(samples.split[:100], samples.split[100:])
    assert len(samples.rows("validation")) == 40


def test_labels_of_which_none_is_of_a_sample_are_an_error(selection, tmp_path):
    (tmp_path / "labels.csv").write_text("image_id,label\n1.png,\nx.png,odd\n", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        choose(selection, labels={"path": str(tmp_path / "labels.csv")})
    says(error, key="200 samples", use="dataset.labels.path")
