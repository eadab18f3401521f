"""Macro-categories agree with scipy on known class means; the probes on their groups."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.cluster.hierarchy import cut_tree, fcluster, linkage
from sklearn.metrics import adjusted_rand_score
from tests.messages import numbers, says

from experiments.evaluator.macro import Macro
from experiments.evaluator.macro_purity import MacroPurity
from experiments.evaluator.measures.macro_categories import class_tree
from experiments.store.cache import Store

UNTRAINED, TRAINED = SimpleNamespace(trained=False), SimpleNamespace(trained=True)
CENTRES = np.array([[0, 0], [0, 1], [9, 0], [9, 1.5], [30, 0], [30, 2]], float)  # three pairs


def macro(**settings) -> Macro:
    defaults = {
        "protocol": "held_out",
        "granularities": (2, 3, 5, 30),
        "cuts": (0.02, 0.5, 0.9),
        "line": 0.5,
        "heatmap_classes": 4,
        "C": 0.1,
        "max_iter": 1000,
        "tolerance": 1e-4,
        "seed": 42,
    }
    return Macro(**(defaults | settings))


def pairs(blobs):
    """Return samples whose class means are exactly CENTRES in each part of the split."""
    samples, _ = blobs((20,) * 6)
    reduced = CENTRES[samples.labels].astype(np.float32)
    return samples, reduced


def evaluate(ctx, samples, reduced, encoder=UNTRAINED, **settings):
    return macro(**settings).evaluate(
        ctx=ctx, samples=samples, encoder=encoder, embeddings=reduced, reduced=reduced
    )


def test_the_tree_is_wards_over_the_class_means(blobs):
    tree = class_tree(*pairs(blobs), "held_out")
    assert np.allclose(tree.means, CENTRES)
    assert np.allclose(tree.linkage, linkage(CENTRES, "ward"))
    assert tree.cut(3).tolist() == [0, 0, 1, 1, 2, 2]
    assert tree.cut(2).tolist() == [0, 0, 0, 0, 1, 1]
    assert sorted(tree.cut(6)) == list(range(6))


def test_every_cut_is_that_of_scipy(blobs):
    tree = class_tree(*blobs((5,) * 25), "published")
    for groups in range(1, 26):
        assert np.array_equal(tree.cut(groups), cut_tree(tree.linkage, n_clusters=groups)[:, 0])


def test_the_cuts_count_as_scipy_does(ctx, blobs):
    samples, reduced = pairs(blobs)
    cuts = evaluate(ctx, samples, reduced).tables["macro_cuts"]
    tree = linkage(CENTRES, "ward")
    expected = [
        len(set(fcluster(tree, share * tree[-1, 2], "distance"))) for share in cuts["share_of_height"]
    ]
    assert cuts["groups"].tolist() == expected
    assert expected[0] > expected[-1]


def test_tables_have_the_group_of_each_class_and_the_distances(ctx, blobs):
    samples, reduced = pairs(blobs)
    tables = evaluate(ctx, samples, reduced).tables
    groups = tables["macro_groups"]
    assert list(groups) == ["class", "n", "macro_2", "macro_3", "macro_5"]
    assert groups["macro_3"].tolist() == [0, 0, 1, 1, 2, 2]
    assert groups["n"].tolist() == [20] * 6
    distances = tables["macro_distances"].set_index("distance to")
    assert distances.shape == (4, 4)
    for first in distances:
        for other in distances:
            expected = np.linalg.norm(CENTRES[int(first[-1])] - CENTRES[int(other[-1])])
            assert distances.loc[first, other] == pytest.approx(expected)


def test_the_probes_are_compared_with_chance_and_with_the_classes(ctx, blobs):
    samples, embeddings = blobs(noise=2.5)
    findings = evaluate(ctx, samples, embeddings)
    probes = findings.tables["macro_probes"].set_index("categories")
    assert list(probes.index) == ["2", "3", "5", "fine", "30"]
    assert probes["random"]["5"] == 1 / 5
    assert numbers(probes["note"]["30"]) == ["6"]
    assert np.isnan(probes["accuracy"]["30"])
    assert findings.metrics["macro_accuracy_2"] == probes["accuracy"]["2"]
    assert findings.metrics["macro_accuracy_2_validation"] == probes["accuracy_validation"]["2"]
    assert (probes["fine_accuracy"].dropna() == findings.metrics["macro_accuracy_fine"]).all()
    assert probes["accuracy"]["2"] > probes["accuracy"]["fine"], "fewer groups are easier"
    assert "macro_accuracy_30" not in findings.metrics


def test_a_probe_of_as_many_groups_as_classes_is_the_fine_one(ctx, blobs):
    samples, embeddings = blobs(noise=2.5)
    findings = evaluate(ctx, samples, embeddings, granularities=(6,)).metrics
    assert findings["macro_accuracy_6"] == findings["macro_accuracy_fine"]


def test_held_out_class_means_are_of_training_rows(blobs):
    samples, embeddings = blobs()
    changed = embeddings.copy()
    changed[samples.rows("validation")] *= 9
    held_out = [class_tree(samples, points, "held_out").linkage for points in (embeddings, changed)]
    published = [class_tree(samples, points, "published").linkage for points in (embeddings, changed)]
    assert np.array_equal(*held_out)
    assert not np.allclose(*published)


def test_threads_change_no_metric(ctx, blobs, tmp_path):
    samples, embeddings = blobs(noise=2.5)
    single, four = (
        evaluate(
            replace(ctx, threads=threads, store=Store(tmp_path / str(threads))), samples, embeddings
        ).metrics
        for threads in (1, 4)
    )
    assert single == four


def test_a_table_has_the_rows_of_the_class_means(ctx, blobs):
    samples, embeddings = blobs()
    for protocol, rows in (("held_out", 128), ("published", 160)):
        table = evaluate(ctx, samples, embeddings, TRAINED, protocol=protocol).tables["macro_rows"]
        assert table.set_index("suffix")["rows"]["class means"] == rows


@pytest.mark.parametrize(
    ("settings", "key", "use"),
    [
        ({"granularities": ()}, "evaluator.macro.granularities=[]", "[5,10]"),
        ({"granularities": (1, 5)}, "evaluator.macro.granularities=[1, 5]", "[5,10]"),
        ({"granularities": (5, 5)}, "evaluator.macro.granularities=[5, 5]", "[5,10]"),
        ({"cuts": (0.3, 1.5)}, "evaluator.macro", "1.5"),
        ({"heatmap_classes": 0}, "evaluator.macro.heatmap_classes=0", "1 or more"),
        ({"C": 0}, "evaluator.macro.C=0", "0.1"),
    ],
)
def test_invalid_settings_are_refused(settings, key, use):
    with pytest.raises(ValueError) as error:
        macro(**settings)
    says(error, key=key, use=use)


def test_a_class_without_a_training_row_is_named(blobs):
    samples, _ = blobs()
    split = samples.split.copy()
    split[samples.labels == 4] = 1
    with pytest.raises(ValueError) as error:
        macro().check(replace(samples, split=split))
    says(error, key="class4", use="dataset.split.train")
    macro(protocol="published").check(replace(samples, split=split))


def purity(ctx, samples, reduced, assignments, encoder=UNTRAINED, granularities=(2, 3, 30)):
    clustering = SimpleNamespace(assignments=np.asarray(assignments))
    evaluator = MacroPurity(protocol="held_out", granularities=granularities, seed=0)
    evaluator.check(samples)
    return evaluator.evaluate(
        ctx=ctx, samples=samples, encoder=encoder, reduced=reduced, clustering=clustering
    )


def test_clusters_that_are_the_macro_categories_agree_with_them(ctx, blobs):
    samples, reduced = pairs(blobs)
    findings = purity(ctx, samples, reduced, samples.labels // 2)
    for name in ("purity", "nmi", "ami", "ari"):
        assert findings.metrics[f"{name}_macro_3"] == pytest.approx(1)
    assert findings.metrics["purity_macro_2"] == pytest.approx(1)
    assert findings.metrics["ari_macro_2"] < 1
    assert "purity_macro_30" not in findings.metrics
    table = findings.tables["macro_purity"].set_index("categories")
    assert numbers(table["note"][30]) == ["6"]
    assert table["purity_ceiling"][3] == 1
    assert table["purity_chance"][3] < 0.5


def test_random_clusters_score_zero(ctx, blobs):
    samples, reduced = pairs(blobs)
    findings = purity(ctx, samples, reduced, np.random.default_rng(0).integers(0, 3, len(samples)))
    assert findings.metrics["ari_macro_3"] == pytest.approx(0, abs=0.05)
    assert findings.metrics["ami_macro_3"] == pytest.approx(0, abs=0.05)


def test_validation_rows_of_a_trained_backbone_are_scored_separately(ctx, blobs):
    samples, reduced = pairs(blobs)
    wrong = (samples.labels // 2).copy()
    wrong[samples.rows("validation")] = 0
    metrics = purity(ctx, samples, reduced, wrong, TRAINED).metrics
    assert metrics["purity_macro_3_validation"] == pytest.approx(1 / 3)
    assert metrics["purity_macro_3"] == pytest.approx(0.8 + 0.2 / 3)


def test_equal_class_means_make_a_flat_tree(ctx, blobs):
    samples, reduced = pairs(blobs)
    findings = evaluate(ctx, samples, np.zeros_like(reduced))
    assert np.isfinite(list(findings.metrics.values())).all()
    assert findings.tables["macro_groups"]["macro_3"].nunique() == 3


def test_two_classes_have_a_tree_too(ctx, blobs):
    samples, embeddings = blobs((30, 30))
    findings = evaluate(ctx, samples, embeddings)
    assert findings.metrics["macro_accuracy_2"] == findings.metrics["macro_accuracy_fine"]
    assert adjusted_rand_score(findings.tables["macro_groups"]["macro_2"], [0, 1]) == 1
