"""Members: all samples once, sorted; the most certain and the outliers in tables and figures."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering, image_samples, vector_samples
from tests.messages import numbers, says

from experiments.evaluator.members import Members
from experiments.figures import ImageGrid, ImageSheets

STAGE = Members(
    method="pca", n_neighbors=15, min_dist=0.1, metric="euclidean", perplexity=None, certain=2, outliers=3,
    thumbnail=96, seed=0,
)  # fmt: skip
POINTS = np.array([[0, 0], [1, 0], [5, 0], [9, 9], [9, 8], [9, 0], [20, 20], [3, 3]], np.float32)
NOISY = FakeClustering(np.array([0, 0, 0, 1, 1, 1, -1, -1]), np.array([0.5, 1, 0.25, 1, 1, 0.5, 0, 0]))
PLAIN = FakeClustering(np.array([0, 0, 0, 1, 1, 1, 1, 0]))


def test_all_samples_are_listed_by_cluster_and_descending_probability(ctx):
    findings = STAGE.evaluate(
        ctx=ctx, samples=image_samples(8, folder="in/"), reduced=POINTS, clustering=NOISY
    )
    table = findings.tables["cluster_probs"]
    assert list(table) == ["id", "file", "x", "y", "cluster", "probability", "distance"]
    assert table["cluster"].to_list() == [-1, -1, 0, 0, 0, 1, 1, 1]
    assert table["file"].to_list()[2:] == [f"{row:03}.png" for row in (1, 0, 2, 4, 3, 5)]
    assert table["id"][2] == "in/001.png"
    assert np.isfinite(table[["x", "y"]].to_numpy()).all()


def test_the_most_certain_and_the_first_noise_points_are_shown(ctx):
    findings = STAGE.evaluate(ctx=ctx, samples=image_samples(8), reduced=POINTS, clustering=NOISY)
    certain = findings.tables["most_certain"]
    assert certain[["cluster", "place", "file"]].to_numpy().tolist() == [
        [0, 1, "001.png"],
        [0, 2, "000.png"],
        [1, 1, "004.png"],
        [1, 2, "003.png"],
    ]
    assert findings.tables["outliers"]["file"].to_list() == ["006.png", "007.png"]
    sheets, grid = findings.figures["most_certain"], findings.figures["outliers"]
    assert isinstance(sheets, ImageSheets)
    assert isinstance(grid, ImageGrid)
    assert sheets.captions[:2] == ["001.png: 1", "000.png: 0.5"]
    np.testing.assert_allclose(grid.images.mean(axis=(1, 2, 3)), [6, 7])
    assert numbers(grid.title) == ["2"]
    assert "noise" in grid.title


def test_without_probabilities_the_distance_to_the_centre_decides(ctx):
    findings = STAGE.evaluate(ctx=ctx, samples=image_samples(8), reduced=POINTS, clustering=PLAIN)
    table = findings.tables["cluster_probs"]
    assert "probability" not in table
    first = table[table["cluster"] == 0]
    assert first["distance"].is_monotonic_increasing
    assert first["file"].iloc[0] == "001.png"
    assert findings.tables["outliers"]["file"].iloc[0] == "006.png"
    assert numbers(findings.figures["outliers"].title) == []
    assert "distance" in findings.figures["most_certain"].title


def test_all_noise_has_no_certain_members(ctx):
    findings = STAGE.evaluate(
        ctx=ctx, samples=image_samples(8), reduced=POINTS, clustering=FakeClustering(np.full(8, -1))
    )
    assert len(findings.tables["most_certain"]) == 0
    assert set(findings.figures) == {"outliers"}


def test_vectors_have_only_tables(ctx, caplog):
    findings = STAGE.evaluate(ctx=ctx, samples=vector_samples(8), reduced=POINTS, clustering=NOISY)
    assert findings.figures == {}
    assert len(findings.tables["cluster_probs"]) == 8
    says(caplog.text, key="evaluator.members", use="table")


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"method": "mds"}, "evaluator.members.method=mds", "pca or umap or tsne"),
        ({"certain": 0}, "evaluator.members.certain=0", "1 or more"),
        ({"outliers": 0}, "evaluator.members.outliers=0", "1 or more"),
        ({"thumbnail": 1000}, "evaluator.members.thumbnail=1000", "8 to 512"),
    ],
)
def test_invalid_settings_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=key, use=use)
