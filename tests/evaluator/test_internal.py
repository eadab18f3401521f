"""The internal evaluator agrees with scikit-learn on its 1,797 scanned digits."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_digits
from tests.messages import numbers, says

from experiments.cluster.kmeans.centroids import CentroidClustering
from experiments.evaluator.internal import Internal
from experiments.evaluator.measures.silhouette import measured
from experiments.types import Findings

X, LABELS = load_digits(return_X_y=True)
X = X.astype(np.float32)


def evaluate(ctx, assignments: np.ndarray, *, sample: int = 10_000, inertia: float | None = 7.0) -> Findings:
    clustering = CentroidClustering(assignments, None, np.zeros((1, 64)), inertia)
    return Internal(sample, seed=0).evaluate(ctx=ctx, reduced=X[: len(assignments)], clustering=clustering)


def test_agrees_with_scikit_learn(ctx):
    findings = evaluate(ctx, LABELS)
    assert findings.metrics["silhouette"] == pytest.approx(metrics.silhouette_score(X, LABELS), rel=1e-5)
    assert findings.metrics["calinski_harabasz"] == pytest.approx(
        metrics.calinski_harabasz_score(X, LABELS), rel=1e-5
    )
    assert findings.metrics["davies_bouldin"] == pytest.approx(
        metrics.davies_bouldin_score(X, LABELS), rel=1e-5
    )
    assert (findings.metrics["silhouette_rows"], findings.metrics["silhouette_error"]) == (len(X), 0)
    assert list(findings.tables["internal_rows"]["about"]) == ["exact"] * 3
    assert set(findings.metrics) == {name for name in Internal.METRICS if "noise" not in name}
    assert list(findings.tables["internal_rows"]) == ["figure", "space", "rows", "about"]


def test_a_sample_gives_an_estimate_with_an_error(ctx):
    findings, exact = evaluate(ctx, LABELS, sample=900), evaluate(ctx, LABELS)
    assert findings.metrics["silhouette_rows"] == 900
    error = findings.metrics["silhouette_error"]
    assert 0.004 < error < 0.01
    assert abs(findings.metrics["silhouette"] - exact.metrics["silhouette"]) < 2 * error
    assert findings.metrics["silhouette"] != exact.metrics["silhouette"]
    assert findings.metrics["davies_bouldin"] == exact.metrics["davies_bouldin"]
    about = findings.tables["internal_rows"].set_index("figure")
    assert about.loc["silhouette"].to_list() == ["reduced", 900, measured(len(X), 900)]
    assert about.loc["davies_bouldin", "rows"] == 1797
    assert findings.metrics == evaluate(ctx, LABELS, sample=900).metrics


def test_names_of_clusters_and_order_of_rows_do_not_matter(ctx):
    order = np.random.default_rng(0).permutation(len(X))
    clustering = CentroidClustering((LABELS * 7 + 3)[order], None, np.zeros((1, 64)), 7.0)
    findings = Internal(10_000, seed=0).evaluate(ctx=ctx, reduced=X[order], clustering=clustering)
    for name, value in evaluate(ctx, LABELS).metrics.items():
        assert findings.metrics[name] == pytest.approx(value, rel=1e-5)


def test_metrics_of_sizes_exclude_noise_and_the_table_includes_it(ctx):
    findings = evaluate(ctx, np.array([-1, -1, -1, 0, 2, 2]), inertia=None)
    assert findings.metrics["clusters"] == 2
    assert (findings.metrics["smallest_cluster"], findings.metrics["largest_cluster"]) == (1, 2)
    assert "inertia" not in findings.metrics
    assert findings.tables["internal_sizes"].to_dict("list") == {
        "cluster": [-1, 0, 2],
        "size": [3, 1, 2],
        "share": [1 / 2, 1 / 6, 1 / 3],
    }


@pytest.mark.parametrize(
    ("assignments", "counts"), [(np.zeros(50, int), ["1", "50"]), (np.arange(50), ["50", "50"])]
)
def test_undefined_metrics_are_missing_with_a_reason(ctx, caplog, assignments, counts):
    findings = evaluate(ctx, assignments)
    assert not {"silhouette", "calinski_harabasz", "davies_bouldin"} & set(findings.metrics)
    assert all(np.isfinite(value) for value in findings.metrics.values())
    (reason,) = set(findings.tables["internal_rows"]["about"])
    assert numbers(reason) == counts
    says(caplog.text, key="davies_bouldin", use=reason)


def test_the_three_treatments_of_noise(ctx):
    noisy = np.where(np.random.default_rng(0).random(len(X)) < 0.3, -1, LABELS)
    findings = evaluate(ctx, noisy)
    inside = noisy >= 0
    singletons = np.where(inside, noisy, 100 + np.arange(len(X)))
    assert findings.metrics["noise_share"] == np.mean(~inside)
    for name, score in (
        ("silhouette", metrics.silhouette_score),
        ("calinski_harabasz", metrics.calinski_harabasz_score),
        ("davies_bouldin", metrics.davies_bouldin_score),
    ):
        assert findings.metrics[name] == pytest.approx(score(X, noisy), rel=1e-5)
        assert findings.metrics[f"{name}_no_noise"] == pytest.approx(
            score(X[inside], noisy[inside]), rel=1e-5
        )
        assert findings.metrics[f"{name}_noise_singletons"] == pytest.approx(score(X, singletons), rel=1e-5)
    assert findings.metrics["silhouette_rows_no_noise"] == inside.sum()
    assert set(findings.metrics) == set(Internal.METRICS)
    about = findings.tables["internal_rows"].set_index("figure")
    assert about.loc["silhouette_no_noise", "rows"] == inside.sum()
    texts = about.loc[["silhouette_no_noise", "davies_bouldin", "silhouette_noise_singletons"], "about"]
    assert all("exact" in text and "noise" in text for text in texts)
    assert texts.is_unique


@pytest.mark.parametrize("one_cluster", [False, True])
def test_all_noise_and_one_cluster_have_only_defined_metrics(ctx, caplog, one_cluster):
    assignments = np.where((np.arange(50) < 20) & one_cluster, 0, -1)
    findings = evaluate(ctx, assignments, inertia=None)
    assert findings.metrics["noise_share"] == (0.6 if one_cluster else 1)
    assert findings.metrics["clusters"] == one_cluster
    assert (
        findings.metrics["smallest_cluster"]
        == findings.metrics["largest_cluster"]
        == (20 if one_cluster else 0)
    )
    assert ("silhouette" in findings.metrics) == one_cluster  # of one cluster and noise
    assert "silhouette_no_noise" not in findings.metrics
    assert all(np.isfinite(value) for value in findings.metrics.values())
    about = findings.tables["internal_rows"].set_index("figure")["about"]
    assert numbers(about["silhouette_no_noise"]) == (["1", "20"] if one_cluster else ["0", "0"])
    for name in ("silhouette", "calinski_harabasz", "davies_bouldin"):
        says(caplog.text, key=f"{name}_no_noise")


def test_a_sample_of_zero_is_refused():
    with pytest.raises(ValueError) as error:
        Internal(0, seed=0)
    says(error, key="evaluator.internal.sample=0", use="1 or more")


def test_evaluators_import_no_framework():
    code = (
        "import sys, experiments.evaluator.external, experiments.evaluator.internal; "
        "print([name for name in ('sklearn', 'scipy', 'faiss', 'pandas') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, encoding="utf-8").strip() == "[]"
