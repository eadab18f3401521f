"""Near-duplicates: exactly the pairs that a plain comparison finds, in bounded memory, across the split."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import pictured, without_pictures
from tests.messages import numbers, says

from experiments.evaluator.near_duplicates import NearDuplicates, similar
from experiments.figures import ImageSheets

STAGE = NearDuplicates(similarity=0.98, pairs=1000, shown=24, thumbnail=96)
RNG = np.random.default_rng(0)


def cloud(n: int) -> np.ndarray:
    """Make n directions in which some are close to others."""
    centres = RNG.normal(size=(n // 3, 6))
    points = centres[RNG.integers(0, len(centres), n)] + RNG.normal(size=(n, 6), scale=0.15)
    return (points * RNG.uniform(1, 9, (n, 1))).astype(np.float32)


@pytest.mark.parametrize("block", [7, 64, 2048])
@pytest.mark.parametrize("threads", [1, 3])
def test_it_finds_what_a_plain_comparison_finds(ctx, block, threads):
    points = cloud(200)
    unit = points / np.linalg.norm(points, axis=1, keepdims=True)
    first, second = np.nonzero(np.triu(unit @ unit.T >= 0.98, 1))
    parts = np.arange(200) % 2
    found = similar(points, 0.98, 10_000, parts, replace(ctx, threads=threads), block)
    assert set(zip(found.first, found.second, strict=True)) == set(zip(first, second, strict=True))
    assert found.total == len(first) > 20
    assert found.across == (parts[first] != parts[second]).sum() > 5
    np.testing.assert_array_equal(np.flatnonzero(found.rows), np.union1d(first, second))
    assert (np.diff(found.similarity) <= 0).all()


def test_of_too_many_the_most_similar_are_listed_and_all_are_counted(ctx):
    points = cloud(200)
    whole = similar(points, 0.9, 10_000, np.zeros(200), ctx, 50)
    few = similar(points, 0.9, 10, np.zeros(200), ctx, 50)
    assert (few.total, len(few.first)) == (whole.total, 10)
    np.testing.assert_array_equal(few.first, whole.first[:10])
    np.testing.assert_array_equal(few.rows, whole.rows)


def test_equal_rows_and_zeros(ctx):
    points = np.array([[1, 0], [0, 0], [2, 0], [0, 0]], np.float32)
    found = similar(points, 1.0, 10, np.zeros(4), ctx)
    assert (found.first.tolist(), found.second.tolist(), found.similarity.tolist()) == ([0], [2], [1.0])


def test_pairs_are_told_with_their_parts_and_labels(ctx):
    samples = pictured(6, labels=np.array([0, 1, 0, 0, 1, 1]), folder="in/")
    points = np.array([[1, 0], [0, 1], [1, 0.02], [-1, 0], [0, -1], [1, 0.1]], np.float32)
    found = STAGE.evaluate(ctx=ctx, samples=samples, embeddings=points)
    table = found.tables["near_duplicates"]
    assert table[["id", "other"]].to_numpy().tolist() == [
        ["in/000.png", "in/002.png"],
        ["in/002.png", "in/005.png"],
        ["in/000.png", "in/005.png"],
    ]
    assert table["across"].to_list() == [True, True, False]
    assert table["part"].to_list() == ["validation", "training", "validation"]
    assert table["other_label"].to_list() == ["a", "b", "b"]
    assert not table["identical"].any()
    assert found.metrics == {
        "near_duplicate_pairs": 3,
        "near_duplicate_images": 3,
        "near_duplicates_across_split": 2,
        "exact_duplicate_pairs": 0,
    }
    sheets = found.figures["near_duplicates"]
    assert isinstance(sheets, ImageSheets)
    assert numbers(sheets.names[0]) == ["0.99980"]
    assert ["across" in name for name in sheets.names] == [True, True, False]
    assert sheets.captions[:2] == ["in/000.png", "in/002.png"]


def test_identical_files_are_counted_by_their_hashes(ctx):
    samples = pictured(5)
    hashes = np.array(["a", "b", "a", "a", "c"])
    samples = replace(samples, content=replace(samples.content, hashes=hashes))
    found = STAGE.evaluate(ctx=ctx, samples=samples, embeddings=np.eye(5, dtype=np.float32)[[0, 1, 0, 0, 2]])
    assert found.metrics["exact_duplicate_pairs"] == 3 == found.metrics["near_duplicate_pairs"]
    assert found.tables["near_duplicates"]["identical"].all()
    assert "identical" in found.figures["near_duplicates"].names[0]


def test_the_list_is_cut_and_the_log_says_so(ctx, caplog):
    found = replace(STAGE, pairs=2, shown=1).evaluate(
        ctx=ctx, samples=pictured(5), embeddings=np.ones((5, 2), np.float32)
    )
    assert found.metrics["near_duplicate_pairs"] == 10
    assert len(found.tables["near_duplicates"]) == 2
    assert len(found.figures["near_duplicates"].names) == 1
    assert numbers(says(caplog.messages[-1], key="evaluator.near_duplicates"))[:2] == ["2", "10"]


def test_no_pair_is_no_picture_and_vectors_have_none(ctx, caplog):
    none = STAGE.evaluate(ctx=ctx, samples=pictured(3), embeddings=np.eye(3, dtype=np.float32))
    assert (none.figures, len(none.tables["near_duplicates"])) == ({}, 0)
    found = STAGE.evaluate(ctx=ctx, samples=without_pictures(3), embeddings=np.ones((3, 2), np.float32))
    assert found.figures == {}
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
def test_settings_that_cannot_be_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=f"evaluator.near_duplicates.{key}", use=use)
