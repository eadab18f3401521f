"""The internal evaluator beside scikit-learn, on its 1,797 scanned digits."""

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


def test_agrees_with_scikit_learn_where_all_rows_are_affordable(ctx):
    found = evaluate(ctx, LABELS)
    assert found.metrics["silhouette"] == pytest.approx(metrics.silhouette_score(X, LABELS), rel=1e-5)
    assert found.metrics["calinski_harabasz"] == pytest.approx(
        metrics.calinski_harabasz_score(X, LABELS), rel=1e-5
    )
    assert found.metrics["davies_bouldin"] == pytest.approx(metrics.davies_bouldin_score(X, LABELS), rel=1e-5)
    assert (found.metrics["silhouette_rows"], found.metrics["silhouette_error"]) == (len(X), 0)
    assert list(found.tables["internal_rows"]["about"]) == ["exact"] * 3
    assert set(found.metrics) == {name for name in Internal.METRICS if "noise" not in name}
    assert list(found.tables["internal_rows"]) == ["figure", "space", "rows", "about"]


def test_beyond_the_sample_the_silhouette_is_an_estimate_and_says_so(ctx):
    found, exact = evaluate(ctx, LABELS, sample=900), evaluate(ctx, LABELS)
    assert found.metrics["silhouette_rows"] == 900
    error = found.metrics["silhouette_error"]
    assert 0.004 < error < 0.01
    assert abs(found.metrics["silhouette"] - exact.metrics["silhouette"]) < 2 * error
    assert found.metrics["silhouette"] != exact.metrics["silhouette"]
    assert found.metrics["davies_bouldin"] == exact.metrics["davies_bouldin"]
    about = found.tables["internal_rows"].set_index("figure")
    assert about.loc["silhouette"].to_list() == ["reduced", 900, measured(len(X), 900)]
    assert about.loc["davies_bouldin", "rows"] == 1797
    assert found.metrics == evaluate(ctx, LABELS, sample=900).metrics


def test_names_of_clusters_and_order_of_rows_do_not_matter(ctx):
    order = np.random.default_rng(0).permutation(len(X))
    clustering = CentroidClustering((LABELS * 7 + 3)[order], None, np.zeros((1, 64)), 7.0)
    found = Internal(10_000, seed=0).evaluate(ctx=ctx, reduced=X[order], clustering=clustering)
    for name, value in evaluate(ctx, LABELS).metrics.items():
        assert found.metrics[name] == pytest.approx(value, rel=1e-5)


def test_sizes_are_counted_without_noise_and_listed_with_it(ctx):
    found = evaluate(ctx, np.array([-1, -1, -1, 0, 2, 2]), inertia=None)
    assert found.metrics["clusters"] == 2
    assert (found.metrics["smallest_cluster"], found.metrics["largest_cluster"]) == (1, 2)
    assert "inertia" not in found.metrics
    assert found.tables["internal_sizes"].to_dict("list") == {
        "cluster": [-1, 0, 2],
        "size": [3, 1, 2],
        "share": [1 / 2, 1 / 6, 1 / 3],
    }


@pytest.mark.parametrize(
    ("assignments", "counts"), [(np.zeros(50, int), ["1", "50"]), (np.arange(50), ["50", "50"])]
)
def test_undefined_figures_are_left_out_with_the_reason(ctx, caplog, assignments, counts):
    found = evaluate(ctx, assignments)
    assert not {"silhouette", "calinski_harabasz", "davies_bouldin"} & set(found.metrics)
    assert all(np.isfinite(value) for value in found.metrics.values())
    (reason,) = set(found.tables["internal_rows"]["about"])
    assert numbers(reason) == counts
    says(caplog.text, key="davies_bouldin", use=reason)


def test_noise_is_a_cluster_or_left_out_or_clusters_of_one(ctx):
    noisy = np.where(np.random.default_rng(0).random(len(X)) < 0.3, -1, LABELS)
    found = evaluate(ctx, noisy)
    kept = noisy >= 0
    alone = np.where(kept, noisy, 100 + np.arange(len(X)))
    assert found.metrics["noise_share"] == np.mean(~kept)
    for name, score in (
        ("silhouette", metrics.silhouette_score),
        ("calinski_harabasz", metrics.calinski_harabasz_score),
        ("davies_bouldin", metrics.davies_bouldin_score),
    ):
        assert found.metrics[name] == pytest.approx(score(X, noisy), rel=1e-5)
        assert found.metrics[f"{name}_no_noise"] == pytest.approx(score(X[kept], noisy[kept]), rel=1e-5)
        assert found.metrics[f"{name}_noise_singletons"] == pytest.approx(score(X, alone), rel=1e-5)
    assert found.metrics["silhouette_rows_no_noise"] == kept.sum()
    assert set(found.metrics) == set(Internal.METRICS)
    about = found.tables["internal_rows"].set_index("figure")
    assert about.loc["silhouette_no_noise", "rows"] == kept.sum()
    told = about.loc[["silhouette_no_noise", "davies_bouldin", "silhouette_noise_singletons"], "about"]
    assert all("exact" in text and "noise" in text for text in told)
    assert told.is_unique


@pytest.mark.parametrize("found_one", [False, True])
def test_all_noise_and_one_cluster_leave_out_what_is_undefined(ctx, caplog, found_one):
    assignments = np.where((np.arange(50) < 20) & found_one, 0, -1)
    found = evaluate(ctx, assignments, inertia=None)
    assert found.metrics["noise_share"] == (0.6 if found_one else 1)
    assert found.metrics["clusters"] == found_one
    assert found.metrics["smallest_cluster"] == found.metrics["largest_cluster"] == (20 if found_one else 0)
    assert ("silhouette" in found.metrics) == found_one  # of one cluster and noise
    assert "silhouette_no_noise" not in found.metrics
    assert all(np.isfinite(value) for value in found.metrics.values())
    about = found.tables["internal_rows"].set_index("figure")["about"]
    assert numbers(about["silhouette_no_noise"]) == (["1", "20"] if found_one else ["0", "0"])
    for name in ("silhouette", "calinski_harabasz", "davies_bouldin"):
        says(caplog.text, key=f"{name}_no_noise")


def test_no_rows_for_the_silhouette_are_refused():
    with pytest.raises(ValueError) as error:
        Internal(0, seed=0)
    says(error, key="evaluator.internal.sample=0", use="1 or more")


def test_kept_findings_import_no_framework():
    code = (
        "import sys, experiments.evaluator.external, experiments.evaluator.internal; "
        "print([name for name in ('sklearn', 'scipy', 'faiss', 'pandas') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True, encoding="utf-8").strip() == "[]"
