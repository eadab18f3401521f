"""Two configurations over the same seeds: differences, tests against scipy's and known answers, bad input."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tests.messages import says

from experiments.comparison.paired import holm, paired, select_configuration, sign_flip

SWEPT = ["cluster.k", "reducer", "seed"]
A = [0.50, 0.52, 0.47, 0.51, 0.55]
B = [0.53, 0.56, 0.48, 0.57, 0.56]


def jobs(values: list[float], seeds: Any = range(5), **more: Any) -> pd.DataFrame:
    table = pd.DataFrame({"seed": list(seeds), "ari": values})
    return table.assign(protocol="held_out", status="FINISHED", **more)


def sweep() -> pd.DataFrame:
    """Return the table of a sweep over k and reducer, with five seeds each."""
    parts = [
        jobs(values, **{"cluster.k": k, "reducer": reducer})
        for k, reducer, values in ((10, "pca", A), (50, "pca", B), (10, "umap", B), (50, "umap", A))
    ]
    return pd.concat(parts, ignore_index=True)


def test_the_paired_t_test_agrees_with_scipy() -> None:
    row = paired(jobs(A), jobs(B), ["ari"]).tables["paired"].iloc[0]
    expected = stats.ttest_rel(B, A)
    assert row["difference"] == pytest.approx(np.mean(B) - np.mean(A))
    assert row["p"] == row["p_holm"] == pytest.approx(expected.pvalue)
    assert (row["low"], row["high"]) == pytest.approx(tuple(expected.confidence_interval()))
    assert row["d_z"] == pytest.approx(expected.statistic / np.sqrt(5))
    assert row["p_flip"] == 2 / 2**5, "all differences are of one sign"
    assert (row["seeds"], row["a"], row["b"]) == (5, pytest.approx(0.51), pytest.approx(0.54))


def test_seeds_are_paired_by_number_not_by_order() -> None:
    shuffled = jobs(B).sample(frac=1, random_state=0)
    in_order, in_random_order = (paired(jobs(A), b, ["ari"]).tables["paired"] for b in (jobs(B), shuffled))
    pd.testing.assert_frame_equal(in_order, in_random_order)


def test_a_seed_of_only_one_configuration_is_ignored() -> None:
    row = paired(jobs(A), jobs(B[1:], range(1, 5)), ["ari"]).tables["paired"].iloc[0]
    assert row["seeds"] == 4
    assert row["difference"] == pytest.approx(np.mean(B[1:]) - np.mean(A[1:]))


@pytest.mark.parametrize("seeds", [[0], [7, 8, 9]])
def test_fewer_than_two_common_seeds_cannot_be_tested(seeds: list[int]) -> None:
    with pytest.raises(ValueError) as error:
        paired(jobs(A), jobs(B[: len(seeds)], seeds), ["ari"])
    says(error, key="seed", use="seed='range(5)'")


def test_a_constant_difference_has_no_p_value() -> None:
    both = [jobs(A, nmi=0.25, purity_ceiling=0.5 + x * np.arange(5)) for x in (0, 0.01)]
    both[1]["nmi"] = 0.5
    table = paired(*both, metrics=["ari", "nmi", "purity_ceiling"]).tables["paired"].set_index("metric")
    assert table["difference"].to_list() == pytest.approx([0, 0.25, 0.02])
    assert table[["p", "p_holm", "p_flip", "d_z"]].isna().all(axis=None)


def test_holms_correction_agrees_with_his_paper() -> None:
    """The sorted p values are multiplied by 4, 3, 2 and 1, and made monotonic."""
    corrected = holm(np.array([0.01, np.nan, 0.04, 0.03, 0.005]))
    np.testing.assert_allclose(corrected, [0.03, np.nan, 0.06, 0.06, 0.02])
    assert holm(np.array([0.6, 0.9])).tolist() == [1, 1]


def test_all_sign_flips_of_few_seeds_are_counted() -> None:
    assert sign_flip(np.array([1.0, 2.0, 3.0])) == 2 / 8
    assert sign_flip(np.array([1.0, 2.0, -3.0])) == 1
    assert sign_flip(np.array([5.0, 2.0, -1.0])) == 4 / 8, "5+2-1 and 5+2+1, and both negated"


def test_random_sign_flips_are_used_for_many_seeds() -> None:
    differences = np.random.default_rng(1).normal(0.4, 1, 40)
    assert sign_flip(differences) == pytest.approx(stats.ttest_1samp(differences, 0).pvalue, rel=0.3)


def test_settings_select_the_jobs_of_a_configuration() -> None:
    selected = select_configuration(
        sweep(), SWEPT, {"cluster.k": 10, "reducer": "umap"}, "cluster.k=10 reducer=umap"
    )
    assert selected["ari"].to_list() == B
    some = sweep()[lambda table: table["reducer"] == "pca"]
    assert select_configuration(some, SWEPT, {"cluster.k": 50}, "cluster.k=50")["ari"].to_list() == B


@pytest.mark.parametrize(
    ("settings", "typed", "use"),
    [
        ({"cluster.k": 10}, "cluster.k=10", "cluster.k=10 reducer=pca; cluster.k=10 reducer=umap"),
        ({"cluster.k": 11}, "cluster.k=11", "cluster.k=50 reducer=umap"),
        ({"backbone": "cnn"}, "backbone=cnn", "cluster.k, reducer"),
        ({"seed": 0}, "seed=0", "cluster.k, reducer"),
    ],
)
def test_settings_must_select_exactly_one_configuration(
    settings: dict[str, Any], typed: str, use: str
) -> None:
    with pytest.raises(ValueError) as error:
        select_configuration(sweep(), SWEPT, settings, typed)
    says(error, key=typed, use=use)


def test_a_sweep_of_one_seed_has_nothing_to_pair() -> None:
    with pytest.raises(ValueError) as error:
        select_configuration(sweep(), ["cluster.k", "reducer"], {"cluster.k": 10}, "cluster.k=10")
    says(error, use="seed='range(5)'")
