"""The external evaluator: which rows each figure is about, and the tables."""

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
class Nothing:
    """Content that nobody looks at."""

    KIND = "vectors"


def samples(split: np.ndarray = SPLIT) -> Samples:
    ids = np.arange(len(LABELS)).astype(str)
    return Samples("toy", "a formula", ids, Nothing(), LABELS, NAMES, split)


def evaluate(ctx, encoder, given: Samples, assignments: np.ndarray = ASSIGNMENTS) -> Findings:
    clustering = CentroidClustering(assignments, None, np.zeros((6, 2)), 0.0)
    return External(seed=0).evaluate(ctx=ctx, samples=given, encoder=encoder, clustering=clustering)


def test_without_training_all_rows_are_scored_and_no_others(ctx):
    found = evaluate(ctx, UNTRAINED, samples())
    assert set(found.metrics) == {*agreement.METRICS, *CHANCE_LEVELS}
    assert found.metrics["ari"] == agreement.ari(LABELS, ASSIGNMENTS)
    assert list(found.tables["external_rows"]["rows"]) == [300]
    assert list(found.tables["external_rows"]) == ["suffix", "rows", "about"]


@pytest.mark.parametrize(("suffix", "part"), [("_validation", 1), ("_test", 2)])
def test_a_trained_backbone_is_also_scored_on_the_rows_it_was_not_trained_on(ctx, suffix, part):
    found = evaluate(ctx, TRAINED, samples())
    rows = np.equal(SPLIT, part)
    for name in ("ari", "purity", "purity_ceiling", "acc"):
        assert found.metrics[name + suffix] == agreement.METRICS[name](LABELS[rows], ASSIGNMENTS[rows])
    for name, level in chance(LABELS[rows], ASSIGNMENTS[rows], seed=0).items():
        assert found.metrics[name + suffix] == level
    mapped = agreement.purity_mapped(LABELS, ASSIGNMENTS, np.flatnonzero(SPLIT == 0), np.flatnonzero(rows))
    assert found.metrics[f"purity_mapped{suffix}"] == mapped
    assert {name for name in External.METRICS if "noise" not in name} == set(found.metrics)


def test_a_split_without_test_rows_has_no_test_figures(ctx):
    found = evaluate(ctx, TRAINED, samples(np.minimum(SPLIT, 1)))
    assert not [name for name in found.metrics if "_test" in name]
    assert list(found.tables["external_rows"]["suffix"]) == ["", "_validation"]


def test_a_table_says_that_the_backbone_saw_rows_that_are_scored(ctx):
    about = evaluate(ctx, TRAINED, samples()).tables["external_rows"].set_index("suffix")["about"]
    assert numbers(about[""]) == [str((SPLIT == 0).sum())]
    assert "validation" in about["_validation"]
    assert "test" in about["_test"]
    assert about.is_unique


NOISY = np.where(RNG.random(300) < 0.2, -1, ASSIGNMENTS)


def test_noise_is_a_cluster_or_left_out_or_clusters_of_one(ctx):
    found = evaluate(ctx, UNTRAINED, samples(), NOISY).metrics
    kept = NOISY >= 0
    alone = np.where(kept, NOISY, 100 + np.arange(300))
    assert found["noise_share"] == np.mean(~kept)
    for name, metric in agreement.METRICS.items():
        assert found[name] == metric(LABELS, NOISY)
        assert found[f"{name}_no_noise"] == metric(LABELS[kept], NOISY[kept])
        assert found[f"{name}_noise_singletons"] == pytest.approx(metric(LABELS, alone))
    assert found["purity_no_noise"] < found["purity_noise_singletons"]  # clusters of one are pure


