"""Which configuration of a sweep is best, and by how much."""

import numpy as np
import pandas as pd
import pytest

from experiments.report.best import bests

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


def test_the_best_mean_over_the_seeds_wins_and_the_next_are_named() -> None:
    found = bests(ROWS[ROWS["cluster.k"] < 90], SWEPT, MAIN, "ari")
    assert [best.headline.name for best in found] == ["ari", "purity"]
    ari, purity = found
    assert (ari.config, ari.seeds, ari.after) == ("k=10", 2, [("k=50", pytest.approx(0.55))])
    assert ari.headline.value == pytest.approx(0.6)
    assert ari.high - 0.6 == pytest.approx(0.6 - ari.low) == pytest.approx(12.7062 * 0.1, rel=1e-4)
    assert ["objective" in best.headline.about for best in found] == [True, False]
    assert (purity.config, purity.headline.value) == ("k=50", pytest.approx(0.85))
    levels = (purity.headline.chance, purity.headline.ceiling, purity.headline.supervised)
    assert levels == (pytest.approx(0.45), 1.0, None)  # the probe is of other images


def test_a_configuration_of_one_seed_has_no_interval() -> None:
    ari, _ = bests(ROWS, SWEPT, MAIN, "ari")
    assert (ari.config, ari.seeds) == ("k=90 (1 seed)", 1), "the others have two"
    assert np.isnan(ari.low)
    behind = bests(ROWS.assign(ari=[0.5, 0.7, 0.8, 0.3, 0.58, np.nan]), SWEPT, MAIN, "ari")[0]
    assert [name for name, _ in behind.after] == ["k=90 (1 seed)", "k=50"]
    alone = bests(ROWS[ROWS["seed"] == 0], SWEPT, MAIN, "ari")[0]
    assert alone.config == "k=90", "all have one"


def test_the_objective_comes_first() -> None:
    assert [best.headline.name for best in bests(ROWS, SWEPT, MAIN, "purity")] == ["purity", "ari"]


def test_seeds_alone_are_one_configuration() -> None:
    (ari, _) = bests(ROWS[ROWS["cluster.k"] == 10], ["seed"], MAIN, "ari")
    assert (ari.seeds, ari.after) == (2, [])
    assert "=" not in ari.config


def test_a_figure_that_no_job_has_is_left_out() -> None:
    assert bests(ROWS.assign(status="FAILED"), SWEPT, MAIN, "ari") == []
