"""What clusters get that know nothing: one way of counting against the metrics themselves."""

import numpy as np
import pytest

from experiments.evaluator.measures import agreement
from experiments.evaluator.measures.chance import CHANCE_LEVELS, PERMUTATIONS, chance
from experiments.metrics import CATALOGUE

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 7, 600)
CLUSTERS = np.where(RNG.random(600) < 0.6, LABELS, RNG.integers(-1, 12, 600))
ALONE = np.where(RNG.random(600) < 0.8, 100 + np.arange(600), CLUSTERS)  # most are a cluster each


@pytest.mark.parametrize("name", CHANCE_LEVELS)
def test_each_is_named_by_the_row_of_its_metric(name):
    metric = name.removesuffix("_chance")
    assert CATALOGUE[metric].chance == name
    assert metric in agreement.METRICS


@pytest.mark.parametrize("assigned", [CLUSTERS, ALONE, np.arange(600), np.zeros(600, int)])
def test_each_is_the_mean_of_the_metric_over_the_same_permutations(assigned):
    rng = np.random.default_rng(5)
    shuffled = [rng.permutation(LABELS) for _ in range(PERMUTATIONS)]
    found = chance(LABELS, assigned, seed=5)
    assert list(found) == list(CHANCE_LEVELS)
    for name, level in found.items():
        measure = agreement.METRICS[name.removesuffix("_chance")]
        assert level == pytest.approx(np.mean([measure(labels, assigned) for labels in shuffled]), abs=1e-12)
        assert chance(LABELS, assigned, 5, [name]) == {name: level}


def test_clusters_that_know_nothing_get_what_chance_gives():
    labels, random = RNG.integers(0, 10, 3000), RNG.integers(0, 50, 3000)
    for name, value in chance(labels, random, seed=0).items():
        measure = agreement.METRICS[name.removesuffix("_chance")]
        assert measure(labels, random) == pytest.approx(value, rel=0.2)


def test_one_class_in_one_cluster_is_always_right():
    nothing = np.zeros(4, int)
    assert chance(nothing, nothing, seed=0) == dict.fromkeys(CHANCE_LEVELS, 1)


def test_the_seed_decides():
    assert chance(LABELS, CLUSTERS, seed=0) == chance(LABELS, CLUSTERS, seed=0)
    assert chance(LABELS, CLUSTERS, seed=0) != chance(LABELS, CLUSTERS, seed=1)
