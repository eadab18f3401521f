"""The map of a report: an evaluator's, or else a t-SNE or PCA."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier
from tests.messages import numbers, says

from experiments.context import Context
from experiments.evaluator.pictures.layouts import Pca, QuickTsne, cached_positions
from experiments.pipeline import Result
from experiments.report.maps import map_points, why_pca
from experiments.types import Findings


@pytest.fixture(scope="module")
def result(ran: tuple[Result, Path]) -> Result:
    return ran[0]


def same_class(points: np.ndarray, labels: np.ndarray) -> float:
    return float(KNeighborsClassifier(5).fit(points, labels).score(points, labels))


def test_a_map_of_few_samples_is_a_t_sne_and_groups_classes_better_than_pca(
    ctx: Context, result: Result
) -> None:
    rows = np.arange(len(result.samples))[::-1]
    ((title, coordinates),) = map_points(result, rows, ctx, "auto").items()
    assert title == "t-SNE"
    np.testing.assert_array_equal(coordinates, cached_positions(QuickTsne(0), result.reduced, ctx)[rows])
    ((title, pca_coordinates),) = map_points(result, rows, ctx, "auto", max_tsne=len(rows) - 1).items()
    assert title == "PCA"
    np.testing.assert_array_equal(pca_coordinates, cached_positions(Pca(0), result.reduced, ctx)[rows])
    labels = np.asarray(result.samples.labels)[rows]
    assert same_class(coordinates, labels) > same_class(pca_coordinates, labels) + 0.1


def test_the_method_can_be_chosen(ctx: Context, result: Result) -> None:
    rows = np.arange(50)
    assert list(map_points(result, rows, ctx, "pca")) == ["PCA"]
    assert list(map_points(result, rows, ctx, "tsne", max_tsne=1)) == ["t-SNE"]
    few = replace(result, reduced=result.reduced[:3])
    assert list(map_points(few, rows[:3], ctx, "auto")) == ["PCA"], "three have no neighbourhoods"


def test_the_maps_of_evaluators_come_first(ctx: Context, result: Result) -> None:
    n = len(result.samples)
    tables = {
        "map_pca": pd.DataFrame({"x": np.arange(n), "y": 0.0}),
        "map_umap": pd.DataFrame({"x": [1], "y": [2]}),
    }
    maps = map_points(replace(result, findings={"maps": Findings({}, tables)}), np.array([4, 2]), ctx, "tsne")
    assert {title: coordinates.tolist() for title, coordinates in maps.items()} == {"PCA": [[4, 0], [2, 0]]}


def test_a_pca_of_many_samples_is_explained() -> None:
    pca = {"PCA": np.zeros((2, 2))}
    assert numbers(says(why_pca(pca, 5_001, "auto"), key="map=tsne", use="evaluator=maps")) == ["5,000"]
    assert (
        why_pca(pca, 5_000, "auto")
        == why_pca(pca, 9_000, "pca")
        == why_pca({"t-SNE": pca["PCA"]}, 9_000, "auto")
        == ""
    )


def test_a_t_sne_of_wide_points_groups_classes(ctx: Context) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    points = (rng.normal(size=(3, 200)) * 10)[labels] + rng.normal(size=(120, 200))
    coordinates = cached_positions(QuickTsne(0), points.astype(np.float32), ctx)
    assert same_class(coordinates, labels) == 1
    assert np.isfinite(
        cached_positions(QuickTsne(0), np.repeat(points[:2], 2, axis=0).astype(np.float32), ctx)
    ).all()
