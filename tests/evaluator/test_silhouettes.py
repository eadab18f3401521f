"""The silhouette plot, and the members with the lowest silhouettes."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.metrics import silhouette_samples
from tests.evaluator.stand_ins import FakeClustering, vector_samples
from tests.messages import numbers, says

from experiments.evaluator.silhouettes import Silhouettes, thinned
from experiments.types import Findings

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)
STAGE = Silhouettes(sample=10_000, bars=2000, worst=3, seed=0)


def evaluate(ctx, assignments: np.ndarray, stage: Silhouettes = STAGE) -> Findings:
    n = len(assignments)
    samples = vector_samples(n)
    return stage.evaluate(ctx=ctx, samples=samples, reduced=X[:n], clustering=FakeClustering(assignments))


def test_the_table_has_the_mean_and_the_worst_of_each_cluster(ctx):
    table = evaluate(ctx, LABELS).tables["silhouettes"]
    expected = silhouette_samples(X, LABELS)
    np.testing.assert_allclose(table["mean"], [expected[c == LABELS].mean() for c in range(10)], atol=1e-5)
    np.testing.assert_allclose(table["below_zero"], [(expected[c == LABELS] < 0).mean() for c in range(10)])
    members = np.flatnonzero(LABELS == 4)
    worst = members[np.argsort(expected[members])][:3]
    assert table["worst"][4] == ", ".join(map(str, worst))
    assert table["error"].to_list() == [0] * 10
    assert table["size"].to_list() == np.bincount(LABELS).tolist()


def test_the_plot_has_sorted_values_of_each_cluster(ctx):
    findings = evaluate(ctx, LABELS, replace(STAGE, bars=100))
    plot = findings.figures["silhouettes"]
    assert 90 <= len(plot.values) <= 110
    start = 0
    for count in plot.counts:
        assert (np.diff(plot.values[start : start + count]) <= 0).all()
        start += count
    assert plot.mean == pytest.approx(silhouette_samples(X, LABELS).mean(), abs=1e-5)
    share = (silhouette_samples(X, LABELS) < 0).mean()
    assert findings.metrics == {"silhouette_below_zero": pytest.approx(share)}


def test_noise_is_counted_and_not_measured(ctx):
    noisy = np.where(np.arange(1797) % 3, LABELS, -1)
    findings = evaluate(ctx, noisy)
    inside = noisy >= 0
    assert findings.figures["silhouettes"].mean == pytest.approx(
        silhouette_samples(X[inside], noisy[inside]).mean(), abs=1e-5
    )
    assert -1 not in findings.tables["silhouettes"]["cluster"].to_list()
    assert findings.tables["silhouettes_rows"].set_index("figure")["value"]["noise, not measured"] == "599"
    assert "599" in numbers(findings.figures["silhouettes"].title)


def test_a_sample_has_rows_of_every_cluster(ctx):
    uneven = np.where(np.arange(1797) < 25, 50, LABELS)
    findings = evaluate(ctx, uneven, replace(STAGE, sample=300))
    errors = findings.tables["silhouettes"]["error"]
    whole = findings.tables["silhouettes"]["measured"] == findings.tables["silhouettes"]["size"]
    assert (errors[whole] == 0).all()
    assert errors[~whole].between(0.001, 0.1).all()
    table = findings.tables["silhouettes"].set_index("cluster")
    assert table["measured"][50] == 20
    assert 300 < table["measured"].sum() < 340
    assert findings.figures["silhouettes"].mean == pytest.approx(
        silhouette_samples(X, uneven).mean(), abs=0.03
    )


@pytest.mark.parametrize("assignments", [np.zeros(30, int), np.full(30, -1)])
def test_with_one_cluster_there_is_a_reason(ctx, caplog, assignments):
    findings = evaluate(ctx, assignments)
    assert (findings.metrics, findings.figures) == ({}, {})
    says(caplog.text, use=findings.tables["silhouettes_rows"]["value"].iloc[-1])


def test_silhouettes_of_clusters_of_one_point_are_zero(ctx):
    assert not evaluate(ctx, np.arange(30)).figures["silhouettes"].values.any()


def test_thinning_keeps_both_ends():
    np.testing.assert_array_equal(thinned(5, 10), np.arange(5))
    assert thinned(1000, 3).tolist() == [0, 500, 999]


@pytest.mark.parametrize("name", ["sample", "bars"])
def test_invalid_settings_are_refused(name):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **{name: 0})
    says(error, key=f"evaluator.silhouettes.{name}=0", use="1 or more")
