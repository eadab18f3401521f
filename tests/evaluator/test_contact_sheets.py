"""Contact sheets of points on a line, of which the nearest and farthest are known."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering, image_samples, vector_samples
from tests.messages import numbers, says

from experiments.evaluator.contact_sheets import ContactSheets
from experiments.figures import ImageSheets, save_figures
from experiments.figures.sprites import jpegs, unpack
from experiments.types import Findings

STAGE = ContactSheets(nearest=2, random=1, farthest=2, clusters=10, thumbnail=80, apart=None, seed=0)
POINTS = np.array([[0, 0], [1, 0], [2, 0], [3, 0], [10, 0], [-4, 0]], np.float32)  # the mean is 2


def evaluate(ctx, samples, assignments, stage=STAGE, points=None, **names) -> Findings:
    reduced, clustering = POINTS if points is None else points, FakeClustering(assignments)
    return stage.evaluate(ctx=ctx, samples=samples, reduced=reduced, clustering=clustering, **names)


def test_nearest_random_and_farthest_are_shown_and_none_twice(ctx):
    findings = evaluate(ctx, image_samples(6, labels=np.array([0, 0, 0, 1, 1, 0])), np.zeros(6, int))
    table = findings.tables["contact_sheets"]
    assert table["id"][:2].to_list() == ["002.png", "001.png"]
    assert table["part"].to_list() == ["nearest"] * 2 + ["random"] + ["farthest"] * 2
    assert table["id"][3:].to_list() == ["004.png", "005.png"]
    assert table["distance"][:2].to_list() == [0, 1]
    assert table["label"].to_list()[:2] == ["a", "a"]
    assert table["id"].is_unique
    sheets = findings.figures["contact_sheets"]
    assert isinstance(sheets, ImageSheets)
    (name,) = sheets.names
    assert numbers(name) == ["0", "6", "67%"]
    assert " a " in name
    assert sheets.parts == [{"nearest": 2, "random": 1, "farthest": 2}]
    assert sheets.captions[3:] == ["b", "a"]


def test_each_image_has_its_caption(ctx):
    findings = evaluate(ctx, image_samples(6), np.array([0, 0, 0, 1, 1, 1]))
    sheets = findings.figures["contact_sheets"]
    tiles = [
        unpack(file, sum(parts.values()), sheets.side)
        for file, parts in zip(jpegs(sheets.images, sheets.ends), sheets.parts, strict=True)
    ]
    greys = np.concatenate(tiles).mean(axis=(1, 2, 3)).round()
    assert sheets.side == 10
    np.testing.assert_allclose(greys, [int(caption[:3]) for caption in sheets.captions], atol=1)


def test_noise_is_the_last_sheet(ctx):
    findings = evaluate(ctx, image_samples(6), np.array([-1, 1, 1, -1, 0, 0]), names={1: "fox"})
    sheets = findings.figures["contact_sheets"]
    assert sheets.names == ["cluster 0: 2 images", "cluster 1 (fox): 2 images", "noise: 2 images"]
    assert sheets.parts[2] == {"random": 2}
    noise = findings.tables["contact_sheets"].query("cluster == -1")
    assert noise["distance"].isna().all()
    assert sorted(noise["id"]) == ["000.png", "003.png"]


def test_apart_makes_a_figure_of_each_sheet(ctx, tmp_path):
    noisy = np.array([-1, 3, 3, -1, 0, 0])
    whole = evaluate(ctx, image_samples(6), noisy).figures["contact_sheets"]
    findings = evaluate(ctx, image_samples(6), noisy, replace(STAGE, apart="seen"), names={3: "Red fox"})
    assert list(findings.figures) == ["seen/cluster_0", "seen/cluster_3", "seen/noise"]
    headings = [figure.names[0] for figure in findings.figures.values()]
    assert [heading.replace(" (Red fox)", "") for heading in headings] == whole.names
    titles = [figure.title for figure in findings.figures.values()]
    assert [numbers(title) for title in titles] == [["0"], ["3"], []]
    assert "noise" in titles[2].lower()
    assert titles[1].startswith("Cluster 3 (Red fox) of ")
    assert all("toy" in title for title in titles)
    assert [caption for figure in findings.figures.values() for caption in figure.captions] == whole.captions
    for figure, file in zip(findings.figures.values(), jpegs(whole.images, whole.ends), strict=True):
        assert list(jpegs(figure.images, figure.ends)) == [file]
    findings.save(tmp_path)
    assert Findings.load(tmp_path).figures == findings.figures
    save_figures(findings.figures, tmp_path / "drawn")
    drawn = {path.name for path in (tmp_path / "drawn" / "seen").iterdir()}
    assert drawn == {
        f"{name}.{kind}" for name in ("cluster_0", "cluster_3", "noise") for kind in ("html", "png")
    }


def test_of_too_many_clusters_the_largest_are_shown_and_the_title_says_so(ctx):
    findings = evaluate(ctx, image_samples(6), np.array([0, 1, 1, 2, 2, 3]), replace(STAGE, clusters=2))
    sheets = findings.figures["contact_sheets"]
    assert [name.partition(":")[0] for name in sheets.names] == ["cluster 1", "cluster 2"]
    assert numbers(sheets.title) == ["2", "4"]
    (warning,) = findings.warnings
    assert numbers(says(warning, key="evaluator.contact_sheets.clusters=2")) == ["2", "2", "4"]


def test_apart_each_title_and_the_saved_warning_say_if_clusters_are_omitted(ctx, tmp_path):
    noisy = np.array([0, 1, 1, 2, 2, -1])
    findings = evaluate(ctx, image_samples(6), noisy, replace(STAGE, clusters=1, apart="seen"))
    assert {name: numbers(figure.title) for name, figure in findings.figures.items()} == {
        "seen/cluster_1": ["1", "1", "3"],
        "seen/noise": ["1", "3"],
    }
    findings.save(tmp_path)
    (again,) = Findings.load(tmp_path).warnings
    assert numbers(says(again, key="evaluator.contact_sheets.clusters=1")) == ["1", "1", "3"]


def test_noise_is_not_counted_as_a_cluster(ctx):
    noisy = np.array([-1, -1, -1, 0, 0, 1])
    only = evaluate(ctx, image_samples(6), noisy, replace(STAGE, clusters=1)).figures["contact_sheets"]
    assert only.names == ["cluster 0: 2 images", "noise: 3 images"]
    assert numbers(only.title) == ["1", "2"]
    rare = np.array([0, 0, 1, 1, 1, -1])  # noise is the smallest group and still has a sheet
    findings = evaluate(ctx, image_samples(6), rare, replace(STAGE, clusters=2))
    two = findings.figures["contact_sheets"]
    assert two.names[-1] == "noise: 1 image"
    assert numbers(two.title) == []
    assert findings.warnings == ()


def test_a_thousand_clusters_of_one_image_work(ctx):
    n = 250
    findings = evaluate(ctx, image_samples(n), np.arange(n), points=np.eye(n, 3, dtype=np.float32))
    assert len(findings.figures["contact_sheets"].names) == 10
    assert findings.tables["contact_sheets"]["part"].unique().tolist() == ["nearest"]


def test_all_noise_is_one_sheet(ctx):
    findings = evaluate(ctx, image_samples(6), np.full(6, -1))
    assert findings.figures["contact_sheets"].names == ["noise: 6 images"]


def test_vectors_get_a_table_and_a_warning(ctx, caplog):
    findings = evaluate(ctx, vector_samples(6), np.zeros(6, int))
    assert findings.figures == {}
    assert len(findings.tables["contact_sheets"]) == 5
    says(caplog.text, key="evaluator.contact_sheets", use="table")


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"nearest": -1}, "evaluator.contact_sheets.nearest=-1", "0 or more"),
        ({"nearest": 0, "random": 0, "farthest": 0}, "evaluator.contact_sheets.nearest=0", "such as 4"),
        ({"clusters": 0}, "evaluator.contact_sheets.clusters=0", "1 or more"),
        ({"thumbnail": 4}, "evaluator.contact_sheets.thumbnail=4", "8 to 512"),
        ({"apart": "a/b"}, "evaluator.contact_sheets.apart=a/b", "evaluator.contact_sheets.apart=clusters"),
    ],
)
def test_invalid_settings_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=key, use=use)
