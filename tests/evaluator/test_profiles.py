"""Profiles of clusters of a small table, whose means one can work out by hand."""

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import Grouped, pictured, without_pictures
from tests.messages import numbers, says

from experiments.evaluator.profiles import Profiles, standardised
from experiments.figures import DivergingHeatmap
from experiments.types import Findings

STAGE = Profiles(extremes=1, columns=64, clusters=300)
NAMES = ("height", "weight", "age", "cluster")
VALUES = np.array(
    [[1, 10, 5, 7], [3, 30, 5, 7], [4, 20, 5, 7], [6, 40, 5, 7], [9, 0, 5, 7], [99, 99, 99, 99]], np.float32
)
THREE = Grouped(np.array([0, 0, 1, 1, 2, -1]))  # means of height 2, 5, 9; of weight 20, 30, 0


def profiled(ctx, stage=STAGE, columns=NAMES, clustering=THREE, values=VALUES) -> Findings:
    samples = replace(without_pictures(len(values)), columns=columns)
    return stage.evaluate(ctx=ctx, samples=samples, embeddings=values, clustering=clustering)


def test_centroids_are_means_in_the_unit_of_the_column_without_noise(ctx):
    table = profiled(ctx).tables["cluster_feature_centroids"]
    assert list(table) == ["cluster", "images", "height", "weight", "age", "cluster_"]
    assert table["cluster"].tolist() == [0, 1, 2]
    assert table["images"].tolist() == [2, 2, 1]
    assert table["height"].tolist() == [2, 5, 9]
    assert table["weight"].tolist() == [20, 30, 0]


def test_the_heat_map_shows_z_scores_across_clusters_and_zero_where_all_are_the_same(ctx):
    found = profiled(ctx)
    figure = found.figures["cluster_feature_profiles_heatmap"]
    assert isinstance(figure, DivergingHeatmap)
    assert figure.rows == list(NAMES)
    assert figure.columns == ["0", "1", "2"]
    heights = np.array([2, 5, 9])
    np.testing.assert_allclose(figure.values[0], (heights - 16 / 3) / heights.std())
    np.testing.assert_array_equal(figure.values[2:], 0)
    (warning,) = found.warnings
    says(warning, key="evaluator.profiles", use="age, cluster")


def test_each_cluster_is_explained_by_its_highest_and_lowest_columns(ctx):
    table = profiled(ctx, replace(STAGE, extremes=2)).tables["cluster_explanations"]
    assert table["high_1"].tolist() == ["weight", "weight", "height"]
    assert table["low_1"].tolist() == ["height", "height", "weight"]
    assert table["high_1_z"][1] == pytest.approx((30 - 50 / 3) / np.std([20, 30, 0]))
    told = re.findall(r"(\w+) \(([-+\d.]+)\)", table["explanation"][2])
    assert told == [("height", "+1.28"), ("age", "+0.00"), ("weight", "-1.34"), ("cluster", "+0.00")]


@pytest.mark.parametrize(("d", "high", "low"), [(1, 1, 0), (2, 1, 1), (3, 2, 1), (5, 3, 2), (9, 3, 3)])
def test_no_column_is_both_among_the_highest_and_the_lowest(ctx, d, high, low):
    values = np.random.default_rng(0).normal(size=(6, d)).astype(np.float32)
    stage = replace(STAGE, extremes=3)
    table = profiled(ctx, stage, columns=(), values=values).tables["cluster_explanations"]
    heads = [name for name in table if name.startswith(("high_", "low_")) and not name.endswith("_z")]
    assert heads == [f"high_{place + 1}" for place in range(high)] + [f"low_{p + 1}" for p in range(low)]
    for _, row in table.iterrows():
        assert row[heads].is_unique
        assert set(row[heads]) <= {f"d{column}" for column in range(d)}


