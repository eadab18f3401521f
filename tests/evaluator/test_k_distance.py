"""The k-distance evaluator: known distances, and a knee that is a good eps."""

from dataclasses import dataclass

import numpy as np
import pytest
from sklearn.cluster import DBSCAN
from sklearn.metrics import adjusted_rand_score
from tests.messages import says

from experiments.evaluator.k_distance import CURVE_POINTS, KDistance
from experiments.samples import Samples

RNG = np.random.default_rng(0)
TRUTH = RNG.integers(0, 4, 800)
CENTRES = np.array([[0, 0], [10, 0], [0, 10], [10, 10]])
BLOBS = np.concatenate([CENTRES[TRUTH] + RNG.normal(0, 0.5, (800, 2)), RNG.uniform(-5, 15, (60, 2))])


@dataclass(frozen=True)
class NoContent:
    """Content that is not used."""

    KIND = "vectors"


def samples(n: int) -> Samples:
    ids = np.arange(n).astype(str)
    return Samples("toy", "a formula", ids, NoContent(), None, (), np.zeros(n, np.int8))


def test_each_distance_has_its_number_of_core_points(ctx):
    line = np.array([[0.0], [1], [3], [7], [15]], np.float32)
    findings = KDistance(min_samples=2).evaluate(ctx=ctx, reduced=line)
    assert findings.tables["k_distance"].to_dict("list") == {
        "core_rows": [1, 2, 3, 4, 5],
        "core_share": [0.2, 0.4, 0.6, 0.8, 1],
        "distance": [1, 1, 2, 4, 8],
    }
    curve = findings.figures["k_distance"]
    assert curve.series == {"distance": [1, 1, 2, 4, 8]}
    assert findings.metrics["k_distance_knee"] == 2  # 3/7 below the chord at the third and the fourth


@pytest.mark.parametrize("min_samples", [3, 5, 20])
def test_dbscan_finds_the_blobs_with_the_knee_as_eps(ctx, min_samples):
    findings = KDistance(min_samples).evaluate(ctx=ctx, reduced=BLOBS.astype(np.float32))
    eps = findings.metrics["k_distance_knee"]
    clustering = DBSCAN(eps=eps, min_samples=min_samples).fit(BLOBS)
    assert adjusted_rand_score(TRUTH, clustering.labels_[:800]) > 0.95
    row = findings.tables["k_distance_rows"].iloc[0]
    assert row["core_share"] == pytest.approx(len(clustering.core_sample_indices_) / len(BLOBS), abs=2e-3)
    ((name, rank),) = findings.figures["k_distance"].marks.items()
    assert name == f"knee: eps={eps:.4g}"
    assert rank == pytest.approx(row["core_share"] * len(BLOBS), abs=1)


def test_the_curve_of_many_rows_has_fewer_points(ctx):
    rows = RNG.standard_normal((5000, 3)).astype(np.float32)
    findings = KDistance(5).evaluate(ctx=ctx, reduced=rows)
    curve = findings.figures["k_distance"].series["distance"]
    assert len(curve) == len(findings.tables["k_distance"]) == CURVE_POINTS
    assert curve == sorted(curve)
    assert findings.tables["k_distance"]["core_rows"].iloc[-1] == 5000


def test_columns_of_zeros_change_nothing(ctx):
    wide = np.zeros((len(BLOBS), 40), np.float32)
    wide[:, :2] = BLOBS
    narrow, padded = (
        KDistance(5).evaluate(ctx=ctx, reduced=rows).metrics for rows in (BLOBS.astype(np.float32), wide)
    )
    assert padded["k_distance_knee"] == pytest.approx(narrow["k_distance_knee"], rel=1e-5)


def test_equal_distances_have_no_knee(ctx, caplog):
    findings = KDistance(3).evaluate(ctx=ctx, reduced=np.zeros((20, 2), np.float32))
    assert findings.metrics == {}
    assert findings.figures["k_distance"].marks == {}
    says(caplog.text, key="k_distance_knee", use=findings.tables["k_distance_rows"]["about"][0])


def test_too_few_rows_and_too_few_neighbours_are_refused_with_advice():
    with pytest.raises(ValueError) as error:
        KDistance(6).check(samples(5))
    says(error, key="evaluator.k_distance.min_samples=6", use="evaluator.k_distance.min_samples<=5")
    KDistance(5).check(samples(5))
    with pytest.raises(ValueError) as error:
        KDistance(1)
    says(error, key="evaluator.k_distance.min_samples=1", use="2 or more")
