"""A row per configuration, with the interval over its seeds."""

import pandas as pd
import pytest
from scipy import stats

from experiments import comparison
from experiments.comparison.seed_tables import cell, means, one_protocol, spread


@pytest.fixture
def seed_rows() -> pd.DataFrame:
    """Return the table `seeds` of two k and three seeds."""
    rows = pd.DataFrame(
        {
            "cluster.k": [10, 10, 10, 50, 50, 50],
            "seed": [0, 1, 2, 0, 1, 2],
            "protocol": "held_out",
            "ari": [0.1, 0.2, 0.3, 0.5, 0.5, 0.5],
            "purity_ceiling": 1.0,
            "status": "FINISHED",
        }
    )
    return comparison.seeds(rows, ["cluster.k", "seed"]).tables["seeds"]


def test_a_mean_is_shown_with_half_of_its_interval(seed_rows: pd.DataFrame) -> None:
    low, high = stats.t.interval(0.95, 2, 0.2, stats.sem([0.1, 0.2, 0.3]))
    table = means(seed_rows, ["purity_ceiling", "ari", "nmi"])
    assert list(table.columns) == ["cluster.k", "protocol", "purity_ceiling", "ari"]
    assert table["ari"].tolist() == [f"0.2 ± {(high - low) / 2:.2g}", "0.5 ± 0"]


def test_the_spread_has_stability_and_no_levels(seed_rows: pd.DataFrame) -> None:
    stable = pd.DataFrame({"cluster.k": [10], "protocol": ["held_out"], "stability": [0.75], "low": [0.5]})
    table = spread(seed_rows, ["ari", "purity_ceiling"], stable)
    assert table.to_dict("records") == [
        {"cluster.k": 10, "protocol": "held_out", "seeds": 3, "stability": "0.75 ± 0.25", "ari": "0.1"},
        {"cluster.k": 50, "protocol": "held_out", "seeds": 3, "stability": "", "ari": "0"},
    ]
    assert "stability" not in spread(seed_rows, ["ari"])


def test_a_single_protocol_has_no_column() -> None:
    both = pd.DataFrame({"protocol": ["held_out", "published"], "ari": [1, 2]})
    assert list(one_protocol(both)) == ["protocol", "ari"]
    assert list(one_protocol(both[:1])) == ["ari"]
    assert list(one_protocol(both[["ari"]])) == ["ari"]


def test_a_cell_has_four_digits_and_nan_is_empty() -> None:
    assert [cell(value) for value in (0.123456, float("nan"), 7, "x")] == ["0.1235", "", "7", "x"]
