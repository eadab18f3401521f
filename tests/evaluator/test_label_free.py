"""The silhouette in the embeddings: of blobs, of noise, and in one space for all clusterings."""

import numpy as np
import pytest
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import normalize
from tests.evaluator.stand_ins import FakeClustering
from tests.messages import says

from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.evaluator.label_free import LabelFree

EVALUATOR = LabelFree(sample=1000, seed=0)
BLOBS = np.repeat(np.arange(3), 30)
POINTS = (5 * np.eye(20)[BLOBS] + np.random.default_rng(0).normal(size=(90, 20))).astype(np.float32)


def score(ctx: Context, assignments: np.ndarray, evaluator: LabelFree = EVALUATOR) -> float:
    findings = evaluator.evaluate(ctx=ctx, embeddings=POINTS, clustering=FakeClustering(assignments))
    return findings.metrics["silhouette_embeddings"]


def test_it_is_scikit_learns_for_rows_of_length_one(ctx: Context) -> None:
    unit = normalize(POINTS.astype(np.float64))
    for assignments in (BLOBS, np.arange(90) % 3, BLOBS // 2):
        assert score(ctx, assignments) == pytest.approx(silhouette_score(unit, assignments), abs=1e-5)


def test_noise_gains_nothing(ctx: Context) -> None:
    noisy = BLOBS.copy()
    noisy[::2] = -1
    right = score(ctx, BLOBS)
    assert 0.3 * right < score(ctx, noisy) < 0.7 * right, "half of the rows count as 0"


def test_the_score_of_many_rows_is_that_of_a_sample(ctx: Context) -> None:
    assert score(ctx, BLOBS, LabelFree(sample=40, seed=0)) == pytest.approx(score(ctx, BLOBS), abs=0.1)


@pytest.mark.parametrize("assignments", [np.zeros(90, int), np.full(90, -1), np.arange(90)])
def test_without_clusters_it_is_undefined(ctx: Context, assignments: np.ndarray) -> None:
    clustering = FakeClustering(assignments)
    assert EVALUATOR.evaluate(ctx=ctx, embeddings=POINTS, clustering=clustering).metrics == {}


def test_invalid_settings_are_refused() -> None:
    with pytest.raises(ValueError) as error:
        LabelFree(sample=0, seed=0)
    says(error, key="evaluator.label_free.sample=0", use="1 or more")


def test_label_free_adds_it_to_the_evaluators() -> None:
    words = ["label_free=true", "backbone=pixels"]
    plan = build(compose.compose_config(words))
    assert list(plan.stages.evaluators) == ["external", "internal", "label_free"]
    config = compose.compose_config([*words, "evaluator=[label_free]", "evaluator.label_free.sample=7"])
    evaluators = build(config).stages.evaluators
    assert [(name, stage.sample) for name, stage in evaluators.items()] == [("label_free", 7)]  # type: ignore[attr-defined]
    assert "label_free" not in build(compose.compose_config([])).stages.evaluators