def test_two_clusters_are_explained_by_what_differs_most_for_its_spread(ctx):
    """All z-scores are +1 or -1: without more, rounding errors would choose."""
    rng = np.random.default_rng(0)
    side = np.repeat([0, 1], 50)
    away = np.array(
        [0.1, 0.2, 3.0, 0.4, -2.0, 0.3, -0.5]
    )  # of cluster 1, in standard deviations of each side
    scale = np.float32([1000, 300, 1, 70, 0.01, 7, 3])
    noise = rng.normal(size=(50, 7))
    values = np.vstack([noise, noise + away]).astype(np.float32) * scale
    found = profiled(ctx, replace(STAGE, extremes=2), (), Grouped(side), values)
    table = found.tables["cluster_explanations"]
    assert table[["high_1", "high_2", "low_1", "low_2"]].to_numpy().tolist() == [
        ["d4", "d6", "d2", "d3"],
        ["d2", "d3", "d4", "d6"],
    ]
    assert numbers(says(found.warnings[0], key="evaluator.profiles")) == ["1", "1"]


def test_columns_that_say_the_same_stay_in_their_order(ctx):
    one = np.float32([0.1, 0.7, 0.2, 0.9, 0.3, 0.8])
    values = np.stack([one * factor for factor in np.float32([1, 3, 0.7, 1e4, 0.013])], axis=1)
    for clusters in ([0, 1] * 3, [0, 1, 2] * 2):
        found = profiled(ctx, replace(STAGE, extremes=3), (), Grouped(np.array(clusters)), values)
        table = found.tables["cluster_explanations"]
        assert table[["high_1", "high_2", "high_3"]].to_numpy().tolist() == [["d0", "d1", "d2"]] * len(table)


def test_columns_without_names_are_numbered(ctx):
    assert list(profiled(ctx, columns=()).tables["cluster_feature_centroids"])[2:] == ["d0", "d1", "d2", "d3"]


def test_of_too_many_columns_there_is_no_heat_map_and_it_says_so(ctx):
    found = profiled(ctx, replace(STAGE, columns=3))
    assert found.figures == {}
    assert any("evaluator.profiles.columns=3" in text and "4" in numbers(text) for text in found.warnings)
    assert set(found.tables) == {"cluster_feature_centroids", "cluster_explanations"}


def test_of_too_many_clusters_the_largest_are_in_the_heat_map(ctx):
    figure = profiled(ctx, replace(STAGE, clusters=2)).figures["cluster_feature_profiles_heatmap"]
    assert figure.columns == ["0", "1"]
    assert numbers(figure.title) == ["2", "3"]
    np.testing.assert_allclose(figure.values[0], (np.array([2, 5]) - 16 / 3) / np.std([2, 5, 9]))


@pytest.mark.parametrize(("assignments", "rows"), [([0] * 6, 1), ([-1] * 6, 0)])
def test_without_a_second_cluster_there_is_nothing_to_compare(ctx, assignments, rows):
    found = profiled(ctx, clustering=Grouped(np.array(assignments)))
    assert len(found.tables["cluster_feature_centroids"]) == rows
    assert list(found.tables) == ["cluster_feature_centroids"]
    (warning,) = found.warnings
    assert numbers(says(warning, key="evaluator.profiles")) == [str(rows)]


def test_large_values_that_differ_by_rounding_alone_are_the_same():
    means = np.array([[1e6, 1e6], [1e6 + 0.1, 1e6 + 10]])
    scores, same = standardised(means)
    assert same.tolist() == [True, False]
    assert scores.tolist() == [[0, -1], [0, 1]]


def test_images_are_refused_with_what_to_do():
    with pytest.raises(ValueError) as error:
        STAGE.check(pictured(6))
    says(error, key="evaluator.profiles", use="dataset=table")
    STAGE.check(without_pictures(6))


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"extremes": 0}, "evaluator.profiles.extremes=0", "1 or more"),
        ({"columns": -1}, "evaluator.profiles.columns=-1", "0 or more"),
        ({"clusters": 0}, "evaluator.profiles.clusters=0", "1 or more"),
    ],
)
def test_settings_that_cannot_be_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=key, use=use)
