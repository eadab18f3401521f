"""Explained variance of known spectra, and the classes in the figure."""

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler
from tests.messages import numbers, says

from experiments.evaluator.variance import Variance
from experiments.numerics.axes import Scaled


def evaluate(ctx, data, protocol="held_out", components=(1, 2, 4, 8, 50), classes=("class1", "class4")):
    samples, embeddings = data
    evaluator = Variance(protocol=protocol, components=components, classes=classes, seed=0)
    return evaluator.evaluate(ctx=ctx, samples=samples, embeddings=embeddings)


@pytest.mark.parametrize("protocol", ["held_out", "published"])
def test_explained_variance_agrees_with_scikit_learn(ctx, blobs, protocol):
    samples, embeddings = blobs()
    findings = evaluate(ctx, (samples, embeddings), protocol)
    rows = embeddings[samples.rows("training")] if protocol == "held_out" else embeddings
    expected = np.cumsum(PCA().fit(StandardScaler().fit_transform(rows)).explained_variance_ratio_)
    assert findings.metrics["explained_variance_2"] == pytest.approx(expected[1], abs=1e-5)
    assert findings.metrics["explained_variance_8"] == pytest.approx(1)
    assert findings.tables["variance_explained"]["components"].tolist() == [1, 2, 4, 8]
    assert findings.tables["variance_rows"]["rows"][0] == len(rows)
    assert findings.figures["variance"].series["explained variance"] == pytest.approx(expected, abs=1e-5)


def test_a_line_has_all_its_variance_in_one_component(ctx, blobs):
    samples, embeddings = blobs()
    line = np.outer(embeddings[:, 0], [1, -2, 3, 0.1]).astype(np.float32)
    findings = evaluate(ctx, (samples, line))
    assert findings.metrics["explained_variance_1"] == pytest.approx(1, abs=1e-5)


def test_held_out_is_of_training_rows_only(ctx, blobs):
    samples, embeddings = blobs()
    changed = embeddings.copy()
    changed[samples.rows("validation"), 0] = changed[samples.rows("validation"), 1] * 50
    for protocol, same in (("held_out", True), ("published", False)):
        shares = [evaluate(ctx, (samples, x), protocol).metrics for x in (embeddings, changed)]
        assert (shares[0] == shares[1]) is same


def test_the_chosen_or_the_five_largest_classes_are_shown(ctx, blobs):
    chosen = evaluate(ctx, blobs()).figures["variance_classes"]
    assert set(chosen.groups) == {"class1", "class4"}
    assert len(chosen.x) == 50
    largest = evaluate(ctx, blobs(), classes=("saturn",)).figures["variance_classes"]
    assert set(largest.groups) == {"class0", "class1", "class2", "class3", "class4"}


def test_without_labels_only_the_figure_of_classes_is_missing(ctx, blobs):
    findings = evaluate(ctx, blobs(labelled=False))
    assert findings.metrics == evaluate(ctx, blobs()).metrics
    assert "variance_classes" not in findings.figures
    about = findings.tables["variance_rows"].set_index("figure")
    assert about["rows"]["variance_classes"] == 0
    assert "labels" in about["about"]["variance_classes"]


def test_randomised_axes_agree_with_exact_ones(blobs):
    samples, embeddings = blobs((40,) * 6, d=60)
    scaled = Scaled.of(embeddings, samples.rows("training"))
    exact, randomised = scaled.axes(0), scaled.axes(0, exact=50, rank=20)
    assert (len(exact.ratio), len(randomised.ratio)) == (60, 20)
    assert randomised.ratio[:4].sum() == pytest.approx(exact.ratio[:4].sum(), abs=1e-3)
    assert np.abs((exact.components[:4] * randomised.components[:4]).sum(axis=1)) == pytest.approx(
        1, abs=0.05
    )


def test_equal_rows_are_refused(ctx, blobs):
    samples, embeddings = blobs()
    with pytest.raises(ValueError) as error:
        evaluate(ctx, (samples, np.ones_like(embeddings)))
    assert numbers(says(error, key="evaluator=variance", use="evaluator=variance")) == ["128"]


def test_zero_components_are_refused():
    with pytest.raises(ValueError) as error:
        Variance(protocol="held_out", components=(0, 2), classes=(), seed=0)
    says(error, key="evaluator.variance.components=[0, 2]", use="1 or more")
