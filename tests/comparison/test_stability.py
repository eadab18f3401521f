"""Stability over seeds: the mean over pairs, its interval, and the pairs that count."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import adjusted_rand_score

from experiments.comparison.stability import MAX_SEEDS, jackknife, stability
from experiments.figures import Lines

SWEPT = ["cluster.k", "seed"]
RNG = np.random.default_rng(0)


def rows(*jobs: tuple[int, int], status: str = "FINISHED") -> pd.DataFrame:
    """Return the table of a sweep over k and seed."""
    table = pd.DataFrame(jobs, columns=SWEPT)
    return table.assign(protocol="held_out", status=status)


def clustering(clusters: np.ndarray, ids: str = "image") -> pd.DataFrame:
    names = [f"{ids}-{number}" for number in range(len(clusters))]
    return pd.DataFrame({"id": names, "hash": names, "cluster": clusters})


def test_only_seeds_of_the_same_configuration_are_compared() -> None:
    clusters = {row: RNG.integers(0, 3, 50) for row in range(6)}
    table = rows((10, 0), (50, 0), (10, 1), (50, 1), (10, 2), (50, 2))
    stable = stability(table, SWEPT, lambda row: clustering(clusters[row])).tables["stability"]
    assert stable["cluster.k"].to_list() == [10, 50]
    assert stable["seeds"].to_list() == [3, 3]
    scores = [adjusted_rand_score(clusters[a], clusters[b]) for a, b in ((0, 2), (0, 4), (2, 4))]
    assert stable["stability"][0] == pytest.approx(np.mean(scores))
    assert stable["least"][0] == min(scores)
    assert stable["low"][0] < stable["stability"][0] < stable["high"][0]


def test_stability_is_charted_over_a_single_swept_setting() -> None:
    table = rows(*((k, seed) for k in (50, 10) for seed in range(3)))
    findings = stability(table, SWEPT, lambda row: clustering(np.arange(60) % (2 + row // 3)))
    chart = findings.figures["stability"]
    assert isinstance(chart, Lines)
    assert (chart.x, chart.x_label, chart.series) == ([10, 50], "cluster.k", {"held_out": [1, 1]})
    assert chart.low == {"held_out": [1, 1]}
    one_k = stability(table[table["cluster.k"] == 10], SWEPT, lambda row: clustering(np.arange(60) % 3))
    assert not one_k.figures


def test_stability_ignores_cluster_numbers() -> None:
    clusters = RNG.integers(0, 3, 50)
    table = rows((10, 0), (10, 1), (10, 2))
    stable = stability(table, SWEPT, lambda row: clustering((clusters + row) % 3)).tables["stability"].iloc[0]
    assert (stable["stability"], stable["low"], stable["high"], stable["least"]) == (1, 1, 1, 1)


def test_other_samples_and_missing_clusterings_are_ignored() -> None:
    table = rows((10, 0), (10, 1), (10, 2), (10, 3))
    clusters = RNG.integers(0, 3, 50)
    tables = {0: clustering(clusters), 1: clustering(clusters, "another"), 2: None, 3: clustering(clusters)}
    row = stability(table, SWEPT, tables.__getitem__).tables["stability"].iloc[0]
    assert (row["seeds"], row["stability"]) == (2, 1)
    assert np.isnan(row["low"]), "a single pair has no interval"


@pytest.mark.parametrize(
    ("table", "swept"),
    [
        (rows((10, 0), (50, 0)), SWEPT),
        (rows((10, 0), (10, 1), status="FAILED"), SWEPT),
        (rows((10, 0), (50, 0)), ["cluster.k"]),
    ],
)
def test_without_two_seeds_there_is_no_stability(table: pd.DataFrame, swept: list[str]) -> None:
    assert not stability(table, swept, lambda row: clustering(np.zeros(4, int))).tables


def test_only_the_first_of_many_seeds_are_compared() -> None:
    rows_read: list[int] = []

    def record_and_read(row: int) -> pd.DataFrame:
        rows_read.append(row)
        return clustering(np.zeros(4, int))

    table = rows(*((10, seed) for seed in range(MAX_SEEDS + 5)))
    assert stability(table, SWEPT, record_and_read).tables["stability"]["seeds"].item() == MAX_SEEDS
    assert rows_read == list(range(MAX_SEEDS))


def test_the_jackknife_returns_the_mean_of_the_pairs() -> None:
    pairs = np.array([[9, 0.5, 0.75], [0.5, 9, 1.0], [0.75, 1.0, 9]])
    interval = jackknife(pairs)
    assert interval.value == pytest.approx(0.75)
    pseudo = 3 * 0.75 - 2 * np.array([1.0, 0.75, 0.5])
    assert interval.low == pytest.approx(stats.t.interval(0.95, 2, pseudo.mean(), stats.sem(pseudo))[0])


def test_95_percent_of_jackknife_intervals_contain_the_true_mean() -> None:
    """The kernel is xy, whose mean over independent pairs is the squared mean of x."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(1000):
        x = rng.normal(2, 0.5, 10)
        interval = jackknife(np.outer(x, x))
        covered.append(interval.low <= 4 <= interval.high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)
