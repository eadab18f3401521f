"""Metrics of scaled embeddings are those of the unscaled ones, in their unit."""

from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
import pytest

from experiments.cluster.kmeans.centroids import CentroidClustering
from experiments.config import compose
from experiments.config.stage import build_stage
from experiments.dataset.vectors.content import Vectors
from experiments.numerics.hashes import hash_rows

pytestmark = [
    pytest.mark.umap,
    pytest.mark.timeout(60, func_only=True),
    pytest.mark.filterwarnings("error::RuntimeWarning"),
    pytest.mark.slow,
]

UNITS = {"inertia": 2, "k_distance_knee": 1}
SMALL = {
    "k_max": 4,
    "references": 2,
    "seeds": 2,
    "bootstraps": 1,
    "granularities": (2, 3),
    "methods": ("pca", "tsne"),
}
VALUES = (
    "internal", "silhouettes", "k_distance", "k_selection", "near_duplicates", "variance", "probe", "macro",
    "macro_purity", "profiles", "maps",
)  # fmt: skip


@dataclass(frozen=True)
class Untrained:
    """An encoder that was not trained on labels."""

    trained: bool = False


@cache
def composed():
    """Compose the tested evaluators."""
    return compose.compose_config([f"evaluator=[{','.join(VALUES)}]"])


def evaluated(name, samples, embeddings, ctx):
    """Return the findings of an evaluator of conf/, with settings small enough for a test."""
    evaluator = build_stage("evaluator", composed().evaluator[name])
    settings = {f.name for f in fields(evaluator)}
    evaluator = replace(evaluator, **{key: value for key, value in SMALL.items() if key in settings})
    content = Vectors(embeddings, hash_rows(embeddings))
    labels = np.asarray(samples.labels)
    means = np.stack([embeddings[labels == label].mean(axis=0) for label in range(6)])
    clustering = CentroidClustering.around(means, embeddings)
    inputs = {
        "samples": replace(samples, content=content), "encoder": Untrained(), "embeddings": embeddings,
        "reduced": embeddings, "clustering": clustering, "names": {},
    }  # fmt: skip
    needs = {need: inputs[need] for need in evaluator.NEEDS}
    return evaluator.evaluate(ctx=ctx.with_input(str(np.abs(embeddings).max())), **needs)


@pytest.mark.parametrize("name", VALUES)
def test_metrics_of_any_size_are_those_of_size_one(name, blobs, ctx):
    samples, embeddings = blobs(noise=0.3)
    whole = evaluated(name, samples, embeddings, ctx)
    for size in (1e-18, 1e-9, 1e18):
        again = evaluated(name, samples, embeddings * np.float32(size), ctx)
        expected = {key: value * size ** UNITS.get(key, 0) for key, value in whole.metrics.items()}
        assert again.metrics == pytest.approx(expected, rel=1e-3), size
        assert again.warnings == whole.warnings
        if name == "k_selection":
            for column in ("silhouette", "gap", "gap_s", "calinski_harabasz", "davies_bouldin"):
                ours, theirs = again.tables["k_selection"][column], whole.tables["k_selection"][column]
                np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4, err_msg=column)
        if name == "maps":
            x = again.tables["map_pca"]["x"].to_numpy() / size
            np.testing.assert_allclose(x, whole.tables["map_pca"]["x"], rtol=1e-3, atol=1e-5)
            assert np.isfinite(again.tables["map_tsne"]["x"]).all()


def test_clusters_of_tiny_numbers_have_a_davies_bouldin(ctx):
    """scikit-learn takes what is below 1e-8 for nothing."""
    from experiments.evaluator.measures.compactness import davies_bouldin

    rng, own = np.random.default_rng(0), np.repeat([0, 1], 20)
    points = (rng.normal(size=(40, 2)) + 5 * own[:, None]).astype(np.float32)
    whole = davies_bouldin(points, own)
    assert davies_bouldin(points * np.float32(2.0**-40), own) == whole
    assert davies_bouldin(points * np.float32(1e-5), own) == pytest.approx(whole, rel=1e-5)
