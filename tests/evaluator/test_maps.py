"""Maps of images and of vectors: coordinates, hover texts, and images."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering, image_samples, vector_samples
from tests.messages import numbers, says

from experiments.evaluator.maps import Maps, sheets
from experiments.figures import Map, Map3d
from experiments.figures.sprites import jpegs, unpack
from experiments.figures.style import map_label

pytestmark = pytest.mark.umap

STAGE = Maps(
    methods=("pca",), files={}, n_neighbors=15, min_dist=0.1, metric="euclidean", perplexity=None, names=55,
    thumbnail=48, seed=0,
)  # fmt: skip
POINTS = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)


def test_hover_texts_have_name_cluster_label_and_probability(ctx):
    samples = image_samples(60, labels=np.arange(60) % 2, folder="deep/")
    clustering = FakeClustering(np.arange(60) % 3 - 1, np.linspace(0, 1, 60))
    findings = STAGE.evaluate(
        ctx=ctx, samples=samples, reduced=POINTS, clustering=clustering, names={1: "red fox"}
    )
    table, figure = findings.tables["map_pca"], findings.figures["map_pca"]
    assert isinstance(figure, Map)
    assert list(table) == ["id", "x", "y", "cluster", "probability", "label"]
    assert figure.hover[0] == "000.png\nnoise\nlabel a\nprobability 0.000"
    assert figure.hover[59] == "059.png\ncluster 1 (red fox)\nlabel b\nprobability 1.000"
    assert [map_label(figure, cluster, 20) for cluster in (-1, 0, 1)] == [
        "noise (20)",
        "0 (20)",
        "1 red fox (20)",
    ]
    assert numbers(figure.title) == ["60", "2", "33.3%"]
    assert "toy" in figure.title
    np.testing.assert_array_equal(figure.x, table["x"])
    assert figure.point_names == []
    (sheet,) = jpegs(figure.images, figure.ends)
    np.testing.assert_allclose(unpack(sheet, 60, figure.side).mean(axis=(1, 2, 3)), np.arange(60), atol=1)


def test_many_images_are_on_several_sheets(ctx):
    packed, ends, side = sheets(image_samples(60), 48, ctx, per=25)
    tiles = [unpack(file, n, side) for file, n in zip(jpegs(packed, ends), (25, 25, 10), strict=True)]
    np.testing.assert_allclose(np.concatenate(tiles).mean(axis=(1, 2, 3)), np.arange(60), atol=1)


def test_names_are_next_to_few_points(ctx):
    findings = STAGE.evaluate(
        ctx=ctx, samples=image_samples(54), reduced=POINTS[:54], clustering=FakeClustering(np.zeros(54, int))
    )
    assert findings.figures["map_pca"].point_names[:2] == ["000.png", "001.png"]
    assert "probability" not in findings.tables["map_pca"]


def test_vectors_have_a_map_without_images(ctx, caplog):
    clustering = FakeClustering(np.zeros(60, int))
    findings = STAGE.evaluate(ctx=ctx, samples=vector_samples(60), reduced=POINTS, clustering=clustering)
    figure = findings.figures["map_pca"]
    assert (len(figure.images), figure.side) == (0, 0)
    assert figure.hover[1] == "1\ncluster 0"
    says(caplog.text, key="evaluator.maps", use="table")


def test_another_clustering_reuses_the_layout(ctx):
    stage = replace(STAGE, methods=("pca", "tsne"))
    for k in (2, 3):
        findings = stage.evaluate(
            ctx=ctx, samples=image_samples(60), reduced=POINTS, clustering=FakeClustering(np.arange(60) % k)
        )
        assert set(findings.figures) == {"map_pca", "map_tsne"} == set(findings.tables)
    assert sum(key.startswith("plane-") for key in ctx.store.computed) == 2


def test_pca3d_has_three_axes_and_the_images_of_the_plane(ctx):
    stage = replace(STAGE, methods=("pca", "pca3d"))
    samples, clustering = image_samples(60), FakeClustering(np.arange(60) % 3 - 1)
    findings = stage.evaluate(ctx=ctx, samples=samples, reduced=POINTS, clustering=clustering)
    flat, space = findings.figures["map_pca"], findings.figures["map_pca3d"]
    assert type(flat) is Map
    assert isinstance(space, Map3d)
    assert list(findings.tables["map_pca3d"])[:5] == ["id", "x", "y", "z", "cluster"]
    np.testing.assert_allclose(np.abs(space.x), np.abs(flat.x), atol=1e-4)
    np.testing.assert_array_equal(space.z, findings.tables["map_pca3d"]["z"])
    centred = POINTS - POINTS.mean(axis=0)
    spread = np.linalg.eigvalsh(centred.T @ centred)[::-1][:3]
    np.testing.assert_allclose([(axis**2).sum() for axis in (space.x, space.y, space.z)], spread, rtol=1e-4)
    assert space.z_label == "PCA 3"
    assert space.hover == flat.hover
    np.testing.assert_array_equal(space.images, flat.images)


def test_a_line_stays_a_line_in_pca3d(ctx):
    stage, line = replace(STAGE, methods=("pca3d",)), POINTS[:, :1]
    findings = stage.evaluate(
        ctx=ctx, samples=image_samples(60), reduced=line, clustering=FakeClustering(np.zeros(60, int))
    )
    space = findings.figures["map_pca3d"]
    assert np.ptp(space.x) == pytest.approx(np.ptp(line))
    assert np.abs([space.y, space.z]).max() < 1e-5


def test_files_names_the_figures_and_not_the_tables(ctx):
    stage = replace(
        STAGE, methods=("pca", "pca3d"), files={"pca": "image_clusters", "umap": "image_clusters"}
    )
    clustering = FakeClustering(np.zeros(60, int))
    findings = stage.evaluate(ctx=ctx, samples=image_samples(60), reduced=POINTS, clustering=clustering)
    assert set(findings.figures) == {"image_clusters", "map_pca3d"}
    assert set(findings.tables) == {"map_pca", "map_pca3d"}


def test_many_images_are_smaller_so_that_the_page_stays_small(ctx):
    samples = image_samples(60)
    whole = replace(samples, content=replace(samples.content, images=samples.content.images.repeat(9, 1)
                                             .repeat(9, 2)))  # fmt: skip
    assert [sheets(whole, 48, ctx, area=60 * side**2)[2] for side in (8, 16, 32, 64)] == [16, 16, 32, 48]


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"methods": ("pca", "mds")}, "methods=['pca', 'mds']", "[pca, umap, tsne, pca3d]"),
        ({"methods": ()}, "methods=[]", "[pca, umap, tsne, pca3d]"),
        ({"n_neighbors": 1}, "n_neighbors=1", "2 or more"),
        ({"min_dist": 2.0}, "min_dist=2.0", ".1"),
        ({"metric": "cosin"}, "metric=cosin", "euclidean, "),
        ({"perplexity": 0.0}, "perplexity=0.0", "1 or more, or null"),
        ({"perplexity": float("nan")}, "perplexity=nan", "1 or more, or null"),
        ({"thumbnail": 1}, "thumbnail=1", "16 to 256"),
        ({"files": {"mds": "x"}}, "files.mds", "pca, umap, tsne, pca3d"),
        ({"files": {"pca": "a/b"}}, "files.pca=a/b", "files.pca=clusters"),
        ({"files": {"pca": "map_umap"}, "methods": ("pca", "umap")}, "files={'pca': 'map_umap'}", "map_umap"),
    ],
)
def test_invalid_settings_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=f"evaluator.maps.{key}", use=use)


def test_a_perplexity_above_n_stops_the_run_before_any_work():
    stage = replace(STAGE, methods=("tsne",), perplexity=80.0)
    with pytest.raises(ValueError) as error:
        stage.check(image_samples(60))
    says(error, key="evaluator.maps.perplexity=80", use="evaluator.maps.perplexity=null")
    replace(stage, methods=("pca",)).check(image_samples(60))
