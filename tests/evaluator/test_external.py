"""The external evaluator: which rows each figure is about, and the tables."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.cluster.centroids import CentroidClustering
from experiments.evaluator import metrics
from experiments.evaluator.external import External
from experiments.types import Findings, Samples

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
    everything = {name for name in External.METRICS if not name.endswith(("_validation", "_test"))}
    assert set(found.metrics) == everything
    assert found.metrics["ari"] == metrics.ari(LABELS, ASSIGNMENTS)
    assert list(found.tables["external_rows"]["rows"]) == [300]


@pytest.mark.parametrize(("suffix", "part"), [("_validation", 1), ("_test", 2)])
def test_a_trained_backbone_is_also_scored_on_the_rows_it_was_not_trained_on(ctx, suffix, part):
    found = evaluate(ctx, TRAINED, samples())
    rows = np.equal(SPLIT, part)
    for name in ("ari", "purity", "purity_ceiling", "acc"):
        assert found.metrics[name + suffix] == metrics.METRICS[name](LABELS[rows], ASSIGNMENTS[rows])
    chance = metrics.purity_chance(LABELS[rows], ASSIGNMENTS[rows], seed=0)
    assert found.metrics[f"purity_chance{suffix}"] == chance
    mapped = metrics.purity_mapped(LABELS, ASSIGNMENTS, np.flatnonzero(SPLIT == 0), np.flatnonzero(rows))
    assert found.metrics[f"purity_mapped{suffix}"] == mapped
    assert set(External.METRICS) <= set(found.metrics)


def test_a_split_without_test_rows_has_no_test_figures(ctx):
    found = evaluate(ctx, TRAINED, samples(np.minimum(SPLIT, 1)))
    assert not [name for name in found.metrics if "_test" in name]
    assert list(found.tables["external_rows"]["suffix"]) == ["", "_validation"]


def test_a_table_says_that_the_backbone_saw_rows_that_are_scored(ctx):
    about = evaluate(ctx, TRAINED, samples()).tables["external_rows"].set_index("suffix")["about"]
    assert f"trained on {(SPLIT == 0).sum()}" in about[""]
    assert "not trained on" in about["_validation"]
    assert "unseen" in about["_test"]


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


def test_findings_survive_being_kept(ctx, tmp_path):
    found = evaluate(ctx, TRAINED, samples())
    found.save(tmp_path)
    again = Findings.load(tmp_path)
    assert again.metrics == found.metrics
    assert set(again.tables) == {"classes", "clusters", "external_rows"}


def test_without_labels_it_says_what_to_type():
    message = r"evaluator=external needs labels and toy has none; use evaluator=\[internal\], or bring labels"
    with pytest.raises(ValueError, match=message):
        External(seed=0).check(replace(samples(), labels=None))
    External(seed=0).check(samples())