def test_noise_is_told_for_the_parts_of_the_split_too(ctx):
    found = evaluate(ctx, TRAINED, samples(), NOISY)
    assert set(found.metrics) == set(External.METRICS)
    validation = (SPLIT == 1) & (NOISY >= 0)
    assert found.metrics["ari_no_noise_validation"] == agreement.ari(LABELS[validation], NOISY[validation])
    assert found.metrics["noise_share_validation"] == np.mean(NOISY[SPLIT == 1] < 0)
    known = np.flatnonzero((SPLIT == 0) & (NOISY >= 0))
    mapped = agreement.purity_mapped(LABELS, NOISY, known, np.flatnonzero(validation))
    assert found.metrics["purity_mapped_no_noise_validation"] == mapped
    singles = found.metrics["purity_mapped_noise_singletons_validation"]
    assert singles == pytest.approx(mapped * validation.sum() / (SPLIT == 1).sum())  # noise is never right
    about = found.tables["external_rows"].set_index("suffix")
    assert about.loc["_no_noise_validation", "rows"] == validation.sum()
    assert about.loc["_no_noise_validation", "noise"] == 0
    assert about.loc["_validation", "noise"] == (NOISY[SPLIT == 1] < 0).sum()
    parts = about["about"]
    assert all("noise" in parts[suffix] for suffix in ("", "_no_noise", "_noise_singletons"))
    assert len({parts[""], parts["_no_noise"], parts["_noise_singletons"]}) == 3


def test_all_noise_leaves_out_what_is_undefined_and_says_why(ctx, caplog):
    found = evaluate(ctx, UNTRAINED, samples(), np.full(300, -1))
    assert found.metrics["noise_share"] == 1
    assert found.metrics["ari"] == 0
    assert not [name for name in found.metrics if "no_noise" in name]
    assert all(np.isfinite(value) for value in found.metrics.values())
    about = found.tables["external_rows"].set_index("suffix")["about"]
    assert numbers(about["_no_noise"]) == ["300"]
    says(caplog.text, key="_no_noise", use=about["_no_noise"])


def test_tables_tell_of_each_class_and_each_cluster(ctx):
    given = replace(
        samples(np.zeros(5, np.int8)), ids=np.arange(5).astype(str), labels=np.array([0, 0, 0, 2, 2])
    )
    found = evaluate(ctx, UNTRAINED, given, np.array([3, 3, 1, 1, 1]))
    classes, clusters = found.tables["classes"], found.tables["clusters"]
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
    given = replace(samples(np.zeros(6, np.int8)), ids=np.arange(6).astype(str), labels=labels)
    table = evaluate(ctx, UNTRAINED, given, clusters).tables["clusters"]
    assert table["majority_class"].to_list() == ["ant", "bee", "ant"]
    assert table["tied_with"].to_list() == ["cat", "", ""]
    assert table["share"].to_list() == [1 / 2, 2 / 3, 1]


def test_findings_survive_being_kept(ctx, tmp_path):
    found = evaluate(ctx, TRAINED, samples())
    found.save(tmp_path)
    again = Findings.load(tmp_path)
    assert again.metrics == found.metrics
    assert set(again.tables) == {"classes", "clusters", "external_rows"}


def test_without_labels_it_says_what_to_type():
    with pytest.raises(ValueError) as error:
        External(seed=0).check(replace(samples(), labels=None))
    says(error, key="evaluator=external", use="evaluator=[internal]")
    External(seed=0).check(samples())


def test_figures_are_of_the_labelled_and_sizes_and_noise_of_all(ctx):
    labels = np.where(np.arange(300) % 3 == 0, LABELS, -1)
    assignments = np.where(np.arange(300) % 10 == 0, -1, ASSIGNMENTS)
    assignments[labels >= 0] = np.where(assignments[labels >= 0] == 5, 0, assignments[labels >= 0])
    assert (assignments == 5).any(), "a cluster without a label"
    found = evaluate(ctx, TRAINED, replace(samples(), labels=labels), assignments)
    known = labels >= 0
    assert found.metrics["ari"] == agreement.ari(labels[known], assignments[known])
    assert found.metrics["noise_share"] == 0.1
    inside = known & (assignments >= 0)
    assert found.metrics["nmi_no_noise"] == agreement.nmi(labels[inside], assignments[inside])
    clusters = found.tables["clusters"].set_index("cluster")
    assert clusters["size"].to_dict() == dict(zip(*np.unique(assignments, return_counts=True), strict=True))
    assert clusters["labelled"].sum() == 100
    assert (clusters.loc[5, "labelled"], clusters.loc[5, "majority_class"]) == (0, "")
    assert np.isnan(clusters.loc[5, "share"])
    assert found.tables["classes"]["n"].sum() == 100
    assert found.tables["external_rows"]["rows"][0] == 100
