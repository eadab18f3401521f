"""Figures beside their chance level and their ceiling."""

from experiments.report.contents import Headline
from experiments.report.headlines import headlines, upper_bounds


def test_each_figure_stands_beside_its_own_levels() -> None:
    metrics = {
        "purity": 0.8, "purity_chance": 0.2, "purity_ceiling": 0.9, "ari": 0.5, "inertia": 7.0,
        "purity_validation": 0.7, "purity_chance_validation": 0.25, "purity_ceiling_validation": 0.95,
    }  # fmt: skip
    found = {each.name: each for each in headlines(metrics)}
    assert list(found) == ["ari", "purity", "purity_validation"]
    assert (found["ari"].chance, found["ari"].ceiling) == (0, 1)
    assert (found["purity"].chance, found["purity"].ceiling) == (0.2, 0.9)
    assert (found["purity_validation"].chance, found["purity_validation"].ceiling) == (0.25, 0.95)
    assert found["purity_validation"].about.endswith("images that the backbone was not trained on")


def test_a_level_that_is_not_known_is_left_open() -> None:
    assert headlines({"nmi": 0.4})[0].chance is None
    assert headlines({"purity": 0.4})[0].ceiling is None


def test_what_a_probe_reaches_on_rows_that_it_was_not_fitted_on_is_the_upper_bound() -> None:
    metrics = {
        "probe_accuracy": 0.9,
        "probe_accuracy_validation": 0.8,
        "probe_train_accuracy": 1.0,
        "acc": 0.3,
    }
    found = upper_bounds(metrics)
    assert [each.name for each in found] == ["probe_accuracy", "probe_accuracy_validation"]
    assert isinstance(found[0], Headline)
    assert found[0].value == 0.9
