"""Cluster profiles of a small table with known means."""

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering, image_samples, vector_samples
from tests.messages import numbers, says

from experiments.evaluator.profiles import Profiles, standardised
from experiments.figures import DivergingHeatmap
from experiments.types import Findings

STAGE = Profiles(extremes=1, columns=64, clusters=300)
NAMES = ("height", "weight", "age", "cluster")
VALUES = np.array(
    [[1, 10, 5, 7], [3, 30, 5, 7], [4, 20, 5, 7], [6, 40, 5, 7], [9, 0, 5, 7], [99, 99, 99, 99]], np.float32
)
THREE = FakeClustering(np.array([0, 0, 1, 1, 2, -1]))  # means of height 2, 5, 9; of weight 20, 30, 0


def evaluate(ctx, stage=STAGE, columns=NAMES, clustering=THREE, values=VALUES) -> Findings:
    samples = replace(vector_samples(len(values)), columns=columns)
    return stage.evaluate(ctx=ctx, samples=samples, embeddings=values, clustering=clustering)


def test_centroids_are_means_in_the_unit_of_the_column_without_noise(ctx):
    table = evaluate(ctx).tables["cluster_feature_centroids"]
    assert list(table) == ["cluster", "images", "height", "weight", "age", "cluster_"]
    assert table["cluster"].tolist() == [0, 1, 2]
    assert table["images"].tolist() == [2, 2, 1]
    assert table["height"].tolist() == [2, 5, 9]
    assert table["weight"].tolist() == [20, 30, 0]


def test_the_heat_map_has_z_scores_and_zero_for_equal_means(ctx):
    findings = evaluate(ctx)
    figure = findings.figures["cluster_feature_profiles_heatmap"]
    assert isinstance(figure, DivergingHeatmap)
    assert figure.rows == list(NAMES)
    assert figure.columns == ["0", "1", "2"]
    heights = np.array([2, 5, 9])
    np.testing.assert_allclose(figure.values[0], (heights - 16 / 3) / heights.std())
    np.testing.assert_array_equal(figure.values[2:], 0)
    (warning,) = findings.warnings
    says(warning, key="evaluator.profiles", use="age, cluster")


def test_explanations_have_the_highest_and_lowest_columns(ctx):
    table = evaluate(ctx, replace(STAGE, extremes=2)).tables["cluster_explanations"]
    assert table["high_1"].tolist() == ["weight", "weight", "height"]
    assert table["low_1"].tolist() == ["height", "height", "weight"]
    assert table["high_1_z"][1] == pytest.approx((30 - 50 / 3) / np.std([20, 30, 0]))
    texts = re.findall(r"(\w+) \(([-+\d.]+)\)", table["explanation"][2])
    assert texts == [("height", "+1.28"), ("age", "+0.00"), ("weight", "-1.34"), ("cluster", "+0.00")]


@pytest.mark.parametrize(("d", "high", "low"), [(1, 1, 0), (2, 1, 1), (3, 2, 1), (5, 3, 2), (9, 3, 3)])
def test_no_column_is_both_among_the_highest_and_the_lowest(ctx, d, high, low):
    values = np.random.default_rng(0).normal(size=(6, d)).astype(np.float32)
    stage = replace(STAGE, extremes=3)
    table = evaluate(ctx, stage, columns=(), values=values).tables["cluster_explanations"]
    heads = [name for name in table if name.startswith(("high_", "low_")) and not name.endswith("_z")]
    assert heads == [f"high_{rank + 1}" for rank in range(high)] + [f"low_{p + 1}" for p in range(low)]
    for _, row in table.iterrows():
        assert row[heads].is_unique
        assert set(row[heads]) <= {f"d{column}" for column in range(d)}


