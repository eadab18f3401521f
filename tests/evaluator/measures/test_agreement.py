"""External metrics: known answers, invariances, and agreement with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics.cluster import contingency_matrix

from experiments.evaluator.measures import agreement
from experiments.evaluator.measures.agreement import METRICS

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
CLUSTERS = np.array([5, 5, 5, 2, 2, 2, 2, 2, 0, 0])  # 5: aaa   2: abbbc   0: cc
RNG = np.random.default_rng(0)
MANY = RNG.integers(0, 7, 500)
GUESS = np.where(RNG.random(500) < 0.6, MANY, RNG.integers(-1, 12, 500))
every_metric = pytest.mark.parametrize("name", METRICS)


def test_contingency_has_no_empty_rows_and_columns():
    np.testing.assert_array_equal(agreement.contingency(LABELS, CLUSTERS), [[0, 1, 3], [0, 3, 0], [2, 1, 0]])
    np.testing.assert_array_equal(agreement.contingency(MANY, GUESS), contingency_matrix(MANY, GUESS))


def test_known_answers():
    assert agreement.purity(LABELS, CLUSTERS) == pytest.approx((3 + 3 + 2) / 10)
    assert agreement.acc(LABELS, CLUSTERS) == pytest.approx((3 + 3 + 2) / 10)
    assert agreement.acc(LABELS, np.arange(10)) == pytest.approx(3 / 10)  # one row of each class is matched
    assert agreement.purity(LABELS, np.arange(10)) == 1
    assert agreement.acc(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])) == pytest.approx(3 / 4)


def test_ceiling_is_the_share_of_the_k_largest_classes():
    assert agreement.purity_ceiling(LABELS, np.zeros(10, int)) == pytest.approx(4 / 10)
    assert agreement.purity_ceiling(LABELS, np.arange(10) % 2) == pytest.approx(7 / 10)
    assert agreement.purity_ceiling(LABELS, CLUSTERS) == 1
    assert agreement.purity_ceiling(LABELS, np.arange(10)) == 1


@pytest.mark.parametrize("k", [1, 2, 4, 20])
def test_purity_stays_below_its_ceiling(k):
    assigned = MANY % k
    assert agreement.purity(MANY, assigned) <= agreement.purity_ceiling(MANY, assigned)


def test_mapped_purity_predicts_the_majority_of_training_rows():
    training, scored = np.array([0, 1, 3, 4, 5, 8]), np.array([2, 6, 7, 9])
    assert agreement.purity_mapped(LABELS, CLUSTERS, training, scored) == pytest.approx(3 / 4)
    assert agreement.purity_mapped(LABELS, CLUSTERS, training[:2], scored) == pytest.approx(1 / 4)


def test_nmi_is_the_v_measure():
    assert agreement.nmi(MANY, GUESS) == pytest.approx(agreement.v_measure(MANY, GUESS))


@every_metric
def test_perfect_clusters_score_one(name):
    assert METRICS[name](MANY, 20 - MANY) == pytest.approx(1)


@every_metric
def test_names_of_classes_and_clusters_do_not_matter(name):
    metric = METRICS[name]
    classes, clusters = RNG.permutation(7), RNG.permutation(13) - 1
    renamed = metric(classes[MANY], clusters[GUESS + 1])
    assert renamed == pytest.approx(metric(MANY, GUESS), abs=1e-12)


@every_metric
def test_the_order_of_rows_does_not_matter(name):
    order = RNG.permutation(500)
    assert METRICS[name](MANY[order], GUESS[order]) == pytest.approx(METRICS[name](MANY, GUESS), abs=1e-12)


@every_metric
@pytest.mark.parametrize("assigned", [np.zeros(10, int), np.arange(10), np.full(10, -1)])
def test_extreme_clusterings_give_a_number(name, assigned):
    assert -1e-9 < METRICS[name](LABELS, assigned) < 1 + 1e-9


@pytest.mark.parametrize("name", ["ami", "ari"])
def test_adjusted_metrics_of_random_clusters_are_zero(name):
    random = RNG.integers(0, 50, 500)
    assert METRICS[name](MANY, random) == pytest.approx(0, abs=0.02)
