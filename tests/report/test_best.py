"""The best configuration of a sweep, and its lead."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_rel
from tests.messages import numbers, says

from experiments.report.best import best_configs, verdict

ROWS = pd.DataFrame(
    {
        "cluster.k": [10, 10, 50, 50, 90, 90],
        "seed": [0, 1, 0, 1, 0, 1],
        "protocol": "held_out",
        "ari": [0.5, 0.7, 0.8, 0.3, 0.9, np.nan],
        "purity": [0.6, 0.6, 0.8, 0.9, 1.0, np.nan],
        "purity_chance": [0.1, 0.3, 0.4, 0.5, 0.9, np.nan],
        "purity_ceiling": [0.7, 0.7, 1.0, 1.0, 1.0, np.nan],
        "probe_accuracy": [0.85, 0.95, 0.9, 0.9, 0.9, np.nan],
        "probe_train_accuracy": 1.0,
        "probe_gap": 0.1,
        "inertia": 1.0,
        "noise_share": 0.0,
        "status": ["FINISHED"] * 5 + ["FAILED"],
    }
)  # k=90 has one seed that finished
SWEPT, MAIN = (
    ["cluster.k", "seed"],
    ["cluster.k", "seed", "protocol", "ari", "purity", "inertia", "noise_share"],
)


def test_the_best_mean_over_seeds_wins_and_runners_up_are_listed() -> None:
    bests = best_configs(ROWS[ROWS["cluster.k"] < 90], SWEPT, MAIN, "ari")
    assert [best.headline.name for best in bests] == ["ari", "purity"]
    ari, purity = bests
    assert (ari.config, ari.seeds, ari.runners_up) == ("k=10", 2, [("k=50", pytest.approx(0.55))])
    assert ari.headline.value == pytest.approx(0.6)
    assert ari.high - 0.6 == pytest.approx(0.6 - ari.low) == pytest.approx(12.7062 * 0.1, rel=1e-4)
    assert ["objective" in best.headline.about for best in bests] == [True, False]
    assert (purity.config, purity.headline.value) == ("k=50", pytest.approx(0.85))
    levels = (purity.headline.chance, purity.headline.ceiling, purity.headline.supervised)
    assert levels == (pytest.approx(0.45), 1.0, None)  # the probe is of other images


def test_a_configuration_of_one_seed_has_no_interval() -> None:
    ari, _ = best_configs(ROWS, SWEPT, MAIN, "ari")
    assert (ari.config, ari.seeds) == ("k=90 (1 seed)", 1), "the others have two"
    assert np.isnan(ari.low)
    behind = best_configs(ROWS.assign(ari=[0.5, 0.7, 0.8, 0.3, 0.58, np.nan]), SWEPT, MAIN, "ari")[0]
    assert [name for name, _ in behind.runners_up] == ["k=90 (1 seed)", "k=50"]
    alone = best_configs(ROWS[ROWS["seed"] == 0], SWEPT, MAIN, "ari")[0]
    assert alone.config == "k=90", "all have one"


def test_the_objective_comes_first() -> None:
    assert [best.headline.name for best in best_configs(ROWS, SWEPT, MAIN, "purity")] == ["purity", "ari"]


def test_seeds_alone_are_one_configuration() -> None:
    (ari, _) = best_configs(ROWS[ROWS["cluster.k"] == 10], ["seed"], MAIN, "ari")
    assert (ari.seeds, ari.runners_up) == (2, [])
    assert "=" not in ari.config


def test_a_metric_without_values_is_skipped() -> None:
    assert best_configs(ROWS.assign(status="FAILED"), SWEPT, MAIN, "ari") == []


def test_a_ceiling_for_equal_counts_needs_equal_counts_in_all_jobs() -> None:
    rows = ROWS[ROWS["cluster.k"] < 90]
    bests = best_configs(rows, SWEPT, MAIN, "ari", [["", "_test"], [""], [], []])
    assert {best.headline.name: best.headline.ceiling for best in bests} == {"ari": 1, "purity": 1}
    partly_known = best_configs(rows, SWEPT, MAIN, "ari", [[""], ["_test"], [], []])
    assert [best.headline.ceiling for best in partly_known] == [None, 1], "purity's is known of any k"


def test_the_best_is_compared_with_the_next_over_the_same_seeds() -> None:
    rows = pd.DataFrame(
        {
            "reducer.n_components": [10] * 4 + [20] * 3 + [30] * 3,
            "seed": [0, 1, 2, 9, 0, 1, 2, 0, 1, 2],
            "protocol": "held_out",
            "ari": [0.7, 0.8, 0.75, 0.9, 0.6, 0.71, 0.65, 0.1, 0.1, 0.1],
            "purity": [0.4, 0.8, 0.6, 0.6, 0.8, 0.4, 0.5, 0.3, 0.3, 0.3],
            "acc": [0.5, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.1, 0.1, 0.1],
            "status": "FINISHED",
        }
    )
    swept, main = ["reducer.n_components", "seed"], ["ari", "purity", "acc"]
    ari, purity, acc = (best.lead for best in best_configs(rows, swept, main, "ari"))
    test = ttest_rel([0.7, 0.8, 0.75], [0.6, 0.71, 0.65])
    assert ari is not None
    assert (ari.difference, ari.p, ari.seeds) == (pytest.approx(0.29 / 3), pytest.approx(test.pvalue), 3)
    assert (ari.low, ari.high) == pytest.approx(tuple(test.confidence_interval()))
    says(str(ari), key="differs", use="3 seeds")
    assert purity is not None
    assert purity.low < 0 < purity.high
    says(str(purity), key="no significant difference", use="3 seeds")
    assert acc is not None
    assert np.isnan(acc.p)
    says(str(acc), key="0.25", use="each of 3 seeds")
    over_k = best_configs(rows.rename(columns={swept[0]: "cluster.k"}), SWEPT, main, "ari")
    assert [best.lead is not None for best in over_k] == [True, False, False], "purity and acc do not count"


def test_the_verdict_names_metrics_without_a_significant_difference() -> None:
    rows = pd.DataFrame(
        {
            "reducer.n_components": [10] * 3 + [20] * 3,
            "seed": [0, 1, 2] * 2,
            "protocol": "held_out",
            "ari": [0.7, 0.8, 0.75, 0.6, 0.71, 0.65],
            "purity": [0.4, 0.8, 0.6, 0.8, 0.4, 0.5],
            "status": "FINISHED",
        }
    )
    swept = ["reducer.n_components", "seed"]
    text = verdict(best_configs(rows, swept, ["ari", "purity"], "ari"), swept)
    seeds, text = text.partition(": ")[::2]
    assert numbers(seeds) == [str(rows["seed"].nunique())]
    assert text.startswith("n_components=10 by ari, purity. ")
    assert says(text, key="significant difference", use="purity").endswith(" by purity")


@pytest.mark.parametrize("more", [{}, {"silhouette_embeddings": [0.3, 0.1]}])
def test_without_labels_the_verdict_agrees_with_the_best_job(more: dict[str, list[float]]) -> None:
    rows = pd.DataFrame({"cluster.k": [5, 20], "protocol": "held_out", "status": "FINISHED"} | more)
    rows["silhouette"] = [0.2, 0.4]
    bests = best_configs(rows, ["cluster.k"], ["silhouette", *more], "ari")
    text = verdict(bests, ["cluster.k"])
    assert text.startswith("k=20 by silhouette")
    assert ("k=5 by silhouette_embeddings" in text) == bool(more)
    says(text, key="a choice", use="k_selection")
    with_labels = best_configs(rows.assign(ari=[0.9, 0.5]), ["cluster.k"], ["ari", "silhouette"], "ari")
    assert verdict(with_labels, ["cluster.k"]).startswith("k=5 by ari. silhouette changes with k by itself")


def test_one_common_seed_gives_no_lead() -> None:
    assert [best.lead for best in best_configs(ROWS, SWEPT, MAIN, "ari")] == [None, None]
    assert best_configs(ROWS.drop(columns="seed"), SWEPT[:1], MAIN, "ari")[0].lead is None