def test_columns_of_two_clusters_are_ordered_by_standardised_difference(ctx):
    """All z-scores are +1 or -1, so their order would be that of rounding errors."""
    rng = np.random.default_rng(0)
    side = np.repeat([0, 1], 50)
    differences = np.array(
        [0.1, 0.2, 3.0, 0.4, -2.0, 0.3, -0.5]
    )  # mean of cluster 1 minus mean of cluster 0, in standard deviations
    scale = np.float32([1000, 300, 1, 70, 0.01, 7, 3])
    noise = rng.normal(size=(50, 7))
    values = np.vstack([noise, noise + differences]).astype(np.float32) * scale
    findings = evaluate(ctx, replace(STAGE, extremes=2), (), FakeClustering(side), values)
    table = findings.tables["cluster_explanations"]
    assert table[["high_1", "high_2", "low_1", "low_2"]].to_numpy().tolist() == [
        ["d4", "d6", "d2", "d3"],
        ["d2", "d3", "d4", "d6"],
    ]
    assert numbers(says(findings.warnings[0], key="evaluator.profiles")) == ["1", "1"]


def test_proportional_columns_stay_in_order(ctx):
    column = np.float32([0.1, 0.7, 0.2, 0.9, 0.3, 0.8])
    values = np.stack([column * factor for factor in np.float32([1, 3, 0.7, 1e4, 0.013])], axis=1)
    for clusters in ([0, 1] * 3, [0, 1, 2] * 2):
        findings = evaluate(ctx, replace(STAGE, extremes=3), (), FakeClustering(np.array(clusters)), values)
        table = findings.tables["cluster_explanations"]
        assert table[["high_1", "high_2", "high_3"]].to_numpy().tolist() == [["d0", "d1", "d2"]] * len(table)


def test_columns_without_names_are_numbered(ctx):
    assert list(evaluate(ctx, columns=()).tables["cluster_feature_centroids"])[2:] == ["d0", "d1", "d2", "d3"]


def test_too_many_columns_have_no_heat_map_and_a_warning(ctx):
    findings = evaluate(ctx, replace(STAGE, columns=3))
    assert findings.figures == {}
    assert any("evaluator.profiles.columns=3" in text and "4" in numbers(text) for text in findings.warnings)
    assert set(findings.tables) == {"cluster_feature_centroids", "cluster_explanations"}


def test_of_too_many_clusters_the_largest_are_in_the_heat_map(ctx):
    figure = evaluate(ctx, replace(STAGE, clusters=2)).figures["cluster_feature_profiles_heatmap"]
    assert figure.columns == ["0", "1"]
    assert numbers(figure.title) == ["2", "3"]
    np.testing.assert_allclose(figure.values[0], (np.array([2, 5]) - 16 / 3) / np.std([2, 5, 9]))


@pytest.mark.parametrize(("assignments", "rows"), [([0] * 6, 1), ([-1] * 6, 0)])
def test_a_single_cluster_has_only_means(ctx, assignments, rows):
    findings = evaluate(ctx, clustering=FakeClustering(np.array(assignments)))
    assert len(findings.tables["cluster_feature_centroids"]) == rows
    assert list(findings.tables) == ["cluster_feature_centroids"]
    (warning,) = findings.warnings
    assert numbers(says(warning, key="evaluator.profiles")) == [str(rows)]


def test_means_that_differ_by_rounding_count_as_equal():
    means = np.array([[1e6, 1e6], [1e6 + 0.1, 1e6 + 10]])
    scores, same = standardised(means)
    assert same.tolist() == [True, False]
    assert scores.tolist() == [[0, -1], [0, 1]]


def test_images_are_refused_with_advice():
    with pytest.raises(ValueError) as error:
        STAGE.check(image_samples(6))
    says(error, key="evaluator.profiles", use="dataset=table")
    STAGE.check(vector_samples(6))


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"extremes": 0}, "evaluator.profiles.extremes=0", "1 or more"),
        ({"columns": -1}, "evaluator.profiles.columns=-1", "0 or more"),
        ({"clusters": 0}, "evaluator.profiles.clusters=0", "1 or more"),
    ],
)
def test_invalid_settings_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=key, use=use)
