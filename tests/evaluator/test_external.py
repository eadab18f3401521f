"""The external evaluator: the rows of each metric, and the tables."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest
from tests.messages import numbers, says

from experiments.cluster.kmeans.centroids import CentroidClustering
from experiments.evaluator.external import External
from experiments.evaluator.measures import agreement
from experiments.evaluator.measures.chance import CHANCE_LEVELS, chance
from experiments.samples import Samples
from experiments.types import Findings

RNG = np.random.default_rng(0)
LABELS = RNG.integers(0, 4, 300)
ASSIGNMENTS = np.where(RNG.random(300) < 0.7, LABELS, RNG.integers(0, 6, 300))
SPLIT = RNG.choice(3, 300, p=[0.7, 0.2, 0.1]).astype(np.int8)
NAMES = ("ant", "bee", "cat", "dog")
UNTRAINED, TRAINED = SimpleNamespace(trained=False), SimpleNamespace(trained=True)


@dataclass(frozen=True)
class NoContent:
    """Content that is not used."""

    KIND = "vectors"


def samples(split: np.ndarray = SPLIT) -> Samples:
    ids = np.arange(len(LABELS)).astype(str)
    return Samples("toy", "a formula", ids, NoContent(), LABELS, NAMES, split)


def evaluate(ctx, encoder, data: Samples, assignments: np.ndarray = ASSIGNMENTS) -> Findings:
    clustering = CentroidClustering(assignments, None, np.zeros((6, 2)), 0.0)
    return External(seed=0).evaluate(ctx=ctx, samples=data, encoder=encoder, clustering=clustering)


def test_without_training_only_all_rows_are_scored(ctx):
    findings = evaluate(ctx, UNTRAINED, samples())
    assert set(findings.metrics) == {*agreement.METRICS, *CHANCE_LEVELS}
    assert findings.metrics["ari"] == agreement.ari(LABELS, ASSIGNMENTS)
    assert list(findings.tables["external_rows"]["rows"]) == [300]
    assert list(findings.tables["external_rows"]) == ["suffix", "rows", "about"]


@pytest.mark.parametrize(("suffix", "part"), [("_validation", 1), ("_test", 2)])
def test_a_trained_backbone_is_also_scored_on_the_rows_it_was_not_trained_on(ctx, suffix, part):
    findings = evaluate(ctx, TRAINED, samples())
    rows = np.equal(SPLIT, part)
    for name in ("ari", "purity", "purity_ceiling", "acc"):
        assert findings.metrics[name + suffix] == agreement.METRICS[name](LABELS[rows], ASSIGNMENTS[rows])
    for name, level in chance(LABELS[rows], ASSIGNMENTS[rows], seed=0).items():
        assert findings.metrics[name + suffix] == level
    mapped = agreement.purity_mapped(LABELS, ASSIGNMENTS, np.flatnonzero(SPLIT == 0), np.flatnonzero(rows))
    assert findings.metrics[f"purity_mapped{suffix}"] == mapped
    assert {name for name in External.METRICS if "noise" not in name} == set(findings.metrics)


def test_a_split_without_test_rows_has_no_test_metrics(ctx):
    findings = evaluate(ctx, TRAINED, samples(np.minimum(SPLIT, 1)))
    assert not [name for name in findings.metrics if "_test" in name]
    assert list(findings.tables["external_rows"]["suffix"]) == ["", "_validation"]


def test_a_table_describes_scored_rows_that_the_backbone_was_trained_on(ctx):
    about = evaluate(ctx, TRAINED, samples()).tables["external_rows"].set_index("suffix")["about"]
    assert numbers(about[""]) == [str((SPLIT == 0).sum())]
    assert "validation" in about["_validation"]
    assert "test" in about["_test"]
    assert about.is_unique


NOISY = np.where(RNG.random(300) < 0.2, -1, ASSIGNMENTS)


def test_the_three_treatments_of_noise(ctx):
    scores = evaluate(ctx, UNTRAINED, samples(), NOISY).metrics
    inside = NOISY >= 0
    singletons = np.where(inside, NOISY, 100 + np.arange(300))
    assert scores["noise_share"] == np.mean(~inside)
    for name, metric in agreement.METRICS.items():
        assert scores[name] == metric(LABELS, NOISY)
        assert scores[f"{name}_no_noise"] == metric(LABELS[inside], NOISY[inside])
        assert scores[f"{name}_noise_singletons"] == pytest.approx(metric(LABELS, singletons))
    assert scores["purity_no_noise"] < scores["purity_noise_singletons"]  # clusters of one are pure


def test_noise_has_metrics_in_each_part_of_the_split(ctx):
    findings = evaluate(ctx, TRAINED, samples(), NOISY)
    assert set(findings.metrics) == set(External.METRICS)
    validation = (SPLIT == 1) & (NOISY >= 0)
    assert findings.metrics["ari_no_noise_validation"] == agreement.ari(LABELS[validation], NOISY[validation])
    assert findings.metrics["noise_share_validation"] == np.mean(NOISY[SPLIT == 1] < 0)
    known = np.flatnonzero((SPLIT == 0) & (NOISY >= 0))
    mapped = agreement.purity_mapped(LABELS, NOISY, known, np.flatnonzero(validation))
    assert findings.metrics["purity_mapped_no_noise_validation"] == mapped
    singles = findings.metrics["purity_mapped_noise_singletons_validation"]
    assert singles == pytest.approx(mapped * validation.sum() / (SPLIT == 1).sum())  # noise is never right
    about = findings.tables["external_rows"].set_index("suffix")
    assert about.loc["_no_noise_validation", "rows"] == validation.sum()
    assert about.loc["_no_noise_validation", "noise"] == 0
    assert about.loc["_validation", "noise"] == (NOISY[SPLIT == 1] < 0).sum()
    parts = about["about"]
    assert all("noise" in parts[suffix] for suffix in ("", "_no_noise", "_noise_singletons"))
    assert len({parts[""], parts["_no_noise"], parts["_noise_singletons"]}) == 3


def test_if_all_rows_are_noise_undefined_metrics_are_missing_with_a_reason(ctx, caplog):
    findings = evaluate(ctx, UNTRAINED, samples(), np.full(300, -1))
    assert findings.metrics["noise_share"] == 1
    assert findings.metrics["ari"] == 0
    assert not [name for name in findings.metrics if "no_noise" in name]
    assert all(np.isfinite(value) for value in findings.metrics.values())
    about = findings.tables["external_rows"].set_index("suffix")["about"]
    assert numbers(about["_no_noise"]) == ["300"]
    says(caplog.text, key="_no_noise", use=about["_no_noise"])


def test_tables_of_classes_and_clusters(ctx):
    data = replace(
        samples(np.zeros(5, np.int8)), ids=np.arange(5).astype(str), labels=np.array([0, 0, 0, 2, 2])
    )
    findings = evaluate(ctx, UNTRAINED, data, np.array([3, 3, 1, 1, 1]))
    classes, clusters = findings.tables["classes"], findings.tables["clusters"]
    assert classes.to_dict("list") == {
        "class": ["ant", "cat"],
        "n": [3, 2],
        "main_cluster": [3, 1],
        "share": [2 / 3, 1],
    }
    assert clusters.to_dict("list") == {
        "cluster": [1, 3],
        "size": [3, 2],
        "majority_class": ["cat", "ant"],
        "share": [2 / 3, 1],
    }


def test_clusters_name_the_classes_that_are_tied(ctx):
    labels, clusters = np.array([2, 0, 0, 1, 1, 0]), np.array([1, 1, 3, 3, 3, 5])
    data = replace(samples(np.zeros(6, np.int8)), ids=np.arange(6).astype(str), labels=labels)
    table = evaluate(ctx, UNTRAINED, data, clusters).tables["clusters"]
    assert table["majority_class"].to_list() == ["ant", "bee", "ant"]
    assert table["tied_with"].to_list() == ["cat", "", ""]
    assert table["share"].to_list() == [1 / 2, 2 / 3, 1]


def test_findings_are_the_same_after_saving_and_loading(ctx, tmp_path):
    findings = evaluate(ctx, TRAINED, samples())
    findings.save(tmp_path)
    again = Findings.load(tmp_path)
    assert again.metrics == findings.metrics
    assert set(again.tables) == {"classes", "clusters", "external_rows"}


def test_without_labels_it_suggests_other_evaluators():
    with pytest.raises(ValueError) as error:
        External(seed=0).check(replace(samples(), labels=None))
    says(error, key="evaluator=external", use="evaluator=[internal]")
    External(seed=0).check(samples())


def test_metrics_are_of_labelled_rows_and_sizes_of_all(ctx):
    labels = np.where(np.arange(300) % 3 == 0, LABELS, -1)
    assignments = np.where(np.arange(300) % 10 == 0, -1, ASSIGNMENTS)
    assignments[labels >= 0] = np.where(assignments[labels >= 0] == 5, 0, assignments[labels >= 0])
    assert (assignments == 5).any(), "a cluster without a label"
    findings = evaluate(ctx, TRAINED, replace(samples(), labels=labels), assignments)
    known = labels >= 0
    assert findings.metrics["ari"] == agreement.ari(labels[known], assignments[known])
    assert findings.metrics["noise_share"] == 0.1
    inside = known & (assignments >= 0)
    assert findings.metrics["nmi_no_noise"] == agreement.nmi(labels[inside], assignments[inside])
    clusters = findings.tables["clusters"].set_index("cluster")
    assert clusters["size"].to_dict() == dict(zip(*np.unique(assignments, return_counts=True), strict=True))
    assert clusters["labelled"].sum() == 100
    assert (clusters.loc[5, "labelled"], clusters.loc[5, "majority_class"]) == (0, "")
    assert np.isnan(clusters.loc[5, "share"])
    assert findings.tables["classes"]["n"].sum() == 100
    assert findings.tables["external_rows"]["rows"][0] == 100
