"""The map of a report: t-SNE where it is affordable, those of evaluators first."""

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
from experiments.report.maps import maps, why_pca
from experiments.types import Findings


@pytest.fixture(scope="module")
def result(ran: tuple[Result, Path]) -> Result:
    return ran[0]


def same_class(points: np.ndarray, labels: np.ndarray) -> float:
    return float(KNeighborsClassifier(5).fit(points, labels).score(points, labels))


def test_up_to_a_number_of_samples_it_is_t_sne_whose_neighbours_are_of_the_same_class(
    ctx: Context, result: Result
) -> None:
    rows = np.arange(len(result.samples))[::-1]
    ((title, plane),) = maps(result, rows, ctx, "auto").items()
    assert title == "t-SNE"
    np.testing.assert_array_equal(plane, cached_positions(QuickTsne(0), result.reduced, ctx)[rows])
    ((title, flat),) = maps(result, rows, ctx, "auto", most=len(rows) - 1).items()
    assert title == "PCA"
    np.testing.assert_array_equal(flat, cached_positions(Pca(0), result.reduced, ctx)[rows])
    labels = np.asarray(result.samples.labels)[rows]
    assert same_class(plane, labels) > same_class(flat, labels) + 0.1


def test_it_is_what_was_asked_for(ctx: Context, result: Result) -> None:
    rows = np.arange(50)
    assert list(maps(result, rows, ctx, "pca")) == ["PCA"]
    assert list(maps(result, rows, ctx, "tsne", most=1)) == ["t-SNE"]
    few = replace(result, reduced=result.reduced[:3])
    assert list(maps(few, rows[:3], ctx, "auto")) == ["PCA"], "three have no neighbourhoods"


def test_the_maps_of_evaluators_come_first(ctx: Context, result: Result) -> None:
    n = len(result.samples)
    tables = {
        "map_pca": pd.DataFrame({"x": np.arange(n), "y": 0.0}),
        "map_umap": pd.DataFrame({"x": [1], "y": [2]}),
    }
    drawn = maps(replace(result, findings={"maps": Findings({}, tables)}), np.array([4, 2]), ctx, "tsne")
    assert {title: plane.tolist() for title, plane in drawn.items()} == {"PCA": [[4, 0], [2, 0]]}


def test_a_page_says_why_it_has_two_components_alone() -> None:
    pca = {"PCA": np.zeros((2, 2))}
    assert numbers(says(why_pca(pca, 5_001, "auto"), key="map=tsne", use="evaluator=maps")) == ["5,000"]
    assert (
        why_pca(pca, 5_000, "auto")
        == why_pca(pca, 9_000, "pca")
        == why_pca({"t-SNE": pca["PCA"]}, 9_000, "auto")
        == ""
    )


def test_wide_points_are_placed_by_their_components(ctx: Context) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    points = (rng.normal(size=(3, 200)) * 10)[labels] + rng.normal(size=(120, 200))
    plane = cached_positions(QuickTsne(0), points.astype(np.float32), ctx)
    assert same_class(plane, labels) == 1
    assert np.isfinite(
        cached_positions(QuickTsne(0), np.repeat(points[:2], 2, axis=0).astype(np.float32), ctx)
    ).all()
