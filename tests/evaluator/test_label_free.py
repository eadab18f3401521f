"""The silhouette in UMAP's plane: of blobs, of noise, and in one space for all clusterings."""

import numpy as np
import pytest
from tests.evaluator.stand_ins import Grouped
from tests.messages import says

from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.label_free import LabelFree

pytestmark = pytest.mark.timeout(300)  # UMAP may compile
JUDGE = LabelFree(n_neighbors=10, min_dist=0.0, metric="euclidean", sample=1000, seed=0)
BLOBS = np.repeat(np.arange(3), 30)


@pytest.fixture(scope="module")
def embeddings() -> np.ndarray:
    """Make three blobs far apart in 20 dimensions."""
    noise = np.random.default_rng(0).normal(size=(90, 20))
    return (100 * np.eye(20)[BLOBS] + noise).astype(np.float32)


def judged(ctx: Context, embeddings: np.ndarray, assignments: np.ndarray, judge: LabelFree = JUDGE) -> float:
    found = judge.evaluate(ctx=ctx, embeddings=embeddings, clustering=Grouped(assignments))
    return found.metrics["silhouette_umap"]


def test_the_blobs_are_best_noise_gains_nothing_and_the_umap_is_made_once(
    ctx: Context, embeddings: np.ndarray
) -> None:
    right = judged(ctx, embeddings, BLOBS)
    assert right > 0.8
    assert judged(ctx, embeddings, np.arange(90) % 3) < 0.1 < judged(ctx, embeddings, BLOBS // 2) < right
    noisy = BLOBS.copy()
    noisy[::2] = -1
    assert 0.3 * right < judged(ctx, embeddings, noisy) < 0.7 * right, "half of the rows count as 0"
    assert len([key for key in ctx.store.computed if key.startswith("plane-")]) == 1  # type: ignore[attr-defined]


def test_of_many_rows_some_are_drawn(ctx: Context, embeddings: np.ndarray) -> None:
    few = LabelFree(n_neighbors=10, min_dist=0.0, metric="euclidean", sample=40, seed=0)
    assert judged(ctx, embeddings, BLOBS, few) == pytest.approx(judged(ctx, embeddings, BLOBS), abs=0.1)


@pytest.mark.parametrize("assignments", [np.zeros(90, int), np.full(90, -1), np.arange(90)])
def test_without_clusters_it_is_undefined(
    ctx: Context, embeddings: np.ndarray, assignments: np.ndarray
) -> None:
    assert JUDGE.evaluate(ctx=ctx, embeddings=embeddings, clustering=Grouped(assignments)).metrics == {}
    assert ctx.store.computed == []  # type: ignore[attr-defined]


def test_a_bad_setting_names_its_key() -> None:
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
    chosen = compose.compose_config([*words, "evaluator=[label_free]", "evaluator.label_free.n_neighbors=7"])
    own = build(chosen).stages.evaluators
    assert [(name, stage.n_neighbors) for name, stage in own.items()] == [("label_free", 7)]  # type: ignore[attr-defined]
    assert "label_free" not in build(compose.compose_config([])).stages.evaluators
