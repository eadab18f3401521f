"""The gap statistic: its rule, its references, and its sum of squares."""

import numpy as np
import pytest

from experiments.evaluator.k_methods.gap import Box, first_sufficient, gap, log_w, spread


def test_the_gap_rule_is_the_published_one_and_not_the_maximum():
    gaps, widths = np.array([0.1, 0.5, 0.52, 0.9]), np.array([0.1, 0.1, 0.05, 0.1])
    assert first_sufficient(gaps, widths) == 1
    assert first_sufficient(np.array([0.1, 0.5, 0.9]), np.full(3, 0.01)) is None
    references = np.array([[4.0, 3.0], [6.0, 3.0]])
    gap_values, s = gap(np.array([3.0, 1.0]), references)
    assert gap_values.tolist() == [2, 2]
    assert s.tolist() == [pytest.approx(np.sqrt(1.5)), 0]


def test_a_k_with_distance_zero_has_an_infinite_gap():
    assert log_w(0.0) == -np.inf
    gaps, widths = gap(np.array([3.0, -np.inf, -np.inf]), np.array([[4.0, 3.0, 2.0], [5.0, 3.0, 2.0]]))
    assert gaps.tolist() == [1.5, np.inf, np.inf]
    assert first_sufficient(gaps, widths) == 1
    assert first_sufficient(gaps[:2], widths[:2]) == 1, "the last k, and none is tighter"


def test_a_reference_without_spread_makes_the_gap_undefined():
    gaps, _ = gap(np.array([3.0, -np.inf]), np.full((2, 2), -np.inf))
    assert np.isnan(gaps).all()
    assert first_sufficient(gaps, gaps) is None


def test_references_fill_the_box_along_the_principal_axes():
    rng = np.random.default_rng(1)
    rotation = np.array([[0.8, -0.6], [0.6, 0.8]])
    points = (rng.uniform(size=(4000, 2)) * [10, 1] @ rotation + [50, -20]).astype(np.float32)
    drawn = Box.around(points).draw(4000, (0, 1))
    assert drawn.dtype == np.float32
    assert drawn.mean(axis=0) == pytest.approx(points.mean(axis=0), abs=0.2)
    assert np.cov(drawn.T) == pytest.approx(np.cov(points.T), abs=0.3)
    assert (Box.around(points).draw(10, (0, 1)) == drawn[:10]).all()


def test_references_of_unit_vectors_are_unit_vectors():
    points = np.random.default_rng(1).normal(size=(100, 4)).astype(np.float32)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    assert np.linalg.norm(Box.around(points).draw(50, (0, 0)), axis=1) == pytest.approx(1)


def test_the_spread_is_around_the_cluster_means():
    points = np.array([[0, 0], [2, 0], [10, 0], [10, 6]], np.float32)
    assert spread(points, np.array([0, 0, 5, 5])) == (pytest.approx(2 + 18), pytest.approx(2))
    equal = np.repeat(points[:3] + np.float32(0.1), 49, axis=0)
    assert spread(equal, np.repeat([0, 1, 2], 49)) == (0, 0)
    far = points + np.float32(4096)
    assert spread(far, np.array([0, 0, 5, 5])) == (pytest.approx(20), pytest.approx(2))
