"""Contact sheets of points on a line, whose nearest and farthest are known."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import Grouped, pictured, without_pictures
from tests.messages import numbers, says

from experiments.evaluator.contact_sheets import ContactSheets
from experiments.figures import ImageSheets, save_figures
from experiments.figures.sprites import jpegs, unpack
from experiments.types import Findings

STAGE = ContactSheets(nearest=2, random=1, farthest=2, clusters=10, thumbnail=80, apart=None, seed=0)
POINTS = np.array([[0, 0], [1, 0], [2, 0], [3, 0], [10, 0], [-4, 0]], np.float32)  # the mean is 2


def shown(ctx, samples, assignments, stage=STAGE, points=None) -> Findings:
    reduced = POINTS if points is None else points
    return stage.evaluate(ctx=ctx, samples=samples, reduced=reduced, clustering=Grouped(assignments))


def test_nearest_random_and_farthest_are_shown_and_none_twice(ctx):
    found = shown(ctx, pictured(6, labels=np.array([0, 0, 0, 1, 1, 0])), np.zeros(6, int))
    table = found.tables["contact_sheets"]
    assert table["id"][:2].to_list() == ["002.png", "001.png"]
    assert table["part"].to_list() == ["nearest"] * 2 + ["random"] + ["farthest"] * 2
    assert table["id"][3:].to_list() == ["004.png", "005.png"]
    assert table["distance"][:2].to_list() == [0, 1]
    assert table["label"].to_list()[:2] == ["a", "a"]
    assert table["id"].is_unique
    sheets = found.figures["contact_sheets"]
    assert isinstance(sheets, ImageSheets)
    (name,) = sheets.names
    assert numbers(name) == ["0", "6", "67%"]
    assert " a " in name
    assert sheets.parts == [{"nearest": 2, "random": 1, "farthest": 2}]
    assert sheets.captions[3:] == ["b", "a"]


def test_each_image_stands_under_its_own_caption(ctx):
    found = shown(ctx, pictured(6), np.array([0, 0, 0, 1, 1, 1]))
    sheets = found.figures["contact_sheets"]
    tiles = [
        unpack(file, sum(parts.values()), sheets.side)
        for file, parts in zip(jpegs(sheets.images, sheets.ends), sheets.parts, strict=True)
    ]
    greys = np.concatenate(tiles).mean(axis=(1, 2, 3)).round()
    assert sheets.side == 10
    np.testing.assert_allclose(greys, [int(caption[:3]) for caption in sheets.captions], atol=1)


def test_noise_is_a_sheet_of_its_own_and_the_last(ctx):
    found = shown(ctx, pictured(6), np.array([-1, 1, 1, -1, 0, 0]))
    sheets = found.figures["contact_sheets"]
    assert sheets.names == ["cluster 0: 2 images", "cluster 1: 2 images", "noise: 2 images"]
    assert sheets.parts[2] == {"random": 2}
    noise = found.tables["contact_sheets"].query("cluster == -1")
    assert noise["distance"].isna().all()
    assert sorted(noise["id"]) == ["000.png", "003.png"]


def test_apart_each_sheet_is_a_picture_in_the_folder(ctx, tmp_path):
    noisy = np.array([-1, 3, 3, -1, 0, 0])
    whole = shown(ctx, pictured(6), noisy).figures["contact_sheets"]
    found = shown(ctx, pictured(6), noisy, replace(STAGE, apart="seen"))
    assert list(found.figures) == ["seen/cluster_0", "seen/cluster_3", "seen/noise"]
    assert [figure.names[0] for figure in found.figures.values()] == whole.names
    titles = [figure.title for figure in found.figures.values()]
    assert [numbers(title) for title in titles] == [["0"], ["3"], []]
    assert "noise" in titles[2].lower()
    assert all("toy" in title for title in titles)
    assert [caption for figure in found.figures.values() for caption in figure.captions] == whole.captions
    for figure, file in zip(found.figures.values(), jpegs(whole.images, whole.ends), strict=True):
        assert list(jpegs(figure.images, figure.ends)) == [file]
    found.save(tmp_path)
    assert Findings.load(tmp_path).figures == found.figures
    save_figures(found.figures, tmp_path / "drawn")
    drawn = {path.name for path in (tmp_path / "drawn" / "seen").iterdir()}
    assert drawn == {
        f"{name}.{kind}" for name in ("cluster_0", "cluster_3", "noise") for kind in ("html", "png")
    }


def test_of_too_many_clusters_the_largest_are_shown_and_the_title_says_so(ctx):
    found = shown(ctx, pictured(6), np.array([0, 1, 1, 2, 2, 3]), replace(STAGE, clusters=2))
    sheets = found.figures["contact_sheets"]
    assert [name.partition(":")[0] for name in sheets.names] == ["cluster 1", "cluster 2"]
    assert numbers(sheets.title) == ["2", "4"]
    (warning,) = found.warnings
    assert numbers(says(warning, key="evaluator.contact_sheets.clusters=2")) == ["2", "2", "4"]


def test_apart_too_many_clusters_are_told_in_each_title_and_when_it_is_read_again(ctx, tmp_path):
    noisy = np.array([0, 1, 1, 2, 2, -1])
    found = shown(ctx, pictured(6), noisy, replace(STAGE, clusters=1, apart="seen"))
    assert {name: numbers(figure.title) for name, figure in found.figures.items()} == {
        "seen/cluster_1": ["1", "1", "3"],
        "seen/noise": ["1", "3"],
    }
    found.save(tmp_path)
    (again,) = Findings.load(tmp_path).warnings
    assert numbers(says(again, key="evaluator.contact_sheets.clusters=1")) == ["1", "1", "3"]


def test_noise_takes_no_place_of_a_cluster_and_is_no_cluster(ctx):
    noisy = np.array([-1, -1, -1, 0, 0, 1])
    only = shown(ctx, pictured(6), noisy, replace(STAGE, clusters=1)).figures["contact_sheets"]
    assert only.names == ["cluster 0: 2 images", "noise: 3 images"]
    assert numbers(only.title) == ["1", "2"]
    rare = np.array([0, 0, 1, 1, 1, -1])  # noise is the smallest, and has its sheet
    found = shown(ctx, pictured(6), rare, replace(STAGE, clusters=2))
    two = found.figures["contact_sheets"]
    assert two.names[-1] == "noise: 1 image"
    assert numbers(two.title) == []
    assert found.warnings == ()


def test_a_thousand_clusters_of_one_image_work(ctx):
    n = 250
    found = shown(ctx, pictured(n), np.arange(n), points=np.eye(n, 3, dtype=np.float32))
    assert len(found.figures["contact_sheets"].names) == 10
    assert found.tables["contact_sheets"]["part"].unique().tolist() == ["nearest"]


def test_all_noise_is_one_sheet(ctx):
    found = shown(ctx, pictured(6), np.full(6, -1))
    assert found.figures["contact_sheets"].names == ["noise: 6 images"]


def test_vectors_leave_the_table_and_the_log_says_why(ctx, caplog):
    found = shown(ctx, without_pictures(6), np.zeros(6, int))
    assert found.figures == {}
    assert len(found.tables["contact_sheets"]) == 5
    says(caplog.text, key="evaluator.contact_sheets", use="table")


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"nearest": -1}, "evaluator.contact_sheets.nearest=-1", "0 or more"),
        ({"nearest": 0, "random": 0, "farthest": 0}, "evaluator.contact_sheets.nearest=0", "use 4"),
        ({"clusters": 0}, "evaluator.contact_sheets.clusters=0", "1 or more"),
        ({"thumbnail": 4}, "evaluator.contact_sheets.thumbnail=4", "8 to 512"),
        ({"apart": "a/b"}, "evaluator.contact_sheets.apart=a/b", "evaluator.contact_sheets.apart=clusters"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=key, use=use)
