"""Two traces in, a verdict out: which step differs first, by how much, and what a tolerance forgives."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.messages import says

from experiments.job.trace import STEPS, Trace
from experiments.recorded.verification.verdict import (
    DIFFERS,
    IDENTICAL,
    TOLERANCE,
    WITHIN,
    Verdict,
    changes,
    compare,
    data_changes,
    matched_share,
)

CLUSTERS = np.array([0, 0, 1, 1, 2, -1])
TRACE = Trace(
    dict.fromkeys(STEPS, "a"),
    {"external": {"ari": 0.5, "nmi": 0.25}, "internal": {"silhouette": math.nan}},
    {"external": {"table classes": "t"}},
    {"threads": "2"},
)


def verdict(now: Trace, clusters: np.ndarray = CLUSTERS, then: Trace = TRACE) -> Verdict:
    return compare(then, now, CLUSTERS, clusters)


def with_steps(**steps: str) -> Trace:
    return replace(TRACE, steps=TRACE.steps | steps)


def with_ari(value: float, **steps: str) -> Trace:
    metrics = TRACE.metrics | {"external": {"ari": value, "nmi": 0.25}}
    return replace(TRACE, metrics=metrics, steps=TRACE.steps | steps)


def test_equal_traces_are_identical_and_nan_is_nan() -> None:
    found = verdict(TRACE)
    assert (found.word, found.first, found.ari, found.agreement) == (IDENTICAL, "", 1, 1)
    assert {row.verdict for row in found.rows} == {IDENTICAL}
    says(found.line, key=IDENTICAL, use="3 metrics")


@pytest.mark.parametrize("step", STEPS)
def test_the_first_step_that_differs_is_named(step: str) -> None:
    later = dict.fromkeys(STEPS[STEPS.index(step) :], "b")
    found = verdict(with_ari(0.6, **later))
    assert (found.word, found.first) == (DIFFERS, step)
    says(found.line, key=DIFFERS, use=f" {step} ")


def test_other_bits_with_the_same_clusters_and_metrics_are_within_tolerance() -> None:
    near = 0.5 * (1 + TOLERANCE / 2)
    found = verdict(with_ari(near, embedding="b", projection="b", clustering="b"))
    assert (found.word, found.first) == (WITHIN, "embedding")
    says(found.line, key=WITHIN, use=f"{TOLERANCE:g}")
    says(found.line, key=WITHIN, use="embedding")


def test_next_to_zero_a_difference_is_not_relative() -> None:
    then = replace(TRACE, metrics={"external": {"ari": 1e-17}})
    assert verdict(replace(TRACE, metrics={"external": {"ari": -1e-17}}), then=then).word == WITHIN
    assert verdict(replace(TRACE, metrics={"external": {"ari": 1e-9}}), then=then).word == DIFFERS


def test_a_metric_beyond_the_tolerance_differs_and_its_difference_is_told() -> None:
    found = verdict(with_ari(0.5 * (1 + 2 * TOLERANCE)))
    assert (found.word, found.first) == (DIFFERS, "metric external ari")
    (row,) = [row for row in found.rows if row.verdict == DIFFERS]
    assert row.difference == pytest.approx(TOLERANCE)


@pytest.mark.parametrize("metrics", [{"external": {"ari": 0.5}}, {}, {"external": {"ari": math.nan}}])
def test_a_metric_that_is_gone_or_no_number_any_more_differs(metrics: dict[str, dict[str, float]]) -> None:
    assert verdict(replace(TRACE, metrics=metrics)).word == DIFFERS


def test_a_metric_a_table_or_a_picture_that_is_new_was_not_recorded_and_does_not_differ() -> None:
    metrics = {"external": {"ari": 0.5, "nmi": 0.25, "new": 0.125}, "internal": {"silhouette": math.nan}}
    shown = {
        "external": {"table classes": "t", "picture new": "p"},
        "later": {"table a": "a", "table b": "b"},
    }
    found = verdict(replace(TRACE, metrics=metrics, shown=shown))
    assert found.word == IDENTICAL
    says(found.line, key="metric external new, external picture new, later table a", use="1 more")
    says(found.line, use="3 metrics")
    assert verdict(TRACE, then=replace(TRACE, shown=shown)).word == DIFFERS  # a picture that is gone


def test_renamed_clusters_are_within_tolerance_and_one_moved_sample_is_not() -> None:
    renamed = np.array([2, 2, 0, 0, 1, -1])
    assert verdict(with_steps(clustering="b"), renamed).word == WITHIN
    moved = np.array([0, 1, 1, 1, 2, -1])
    found = verdict(with_steps(clustering="b"), moved)
    assert (found.word, found.first, found.agreement) == (DIFFERS, "clustering", 5 / 6)
    assert found.ari < 1


def test_what_is_shown_is_held_to_the_bit_only_where_all_before_it_is_the_same() -> None:
    other = {"external": {"table classes": "u"}}
    found = verdict(replace(TRACE, shown=other))
    assert (found.word, found.first) == (DIFFERS, "external table classes")
    found = verdict(replace(with_steps(embedding="b"), shown=other))
    assert (found.word, found.first) == (WITHIN, "embedding")


def test_what_was_not_recorded_is_said_and_does_not_differ() -> None:
    then = with_steps(pixels="")
    found = verdict(TRACE, then=then)
    assert found.word == IDENTICAL
    says(found.line, key="pixels")
    assert verdict(then, then=TRACE).first == "pixels"


@pytest.mark.parametrize(
    ("then", "now", "share"),
    [
        ([0, 0, 1, 1], [1, 1, 0, 0], 1),
        ([0, 0, 1, 1], [0, 0, 0, 0], 0.5),
        ([0, 0, 0, 1], [0, 1, 2, 3], 0.5),
        ([-1, -1, 0, 0], [-1, 0, 1, 1], 0.75),  # noise is no cluster that could be matched with one
        ([-1, -1], [0, 0], 0),
        ([-1, -1], [-1, -1], 1),
        ([], [], 1),
    ],
)
def test_the_share_in_the_same_cluster(then: list[int], now: list[int], share: float) -> None:
    assert matched_share(np.array(then, int), np.array(now, int)) == share
    assert matched_share(np.array(now, int), np.array(then, int)) == share


def test_circumstances_that_changed_are_named() -> None:
    then = {"python": "3.11.7", "version.numpy": "2.4", "code": "a", "gone": "1"}
    now = {"python": "3.11.7", "version.numpy": "2.5", "code": "b", "new": "2"}
    expected = (("version.numpy was 2.4", "2.5"), ("code", "b"), ("gone", "1"), ("new", "2"))
    for line, (key, use) in zip(changes(then, now), expected, strict=True):
        says(line, key=key, use=use)
    assert changes(then, then) == []


def test_data_that_changed_is_counted_by_kind() -> None:
    then = {"a": ("1", "x"), "b": ("2", "x"), "c": ("3", "y")}
    now = {"a": ("1", "y"), "b": ("9", "x"), "d": ("3", "y"), "e": ("4", "y")}
    assert data_changes(then, now) == [
        "1 renamed (such as c, now d)",
        "1 more (such as e)",
        "1 with other content (such as b)",
        "1 with another label (such as a)",
    ]
    assert data_changes(then, dict(reversed(then.items()))) == []


def test_a_renamed_file_is_paired_once() -> None:
    then = {"a": ("1", "x"), "b": ("1", "x"), "c": ("2", "x")}
    assert data_changes(then, {"d": ("1", "x"), "e": ("3", "x")}) == [
        "1 renamed (such as a, now d)",
        "1 more (such as e)",
        "2 fewer (such as b)",
    ]


def test_a_trace_comes_back_whole_and_another_version_of_it_is_refused(tmp_path: Path) -> None:
    kept = replace(TRACE, metrics={"external": {"ari": 0.1 + 0.2}}, kept={"embedding": {"threads": "1"}})
    kept.save(tmp_path)
    assert Trace.load(tmp_path / "stages.json") == kept
    for text in ('{"steps": {}}', '{"stops": {}}', "{", "[]"):
        (tmp_path / "stages.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError) as error:
            Trace.load(tmp_path / "stages.json")
        says(error, key="stages.json", use="cannot be read")
