"""The silhouette in a 2-D UMAP: of blobs, of noise, and in one space for all clusterings."""

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering
from tests.messages import says

from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.label_free import LabelFree

pytestmark = pytest.mark.timeout(300)  # UMAP may be compiled
EVALUATOR = LabelFree(n_neighbors=10, min_dist=0.0, metric="euclidean", sample=1000, seed=0)
BLOBS = np.repeat(np.arange(3), 30)


@pytest.fixture(scope="module")
def embeddings() -> np.ndarray:
    """Return three blobs far apart in 20 dimensions."""
    noise = np.random.default_rng(0).normal(size=(90, 20))
    return (100 * np.eye(20)[BLOBS] + noise).astype(np.float32)


def score(
    ctx: Context, embeddings: np.ndarray, assignments: np.ndarray, evaluator: LabelFree = EVALUATOR
) -> float:
    findings = evaluator.evaluate(ctx=ctx, embeddings=embeddings, clustering=FakeClustering(assignments))
    return findings.metrics["silhouette_umap"]


def test_blobs_score_best_noise_gains_nothing_and_the_umap_is_cached(
    ctx: Context, embeddings: np.ndarray
) -> None:
    right = score(ctx, embeddings, BLOBS)
    assert right > 0.8
    assert score(ctx, embeddings, np.arange(90) % 3) < 0.1 < score(ctx, embeddings, BLOBS // 2) < right
    noisy = BLOBS.copy()
    noisy[::2] = -1
    assert 0.3 * right < score(ctx, embeddings, noisy) < 0.7 * right, "half of the rows count as 0"
    assert len([key for key in ctx.store.computed if key.startswith("plane-")]) == 1  # type: ignore[attr-defined]


def test_the_score_of_many_rows_is_that_of_a_sample(ctx: Context, embeddings: np.ndarray) -> None:
    few = LabelFree(n_neighbors=10, min_dist=0.0, metric="euclidean", sample=40, seed=0)
    assert score(ctx, embeddings, BLOBS, few) == pytest.approx(score(ctx, embeddings, BLOBS), abs=0.1)


@pytest.mark.parametrize("assignments", [np.zeros(90, int), np.full(90, -1), np.arange(90)])
def test_without_clusters_it_is_undefined(
    ctx: Context, embeddings: np.ndarray, assignments: np.ndarray
) -> None:
    assert (
        EVALUATOR.evaluate(ctx=ctx, embeddings=embeddings, clustering=FakeClustering(assignments)).metrics
        == {}
    )
    assert ctx.store.computed == []  # type: ignore[attr-defined]


def test_invalid_settings_are_refused() -> None:
    with pytest.raises(ValueError) as error:
        LabelFree(10, 0.0, "euclidean", 0, 0)
    says(error, key="evaluator.label_free.sample=0", use="1 or more")
    with pytest.raises(ValueError) as error:
        LabelFree(1, 0.0, "euclidean", 10, 0)
    says(error, key="evaluator.label_free.n_neighbors=1", use="2 or more")


def test_label_free_adds_it_to_the_evaluators() -> None:
    words = ["label_free=true", "backbone=pixels"]
    plan = build(compose.compose_config(words))
    assert list(plan.stages.evaluators) == ["external", "internal", "label_free"]
    config = compose.compose_config([*words, "evaluator=[label_free]", "evaluator.label_free.n_neighbors=7"])
    evaluators = build(config).stages.evaluators
    assert [(name, stage.n_neighbors) for name, stage in evaluators.items()] == [("label_free", 7)]  # type: ignore[attr-defined]
    assert "label_free" not in build(compose.compose_config([])).stages.evaluators
