"""Near-duplicates: the pairs of a full comparison, in any block size, and across the split."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import image_samples, vector_samples
from tests.messages import numbers, says

from experiments.evaluator.near_duplicates import NearDuplicates, similar
from experiments.figures import ImageSheets

STAGE = NearDuplicates(similarity=0.98, pairs=1000, shown=24, thumbnail=96)
RNG = np.random.default_rng(0)


def cloud(n: int) -> np.ndarray:
    """Return n rows, of which some have similar directions."""
    centres = RNG.normal(size=(n // 3, 6))
    points = centres[RNG.integers(0, len(centres), n)] + RNG.normal(size=(n, 6), scale=0.15)
    return (points * RNG.uniform(1, 9, (n, 1))).astype(np.float32)


@pytest.mark.parametrize("block", [7, 64, 2048])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_pairs_are_those_of_a_full_comparison(ctx, block, threads):
    points = cloud(200)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    first, second = np.nonzero(np.triu(unit @ unit.T >= 0.98, 1))
    parts = np.arange(200) % 2
    pairs = similar(points, 0.98, 10_000, parts, replace(ctx, threads=threads), block)
    assert set(zip(pairs.first, pairs.second, strict=True)) == set(zip(first, second, strict=True))
    assert pairs.total == len(first) > 20
    assert pairs.across == (parts[first] != parts[second]).sum() > 5
    np.testing.assert_array_equal(np.flatnonzero(pairs.rows), np.union1d(first, second))
    assert (np.diff(pairs.similarity) <= 0).all()


def test_the_most_similar_pairs_are_listed_and_all_are_counted(ctx):
    points = cloud(200)
    whole = similar(points, 0.9, 10_000, np.zeros(200), ctx, 50)
    few = similar(points, 0.9, 10, np.zeros(200), ctx, 50)
    assert (few.total, len(few.first)) == (whole.total, 10)
    np.testing.assert_array_equal(few.first, whole.first[:10])
    np.testing.assert_array_equal(few.rows, whole.rows)


def test_equal_rows_and_zeros(ctx):
    points = np.array([[1, 0], [0, 0], [2, 0], [0, 0]], np.float32)
    pairs = similar(points, 1.0, 10, np.zeros(4), ctx)
    assert (pairs.first.tolist(), pairs.second.tolist(), pairs.similarity.tolist()) == ([0], [2], [1.0])


def test_the_table_has_parts_and_labels_of_pairs(ctx):
    samples = image_samples(6, labels=np.array([0, 1, 0, 0, 1, 1]), folder="in/")
    points = np.array([[1, 0], [0, 1], [1, 0.02], [-1, 0], [0, -1], [1, 0.1]], np.float32)
    findings = STAGE.evaluate(ctx=ctx, samples=samples, embeddings=points)
    table = findings.tables["near_duplicates"]
    assert table[["id", "other"]].to_numpy().tolist() == [
        ["in/000.png", "in/002.png"],
        ["in/002.png", "in/005.png"],
        ["in/000.png", "in/005.png"],
    ]
    assert table["across"].to_list() == [True, True, False]
    assert table["part"].to_list() == ["validation", "training", "validation"]
    assert table["other_label"].to_list() == ["a", "b", "b"]
    assert not table["identical"].any()
    assert findings.metrics == {
        "near_duplicate_pairs": 3,
        "near_duplicate_images": 3,
        "near_duplicates_across_split": 2,
        "exact_duplicate_pairs": 0,
    }
    sheets = findings.figures["near_duplicates"]
    assert isinstance(sheets, ImageSheets)
    assert numbers(sheets.names[0]) == ["0.99980"]
    assert ["across" in name for name in sheets.names] == [True, True, False]
    assert sheets.captions[:2] == ["in/000.png", "in/002.png"]


def test_identical_files_are_counted_by_their_hashes(ctx):
    samples = image_samples(5)
    hashes = np.array(["a", "b", "a", "a", "c"])
    samples = replace(samples, content=replace(samples.content, hashes=hashes))
    findings = STAGE.evaluate(
        ctx=ctx, samples=samples, embeddings=np.eye(5, dtype=np.float32)[[0, 1, 0, 0, 2]]
    )
    assert findings.metrics["exact_duplicate_pairs"] == 3 == findings.metrics["near_duplicate_pairs"]
    assert findings.tables["near_duplicates"]["identical"].all()
    assert "identical" in findings.figures["near_duplicates"].names[0]


def test_a_shortened_list_is_logged(ctx, caplog):
    findings = replace(STAGE, pairs=2, shown=1).evaluate(
        ctx=ctx, samples=image_samples(5), embeddings=np.ones((5, 2), np.float32)
    )
    assert findings.metrics["near_duplicate_pairs"] == 10
    assert len(findings.tables["near_duplicates"]) == 2
    assert len(findings.figures["near_duplicates"].names) == 1
    assert numbers(says(caplog.messages[-1], key="evaluator.near_duplicates"))[:2] == ["2", "10"]


def test_without_pairs_or_images_there_is_no_figure(ctx, caplog):
    none = STAGE.evaluate(ctx=ctx, samples=image_samples(3), embeddings=np.eye(3, dtype=np.float32))
    assert (none.figures, len(none.tables["near_duplicates"])) == ({}, 0)
    findings = STAGE.evaluate(ctx=ctx, samples=vector_samples(3), embeddings=np.ones((3, 2), np.float32))
    assert findings.figures == {}
    says(caplog.text, key="evaluator.near_duplicates", use="table")


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"similarity": 0.0}, "similarity=0.0", ".98"),
        ({"similarity": float("nan")}, "similarity=nan", ".98"),
        ({"pairs": 0}, "pairs=0", "1 or more"),
        ({"shown": 0}, "shown=0", "1 or more"),
        ({"thumbnail": 1}, "thumbnail=1", "8 to 512"),
    ],
)
def test_invalid_settings_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=f"evaluator.near_duplicates.{key}", use=use)
