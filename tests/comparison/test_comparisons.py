"""Probes, protocols and seeds, compared over the jobs of a sweep."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from experiments.comparison import agreement, compare
from experiments.comparison.agreement import MAX_JOBS
from experiments.comparison.intervals import mean_interval, proportion_difference
from experiments.job import summary
from experiments.job.perform import Outcome

SWEPT = ["cluster.k", "protocol", "seed"]


def job(k: int = 10, protocol: str = "held_out", seed: int = 0, **more: float) -> Outcome:
    """Return a job with two probes; `published` adds 0.1 + seed / 100 to the first one's accuracy."""
    leak = 0.1 + seed / 100 if protocol == "published" else 0.0
    metrics = {"purity": k / 100, "macro_accuracy_5": 0.8 + leak / 2}
    for name, accuracy in (("probe", 0.4 + seed / 10 + leak), ("probe_c1", 0.3)):
        metrics |= {
            f"{name}_accuracy": accuracy,
            f"{name}_accuracy_validation": 0.9,
            f"{name}_train_accuracy": accuracy + 0.2,
            f"{name}_gap": 0.2,
            f"{name}_macro_f1": accuracy - 0.1,
            f"{name}_scored": 500.0,
        }
    overrides = [f"cluster.k={k}", f"protocol={protocol}", f"seed={seed}"]
    return Outcome(overrides, protocol=protocol, status="FINISHED", metrics=metrics | more)


def tables(*jobs: Outcome, swept: list[str] = SWEPT) -> dict[str, pd.DataFrame]:
    return compare(summary.to_frame(jobs, swept), swept).tables


def both(*seeds: int) -> list[Outcome]:
    return [job(k, p, seed) for k in (10, 50) for p in ("held_out", "published") for seed in seeds]


def test_each_probe_of_an_embedding_has_one_row_for_all_k() -> None:
    table = tables(job(10), job(50))["probes"]
    assert table["probe"].to_list() == ["probe", "probe_c1"]
    assert table["best"].to_list() == [True, False]
    assert table["train_accuracy"].to_list() == pytest.approx([0.6, 0.5])


def test_each_embedding_has_its_best_probe() -> None:
    table = tables(*both(0, 1))["probes"]
    assert len(table) == 8
    assert table.groupby(["protocol", "seed"])["best"].sum().to_list() == [1] * 4


def test_a_swept_setting_of_a_probe_is_empty_for_other_probes() -> None:
    jobs = []
    for c, accuracy in ((0.01, 0.3), (0.1, 0.5), (1, 0.4)):
        outcome = job(probe_accuracy=accuracy)
        outcome.overrides.append(f"evaluator.probe.C={c}")
        jobs.append(outcome)
    table = tables(*jobs, swept=["evaluator.probe.C"])["probes"]
    assert table["probe"].to_list().count("probe_c1") == 1
    assert table.loc[table["best"], "evaluator.probe.C"].to_list() == [0.1]


def test_without_probes_there_is_no_table_of_them() -> None:
    plain = Outcome(["cluster.k=10"], protocol="held_out", status="FINISHED", metrics={"ari": 0.5})
    assert set(tables(plain, swept=["cluster.k"])) == set()


def test_the_leakage_of_one_seed_has_newcombes_interval() -> None:
    table = tables(*both(0))["leakage"].set_index("figure")
    row = table.loc["probe_accuracy"]
    assert (row["held_out"], row["published"], row["difference"]) == pytest.approx((0.4, 0.5, 0.1))
    assert (row["low"], row["high"]) == pytest.approx(proportion_difference(0.5, 500, 0.4, 500)[1:])
    assert row["over"] == "500 and 500 rows"
    assert "macro_accuracy_5" not in table.index, "the groups differ from protocol to protocol"
    assert np.isnan(table.loc["probe_macro_f1", "low"])
    assert "probe_accuracy_validation" not in table.index


