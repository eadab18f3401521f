"""Main metrics with their chance level, ceiling and supervised accuracy."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from tests.messages import numbers, says

from experiments.report.contents import Headline
from experiments.report.headlines import equal_count_suffixes, headlines, upper_bounds


def test_each_metric_has_its_own_levels() -> None:
    metrics = {
        "purity": 0.8, "purity_chance": 0.2, "purity_ceiling": 0.9, "ari": 0.5, "inertia": 7.0,
        "purity_validation": 0.7, "purity_chance_validation": 0.25, "purity_ceiling_validation": 0.95,
    }  # fmt: skip
    results = {headline.name: headline for headline in headlines(metrics)}
    assert list(results) == ["ari", "purity", "purity_validation"]
    assert (results["ari"].chance, results["ari"].ceiling) == (0, None)
    assert (results["purity"].chance, results["purity"].ceiling) == (0.2, 0.9)
    assert (results["purity_validation"].chance, results["purity_validation"].ceiling) == (0.25, 0.95)
    assert results["purity_validation"].about.startswith(results["purity"].about)
    assert "backbone" in results["purity_validation"].about.removeprefix(results["purity"].about)


CEILED = {
    "ari": 0.5, "acc": 0.4, "purity": 0.5, "purity_ceiling": 1.0,
    "ari_validation": 0.5, "acc_validation": 0.4, "purity_ceiling_validation": 0.8,
}  # fmt: skip


def test_some_metrics_have_a_ceiling_only_for_equal_counts_of_clusters_and_classes() -> None:
    unknown = {headline.name: headline.ceiling for headline in headlines(CEILED)}
    assert unknown == {"ari": None, "purity": 1, "acc": None, "ari_validation": None, "acc_validation": 0.8}
    known = {headline.name: headline.ceiling for headline in headlines(CEILED, equal_counts=[""])}
    assert known == {"ari": 1, "purity": 1, "acc": 1, "ari_validation": None, "acc_validation": 0.8}
    says(headlines(CEILED)[0].about, key="1", use="clusters")


def test_noise_counts_as_a_cluster_when_counts_are_compared() -> None:
    labels, clusters = np.array([0, 0, 1, 2, 2, -1]), np.array([0, 3, -1, 3, 4, 5])
    parts = {"validation": np.array([1, 3, 5]), "test": np.array([0, 2])}
    samples = SimpleNamespace(labels=labels, labelled=np.arange(5), rows=lambda name: parts[name])
    result: Any = SimpleNamespace(samples=samples, clustering=SimpleNamespace(assignments=clusters))
    assert equal_count_suffixes(result) == [
        "_test"
    ]  # validation: one cluster of two classes; noise is one cluster
    clusters[0] = 3
    assert equal_count_suffixes(result) == ["", "_test"]
    samples.labels = None
    assert equal_count_suffixes(result) == []


def test_an_unknown_level_is_none() -> None:
    assert headlines({"nmi": 0.4})[0].chance is None
    assert headlines({"nmi": 0.4, "nmi_chance": 0.1})[0].chance == 0.1
    assert headlines({"purity": 0.4})[0].ceiling is None


PROBED = {
    "probe_accuracy": 0.9, "probe_accuracy_validation": 0.8, "probe_accuracy_test": 0.95,
    "probe_train_accuracy": 1.0, "probe_gap": 0.1, "probe_scored": 1021.0,
    "macro_5_accuracy": 0.99, "macro_5_train_accuracy": 1.0, "acc": 0.3,
}  # fmt: skip


def test_a_probes_accuracy_on_unseen_rows_is_an_upper_bound() -> None:
    results = upper_bounds(PROBED)
    names = ["probe_accuracy", "probe_accuracy_validation", "probe_accuracy_test"]
    assert [headline.name for headline in results] == names
    assert isinstance(results[0], Headline)
    assert results[0].value == 0.9
    assert [numbers(headline.about) for headline in results] == [["1,021"], [], []]
    for part, mentioned in (("validation", [False, True, False]), ("test", [False, False, True])):
        assert [part in headline.about for headline in results] == mentioned


def test_equal_rows_are_listed_once() -> None:
    (result,) = upper_bounds({name: value for name, value in PROBED.items() if not name.endswith("_test")})
    assert result.name == "probe_accuracy_validation"
    says(result.about, key="1,021", use="validation")
    (result,) = upper_bounds(
        {name: value for name, value in PROBED.items() if "accuracy_" not in name[5:]}
        | {"probe_train_accuracy": 1.0}
    )  # as of protocol=published
    assert result.name == "probe_accuracy"


def test_the_accuracy_of_a_trained_backbone_is_an_upper_bound() -> None:
    history = [{"val_accuracy": 0.5, "val_loss": 2.0}, {"val_accuracy": 0.75}, {"val_accuracy": 0.7}]
    (result,) = upper_bounds({"acc": 0.3}, history)
    assert (result.name, result.value) == ("backbone_accuracy_validation", 0.75)
    says(result.about, key="epoch", use="backbone")


def test_metrics_have_the_best_upper_bound_of_the_same_rows() -> None:
    metrics = {"acc": 0.3, "purity": 0.4, "ari": 0.2, "acc_validation": 0.2, "acc_test": 0.1}
    probed = {
        headline.name: headline.supervised for headline in headlines(metrics, upper_bounds(metrics | PROBED))
    }
    assert probed == {"ari": None, "purity": None, "acc": None, "acc_validation": 0.8, "acc_test": 0.95}
    trained = headlines(metrics, upper_bounds(metrics, [{"val_accuracy": 0.6}]))
    assert {headline.name: headline.supervised for headline in trained} == {
        "ari": None, "purity": None, "acc": None, "acc_validation": 0.6, "acc_test": None,
    }  # fmt: skip
    assert all(headline.supervised is None for headline in headlines(metrics))
