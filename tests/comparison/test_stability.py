"""How far clusterings agree over the seeds: the mean over pairs, its interval, and which pairs count."""

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
    """Make the table of a sweep over k and seed."""
    table = pd.DataFrame(jobs, columns=SWEPT)
    return table.assign(protocol="held_out", status=status)


def clustering(clusters: np.ndarray, ids: str = "image") -> pd.DataFrame:
    names = [f"{ids}-{number}" for number in range(len(clusters))]
    return pd.DataFrame({"id": names, "hash": names, "cluster": clusters})


def test_only_seeds_of_one_configuration_are_paired() -> None:
    found = {place: RNG.integers(0, 3, 50) for place in range(6)}
    table = rows((10, 0), (50, 0), (10, 1), (50, 1), (10, 2), (50, 2))
    left = stability(table, SWEPT, lambda place: clustering(found[place])).tables["stability"]
    assert left["cluster.k"].to_list() == [10, 50]
    assert left["seeds"].to_list() == [3, 3]
    scores = [adjusted_rand_score(found[a], found[b]) for a, b in ((0, 2), (0, 4), (2, 4))]
    assert left["stability"][0] == pytest.approx(np.mean(scores))
    assert left["least"][0] == min(scores)
    assert left["low"][0] < left["stability"][0] < left["high"][0]


def test_the_stability_is_drawn_over_the_one_setting_beside_the_seed() -> None:
    table = rows(*((k, seed) for k in (50, 10) for seed in range(3)))
    found = stability(table, SWEPT, lambda place: clustering(np.arange(60) % (2 + place // 3)))
    chart = found.figures["stability"]
    assert isinstance(chart, Lines)
    assert (chart.x, chart.x_label, chart.series) == ([10, 50], "cluster.k", {"held_out": [1, 1]})
    assert chart.low == {"held_out": [1, 1]}
    alone = stability(table[table["cluster.k"] == 10], SWEPT, lambda place: clustering(np.arange(60) % 3))
    assert not alone.figures


def test_equal_clusterings_are_stable_whatever_their_numbers() -> None:
    clusters = RNG.integers(0, 3, 50)
    table = rows((10, 0), (10, 1), (10, 2))
    left = (
        stability(table, SWEPT, lambda place: clustering((clusters + place) % 3)).tables["stability"].iloc[0]
    )
    assert (left["stability"], left["low"], left["high"], left["least"]) == (1, 1, 1, 1)


def test_other_samples_and_lost_clusterings_are_not_compared() -> None:
    table = rows((10, 0), (10, 1), (10, 2), (10, 3))
    clusters = RNG.integers(0, 3, 50)
    left = {0: clustering(clusters), 1: clustering(clusters, "another"), 2: None, 3: clustering(clusters)}
    found = stability(table, SWEPT, left.__getitem__).tables["stability"].iloc[0]
    assert (found["seeds"], found["stability"]) == (2, 1)
    assert np.isnan(found["low"]), "of one pair there is no interval"


@pytest.mark.parametrize(
    ("table", "swept"),
    [
        (rows((10, 0), (50, 0)), SWEPT),
        (rows((10, 0), (10, 1), status="FAILED"), SWEPT),
        (rows((10, 0), (50, 0)), ["cluster.k"]),
    ],
)
def test_without_two_seeds_of_a_configuration_there_is_none(table: pd.DataFrame, swept: list[str]) -> None:
    assert not stability(table, swept, lambda place: clustering(np.zeros(4, int))).tables


def test_of_very_many_seeds_the_first_are_compared() -> None:
    read: list[int] = []

    def look(place: int) -> pd.DataFrame:
        read.append(place)
        return clustering(np.zeros(4, int))

    table = rows(*((10, seed) for seed in range(MAX_SEEDS + 5)))
    assert stability(table, SWEPT, look).tables["stability"]["seeds"].item() == MAX_SEEDS
    assert read == list(range(MAX_SEEDS))


def test_the_jackknife_gives_the_mean_of_the_pairs() -> None:
    pairs = np.array([[9, 0.5, 0.75], [0.5, 9, 1.0], [0.75, 1.0, 9]])
    found = jackknife(pairs)
    assert found.value == pytest.approx(0.75)
    pseudo = 3 * 0.75 - 2 * np.array([1.0, 0.75, 0.5])
    assert found.low == pytest.approx(stats.t.interval(0.95, 2, pseudo.mean(), stats.sem(pseudo))[0])


def test_the_jackknife_covers_the_mean_of_a_kernel_as_often_as_it_says() -> None:
    """Of xy, whose mean over independent pairs is the square of the mean of x."""
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(1000):
        x = rng.normal(2, 0.5, 10)
        found = jackknife(np.outer(x, x))
        covered.append(found.low <= 4 <= found.high)
    assert np.mean(covered) == pytest.approx(0.95, abs=0.03)
