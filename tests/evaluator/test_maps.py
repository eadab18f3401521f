"""Maps of images and of vectors: coordinates, what is said of each point, and the images."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import Grouped, pictured, without_pictures

from experiments.evaluator import maps
from experiments.evaluator.maps import Maps
from experiments.figures import Map
from experiments.figures.sprites import files, unpack

STAGE = Maps(
    methods=("pca",), n_neighbors=15, min_dist=0.1, metric="euclidean", perplexity=None, names=55,
    thumbnail=48, seed=0,
)  # fmt: skip
POINTS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)


def test_a_map_tells_name_cluster_label_and_probability(ctx, monkeypatch):
    monkeypatch.setattr(maps, "PER", 25)
    samples = pictured(60, labels=np.arange(60) % 2, folder="deep/")
    clustering = Grouped(np.arange(60) % 3 - 1, np.linspace(0, 1, 60))
    found = STAGE.evaluate(ctx=ctx, samples=samples, reduced=POINTS, clustering=clustering)
    table, figure = found.tables["map_pca"], found.figures["map_pca"]
    assert isinstance(figure, Map)
    assert list(table) == ["id", "x", "y", "cluster", "probability", "label"]
    assert figure.hover[0] == "000.png\nnoise\nlabel a\nprobability 0.000"
    assert figure.hover[59] == "059.png\ncluster 1\nlabel b\nprobability 1.000"
    assert figure.title == "PCA of 60 samples of toy: 2 clusters, 33.3% noise"
    np.testing.assert_array_equal(figure.x, table["x"])
    assert figure.beside == []
    sheets = [unpack(file, count, figure.side) for file, count in
              zip(files(figure.images, figure.ends), (25, 25, 10), strict=True)]  # fmt: skip
    np.testing.assert_allclose(np.concatenate(sheets).mean(axis=(1, 2, 3)), np.arange(60), atol=1)


def test_names_stand_beside_few_points(ctx):
    found = STAGE.evaluate(
        ctx=ctx, samples=pictured(54), reduced=POINTS[:54], clustering=Grouped(np.zeros(54, int))
    )
    assert found.figures["map_pca"].beside[:2] == ["000.png", "001.png"]
    assert "probability" not in found.tables["map_pca"]


def test_vectors_have_a_map_without_images(ctx, caplog):
    clustering = Grouped(np.zeros(60, int))
    found = STAGE.evaluate(ctx=ctx, samples=without_pictures(60), reduced=POINTS, clustering=clustering)
    figure = found.figures["map_pca"]
    assert (len(figure.images), figure.side) == (0, 0)
    assert figure.hover[1] == "1\ncluster 0"
    assert "evaluator.maps shows no images, as table holds vectors" in caplog.text


def test_another_clustering_needs_no_new_map(ctx):
    stage = replace(STAGE, methods=("pca", "tsne"))
    for k in (2, 3):
        found = stage.evaluate(
            ctx=ctx, samples=pictured(60), reduced=POINTS, clustering=Grouped(np.arange(60) % k)
        )
        assert set(found.figures) == {"map_pca", "map_tsne"} == set(found.tables)
    assert sum(key.startswith("plane-") for key in ctx.store.computed) == 2


def test_many_images_are_smaller_so_that_the_page_stays_small(ctx, monkeypatch):
    monkeypatch.setattr(maps, "AREA", 60 * 16 * 16)
    samples = pictured(60)
    whole = replace(samples, content=replace(samples.content, images=samples.content.images.repeat(9, 1)
                                             .repeat(9, 2)))  # fmt: skip
    found = STAGE.evaluate(ctx=ctx, samples=whole, reduced=POINTS, clustering=Grouped(np.zeros(60, int)))
    assert found.figures["map_pca"].side == 16


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"methods": ("pca", "mds")},
            r"evaluator\.maps\.methods=.* has mds; use some of \[pca, umap, tsne\]",
        ),
        ({"methods": ()}, r"has none; use some of"),
        ({"n_neighbors": 1}, r"evaluator\.maps\.n_neighbors=1 is no neighbourhood; use 2"),
        ({"min_dist": 2.0}, r"min_dist=2\.0 is not between 0 and 1"),
        ({"metric": "cosin"}, r"evaluator\.maps\.metric=cosin is not an option; use euclidean, .*, cosine"),
        ({"perplexity": 0.0}, r"perplexity=0\.0 is too few neighbours"),
        ({"perplexity": float("nan")}, r"perplexity=nan is too few neighbours"),
        ({"thumbnail": 1}, r"thumbnail=1 is no size; use 16"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(STAGE, **changes)


def test_a_perplexity_above_n_stops_the_run_before_any_work():
    stage = replace(STAGE, methods=("tsne",), perplexity=80.0)
    with pytest.raises(ValueError, match=r"evaluator\.maps\.perplexity=80 exceeds .*; use evaluator\.maps"):
        stage.check(pictured(60))
    replace(stage, methods=("pca",)).check(pictured(60))
