"""Maps: alike stay beside one another, are computed once, and hardly any points are no accident."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from tests.messages import says

from experiments.evaluator.pictures.layouts import METHODS, METRICS, Planes, place

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("umap")]  # UMAP may compile
PLANES = Planes(n_neighbors=15, min_dist=0.1, metric="euclidean", perplexity=None, seed=0)


def groups(n: int, p: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 3
    return (rng.normal(size=(3, p)) * 10)[labels].astype(np.float32) + rng.normal(
        size=(n, p), scale=0.5
    ).astype(np.float32), labels


@pytest.mark.parametrize("method", METHODS)
def test_groups_stay_together_and_the_same_map_is_found_again(ctx, method):
    points, labels = groups(150)
    plane = PLANES.of(method)
    found = place(plane, points, ctx)
    assert found.shape == (150, 2)
    assert found.dtype == np.float32
    assert KNeighborsClassifier(3).fit(found, labels).score(found, labels) == 1
    np.testing.assert_array_equal(plane.lay(points, 2).astype(np.float32), found)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [4, 5, 7, 12])
def test_a_few_points_are_enough(ctx, method, n):
    found = place(PLANES.of(method), groups(n)[0], ctx)
    assert found.shape == (n, 2)
    assert np.isfinite(found).all()
    assert len(np.unique(found, axis=0)) == n


@pytest.mark.parametrize("method", METHODS)
def test_a_line_and_a_single_point_are_placed_too(ctx, method):
    line = np.arange(20, dtype=np.float32)[:, None]
    assert np.isfinite(place(PLANES.of(method), line, ctx)).all()
    assert not place(PLANES.of(method), np.ones((20, 3), np.float32), ctx).any()


@pytest.mark.parametrize("method", METHODS)
def test_repeated_points_lie_together(ctx, method):
    points = np.repeat(groups(15)[0], 4, axis=0)
    assert np.isfinite(place(PLANES.of(method), points, ctx)).all()


@pytest.mark.parametrize("metric", METRICS)
def test_each_metric_gives_a_map(ctx, metric):
    points, labels = groups(40)
    found = place(Planes(5, 0.1, metric, None, 0).of("umap"), points, ctx)
    assert KNeighborsClassifier(3).fit(found, labels).score(found, labels) > 0.9


def test_one_map_is_made_for_each_content(ctx):
    @dataclass(frozen=True)
    class Counting:
        AXES: ClassVar[int] = 2
        seed: int = 0

        def lay(self, points, threads):
            made.append(len(points))
            return points[:, :2]

    made: list[int] = []
    points, _ = groups(9)
    for _ in range(2):
        place(Counting(), points, ctx)
    place(Counting(), points[:8], ctx)
    place(Counting(1), points, ctx)
    assert made == [9, 8, 9]


@pytest.mark.parametrize(
    ("perplexity", "n", "key", "use"),
    [(40, 40, "x.perplexity=40", "x.perplexity=null"), (None, 3, "x", "4 or more")],
)
def test_too_few_points_are_refused_with_what_to_type(perplexity, n, key, use):
    planes = Planes(15, 0.1, "euclidean", perplexity, 0)
    with pytest.raises(ValueError) as error:
        planes.check_count("x", ("tsne",), n)
    says(error, key=key, use=use)


def test_the_largest_perplexity_that_is_allowed_works(ctx):
    planes = Planes(15, 0.1, "euclidean", 39, 0)
    planes.check_count("x", ("tsne",), 40)
    assert np.isfinite(place(planes.of("tsne"), groups(40)[0], ctx)).all()
