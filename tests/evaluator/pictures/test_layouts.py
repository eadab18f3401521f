"""Layouts: groups stay together, results are cached, and few points work."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from tests.messages import says

from experiments.evaluator.pictures.layouts import METHODS, METRICS, LayoutSettings, cached_positions

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.umap,
    pytest.mark.slow,
]  # UMAP may be compiled
LAYOUTS = LayoutSettings(n_neighbors=15, min_dist=0.1, metric="euclidean", perplexity=None, seed=0)


def groups(n: int, p: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return (rng.normal(size=(3, p)) * 10)[labels].astype(np.float32) + rng.normal(
        size=(n, p), scale=0.5
    ).astype(np.float32), labels


@pytest.mark.parametrize("method", METHODS)
def test_groups_stay_together_and_layouts_are_repeatable(ctx, method):
    points, labels = groups(150)
    layout = LAYOUTS.method(method)
    positions = cached_positions(layout, points, ctx)
    assert positions.shape == (150, 2)
    assert positions.dtype == np.float32
    assert KNeighborsClassifier(3).fit(positions, labels).score(positions, labels) == 1
    np.testing.assert_array_equal(layout.lay_out(points, 2).astype(np.float32), positions)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [4, 5, 7, 12])
def test_a_few_points_are_enough(ctx, method, n):
    positions = cached_positions(LAYOUTS.method(method), groups(n)[0], ctx)
    assert positions.shape == (n, 2)
    assert np.isfinite(positions).all()
    assert len(np.unique(positions, axis=0)) == n


@pytest.mark.parametrize("method", METHODS)
def test_a_line_and_equal_points_work(ctx, method):
    line = np.arange(20, dtype=np.float32)[:, None]
    assert np.isfinite(cached_positions(LAYOUTS.method(method), line, ctx)).all()
    assert not cached_positions(LAYOUTS.method(method), np.ones((20, 3), np.float32), ctx).any()


@pytest.mark.parametrize("method", METHODS)
def test_repeated_points_work(ctx, method):
    points = np.repeat(groups(15)[0], 4, axis=0)
    assert np.isfinite(cached_positions(LAYOUTS.method(method), points, ctx)).all()


def test_umap_has_each_metric():
    from umap.distances import named_distances

    assert set(METRICS) <= set(named_distances)


@pytest.mark.parametrize("metric", ["euclidean", "correlation"])  # each takes seconds to compile
def test_a_metric_gives_a_map(ctx, metric):
    points, labels = groups(40)
    positions = cached_positions(LayoutSettings(5, 0.1, metric, None, 0).method("umap"), points, ctx)
    assert KNeighborsClassifier(3).fit(positions, labels).score(positions, labels) > 0.9


def test_a_layout_is_computed_once_for_equal_points(ctx):
    @dataclass(frozen=True)
    class Counting:
        AXES: ClassVar[int] = 2
        seed: int = 0

        def lay_out(self, points, threads):
            calls.append(len(points))
            return points[:, :2]

    calls: list[int] = []
    points, _ = groups(9)
    for _ in range(2):
        cached_positions(Counting(), points, ctx)
    cached_positions(Counting(), points[:8], ctx)
    cached_positions(Counting(1), points, ctx)
    assert calls == [9, 8, 9]


@pytest.mark.parametrize(
    ("perplexity", "n", "key", "use"),
    [(40, 40, "x.perplexity=40", "x.perplexity=null"), (None, 3, "x", "4 or more")],
)
def test_too_few_points_are_refused_with_advice(perplexity, n, key, use):
    layouts = LayoutSettings(15, 0.1, "euclidean", perplexity, 0)
    with pytest.raises(ValueError) as error:
        layouts.check_count("x", ("tsne",), n)
    says(error, key=key, use=use)


def test_the_largest_perplexity_that_is_allowed_works(ctx):
    layouts = LayoutSettings(15, 0.1, "euclidean", 39, 0)
    layouts.check_count("x", ("tsne",), 40)
    assert np.isfinite(cached_positions(layouts.method("tsne"), groups(40)[0], ctx)).all()
