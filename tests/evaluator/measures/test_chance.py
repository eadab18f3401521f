"""Chance levels agree with the metrics over the same permutations."""

import numpy as np
import pytest

from experiments.evaluator.measures import agreement
from experiments.evaluator.measures.chance import CHANCE_LEVELS, PERMUTATIONS, chance
from experiments.metrics import CATALOGUE

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 7, 600)
CLUSTERS = np.where(RNG.random(600) < 0.6, LABELS, RNG.integers(-1, 12, 600))
ALONE = np.where(RNG.random(600) < 0.8, 100 + np.arange(600), CLUSTERS)  # most are clusters of one row


@pytest.mark.parametrize("name", CHANCE_LEVELS)
def test_each_level_is_in_the_catalogue_row_of_its_metric(name):
    metric = name.removesuffix("_chance")
    assert CATALOGUE[metric].chance == name
    assert metric in agreement.METRICS


@pytest.mark.parametrize("assigned", [CLUSTERS, ALONE, np.arange(600), np.zeros(600, int)])
def test_each_level_is_the_mean_of_the_metric_over_permutations(assigned):
    rng = np.random.default_rng(5)
    shuffled = [rng.permutation(LABELS) for _ in range(PERMUTATIONS)]
    levels = chance(LABELS, assigned, seed=5)
    assert list(levels) == list(CHANCE_LEVELS)
    for name, level in levels.items():
        measure = agreement.METRICS[name.removesuffix("_chance")]
        assert level == pytest.approx(np.mean([measure(labels, assigned) for labels in shuffled]), abs=1e-12)
        assert chance(LABELS, assigned, 5, [name]) == {name: level}


def test_random_clusters_score_the_chance_level():
    labels, random = RNG.integers(0, 10, 3000), RNG.integers(0, 50, 3000)
    for name, value in chance(labels, random, seed=0).items():
        measure = agreement.METRICS[name.removesuffix("_chance")]
        assert measure(labels, random) == pytest.approx(value, rel=0.2)


def test_one_class_in_one_cluster_is_always_right():
    zeros = np.zeros(4, int)
    assert chance(zeros, zeros, seed=0) == dict.fromkeys(CHANCE_LEVELS, 1)


def test_the_seed_changes_the_permutations():
    assert chance(LABELS, CLUSTERS, seed=0) == chance(LABELS, CLUSTERS, seed=0)
    assert chance(LABELS, CLUSTERS, seed=0) != chance(LABELS, CLUSTERS, seed=1)