def test_the_leakage_over_seeds_pairs_the_same_embeddings() -> None:
    row = tables(*both(0, 1, 2))["leakage"].set_index("figure").loc["probe_accuracy"]
    differences = [0.1, 0.11, 0.12]
    assert row["over"] == "3 seeds"
    assert row["difference"] == pytest.approx(0.11)
    low, high = stats.t.interval(0.95, 2, np.mean(differences), stats.sem(differences))
    assert (row["low"], row["high"]) == pytest.approx((low, high))


def test_a_seed_that_failed_under_one_protocol_is_not_paired() -> None:
    jobs = both(0, 1, 2)
    jobs[-1] = Outcome(jobs[-1].overrides, protocol="published", status="FAILED")
    jobs[5] = Outcome(jobs[5].overrides, protocol="published", status="FAILED")
    assert tables(*jobs)["leakage"]["over"].iloc[0] == "2 seeds"


def test_other_settings_have_separate_rows() -> None:
    jobs = []
    for dense in (128, 256):
        for outcome in both(0):
            outcome.overrides.append(f"backbone.dense={dense}")
            outcome.metrics["probe_accuracy"] += dense / 1000
            jobs.append(outcome)
    table = tables(*jobs, swept=[*SWEPT, "backbone.dense"])["leakage"]
    accuracies = table[table["figure"] == "probe_accuracy"]
    assert accuracies["backbone.dense"].to_list() == [128, 256]
    assert accuracies["held_out"].to_list() == pytest.approx([0.528, 0.656])


def test_one_protocol_leaks_nothing() -> None:
    assert "leakage" not in tables(job(10), job(50))


def test_seeds_are_averaged_per_configuration() -> None:
    table = tables(*both(0, 1, 2))["seeds"]
    row = table[(table["metric"] == "probe_accuracy") & (table["protocol"] == "held_out")].iloc[0]
    assert (row["n"], row["mean"], row["std"]) == (3, pytest.approx(0.5), pytest.approx(0.1))
    low, high = stats.t.interval(0.95, 2, 0.5, stats.sem([0.4, 0.5, 0.6]))
    assert (row["low"], row["high"]) == pytest.approx((low, high))
    assert set(table["cluster.k"]) == {10, 50}


def test_one_seed_has_no_interval() -> None:
    table = tables(job(10), job(50), swept=["cluster.k", "seed"])["seeds"]
    assert table["std"].isna().all()
    assert table["low"].isna().all()


def test_without_a_swept_seed_there_is_no_table_of_seeds() -> None:
    assert "seeds" not in tables(job(10), job(50), swept=["cluster.k"])


def test_95_percent_of_intervals_contain_the_true_mean() -> None:
    rng = np.random.default_rng(0)
    intervals = [mean_interval(rng.normal(3, 2, 5)) for _ in range(2000)]
    covered = np.mean([interval.low <= 3 <= interval.high for interval in intervals])
    assert covered == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("first", "n_first", "second", "n_second", "low", "high"),
    [(56 / 70, 70, 48 / 80, 80, 0.0524, 0.3339), (9 / 10, 10, 3 / 10, 10, 0.1705, 0.8090)],
)
def test_differences_of_shares_agree_with_newcombes_own_examples(
    first: float, n_first: int, second: float, n_second: int, low: float, high: float
) -> None:
    interval = proportion_difference(first, n_first, second, n_second)
    assert interval.value == pytest.approx(first - second)
    assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


def test_agreement_ignores_cluster_numbers() -> None:
    first = np.array([0, 0, 1, 1, 2, 2])
    findings = agreement(["a", "b", "c"], [first, 2 - first, np.array([0, 1, 0, 1, 0, 1])])
    heat = findings.figures["agreement"].values  # type: ignore[attr-defined]
    assert heat[0].tolist() == pytest.approx([1, 1, -4 / 11])  # (0 - 1.2) / (4.5 - 1.2) by the formula
    np.testing.assert_array_equal(heat, heat.T)
    assert findings.tables["agreement"].columns.to_list() == ["ARI with", "a", "b", "c"]


@pytest.mark.parametrize("jobs", [0, 1, MAX_JOBS + 1])
def test_one_clustering_or_too_many_give_no_agreement(jobs: int) -> None:
    assert not agreement(["a"] * jobs, [np.zeros(3, np.int64)] * jobs).tables
