"""Figures beside their chance level and their ceiling."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from tests.messages import numbers, says

from experiments.report.contents import Headline
from experiments.report.headlines import alike, headlines, upper_bounds


def test_each_figure_stands_beside_its_own_levels() -> None:
    metrics = {
        "purity": 0.8, "purity_chance": 0.2, "purity_ceiling": 0.9, "ari": 0.5, "inertia": 7.0,
        "purity_validation": 0.7, "purity_chance_validation": 0.25, "purity_ceiling_validation": 0.95,
    }  # fmt: skip
    found = {each.name: each for each in headlines(metrics)}
    assert list(found) == ["ari", "purity", "purity_validation"]
    assert (found["ari"].chance, found["ari"].ceiling) == (0, None)
    assert (found["purity"].chance, found["purity"].ceiling) == (0.2, 0.9)
    assert (found["purity_validation"].chance, found["purity_validation"].ceiling) == (0.25, 0.95)
    assert found["purity_validation"].about.startswith(found["purity"].about)
    assert "backbone" in found["purity_validation"].about.removeprefix(found["purity"].about)


CEILED = {
    "ari": 0.5, "acc": 0.4, "purity": 0.5, "purity_ceiling": 1.0,
    "ari_validation": 0.5, "acc_validation": 0.4, "purity_ceiling_validation": 0.8,
}  # fmt: skip


def test_what_needs_as_many_clusters_as_classes_has_a_ceiling_only_where_they_are() -> None:
    unknown = {each.name: each.ceiling for each in headlines(CEILED)}
    assert unknown == {"ari": None, "purity": 1, "acc": None, "ari_validation": None, "acc_validation": 0.8}
    alike = {each.name: each.ceiling for each in headlines(CEILED, alike=[""])}
    assert alike == {"ari": 1, "purity": 1, "acc": 1, "ari_validation": None, "acc_validation": 0.8}
    says(headlines(CEILED)[0].about, key="1", use="clusters")


def test_rows_are_alike_that_have_as_many_clusters_as_classes() -> None:
    labels, clusters = np.array([0, 0, 1, 2, 2, -1]), np.array([0, 3, -1, 3, 4, 5])
    parts = {"validation": np.array([1, 3, 5]), "test": np.array([0, 2])}
    samples = SimpleNamespace(labels=labels, labelled=np.arange(5), rows=lambda name: parts[name])
    result: Any = SimpleNamespace(samples=samples, clustering=SimpleNamespace(assignments=clusters))
    assert alike(result) == ["_test"]  # validation: one cluster of two classes; noise is one cluster
    clusters[0] = 3
    assert alike(result) == ["", "_test"]
    samples.labels = None
    assert alike(result) == []


def test_a_level_that_is_not_known_is_left_open() -> None:
    assert headlines({"nmi": 0.4})[0].chance is None
    assert headlines({"nmi": 0.4, "nmi_chance": 0.1})[0].chance == 0.1
    assert headlines({"purity": 0.4})[0].ceiling is None


PROBED = {
    "probe_accuracy": 0.9, "probe_accuracy_validation": 0.8, "probe_accuracy_test": 0.95,
    "probe_train_accuracy": 1.0, "probe_gap": 0.1, "probe_scored": 1021.0,
    "macro_5_accuracy": 0.99, "macro_5_train_accuracy": 1.0, "acc": 0.3,
}  # fmt: skip


def test_what_a_probe_reaches_on_rows_that_it_was_not_fitted_on_is_the_upper_bound() -> None:
    found = upper_bounds(PROBED)
    names = ["probe_accuracy", "probe_accuracy_validation", "probe_accuracy_test"]
    assert [each.name for each in found] == names
    assert isinstance(found[0], Headline)
    assert found[0].value == 0.9
    assert [numbers(each.about) for each in found] == [["1,021"], [], []]
    for part, told in (("validation", [False, True, False]), ("test", [False, False, True])):
        assert [part in each.about for each in found] == told


def test_the_same_rows_stand_there_once_under_their_name() -> None:
    (found,) = upper_bounds({name: value for name, value in PROBED.items() if not name.endswith("_test")})
    assert found.name == "probe_accuracy_validation"
    says(found.about, key="1,021", use="validation")
    (found,) = upper_bounds(
        {name: value for name, value in PROBED.items() if "accuracy_" not in name[5:]}
        | {"probe_train_accuracy": 1.0}
    )  # as of protocol=published
    assert found.name == "probe_accuracy"


def test_a_backbone_that_learnt_from_labels_is_an_upper_bound_too() -> None:
    history = [{"val_accuracy": 0.5, "val_loss": 2.0}, {"val_accuracy": 0.75}, {"val_accuracy": 0.7}]
    (found,) = upper_bounds({"acc": 0.3}, history)
    assert (found.name, found.value) == ("backbone_accuracy_validation", 0.75)
    says(found.about, key="epoch", use="backbone")


def test_the_best_upper_bound_of_the_same_rows_stands_beside_what_clusters_get() -> None:
    metrics = {"acc": 0.3, "purity": 0.4, "ari": 0.2, "acc_validation": 0.2, "acc_test": 0.1}
    probed = {each.name: each.supervised for each in headlines(metrics, upper_bounds(metrics | PROBED))}
    assert probed == {"ari": None, "purity": None, "acc": None, "acc_validation": 0.8, "acc_test": 0.95}
    trained = headlines(metrics, upper_bounds(metrics, [{"val_accuracy": 0.6}]))
    assert {each.name: each.supervised for each in trained} == {
        "ari": None, "purity": None, "acc": None, "acc_validation": 0.6, "acc_test": None,
    }  # fmt: skip
    assert all(each.supervised is None for each in headlines(metrics))
