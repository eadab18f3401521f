"""Verdicts on two traces: the first difference, its size, and the tolerance."""

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


def test_equal_traces_are_identical_and_nan_equals_nan() -> None:
    result = verdict(TRACE)
    assert (result.word, result.first, result.ari, result.agreement) == (IDENTICAL, "", 1, 1)
    assert {row.verdict for row in result.rows} == {IDENTICAL}
    says(result.line, key=IDENTICAL, use="3 metrics")


@pytest.mark.parametrize("step", STEPS)
def test_the_first_step_that_differs_is_named(step: str) -> None:
    later = dict.fromkeys(STEPS[STEPS.index(step) :], "b")
    result = verdict(with_ari(0.6, **later))
    assert (result.word, result.first) == (DIFFERS, step)
    says(result.line, key=DIFFERS, use=f" {step} ")


def test_other_bits_with_the_same_clusters_and_metrics_are_within_tolerance() -> None:
    near = 0.5 * (1 + TOLERANCE / 2)
    result = verdict(with_ari(near, embedding="b", projection="b", clustering="b"))
    assert (result.word, result.first) == (WITHIN, "embedding")
    says(result.line, key=WITHIN, use=f"{TOLERANCE:g}")
    says(result.line, key=WITHIN, use="embedding")


def test_near_zero_the_tolerance_is_absolute() -> None:
    then = replace(TRACE, metrics={"external": {"ari": 1e-17}})
    assert verdict(replace(TRACE, metrics={"external": {"ari": -1e-17}}), then=then).word == WITHIN
    assert verdict(replace(TRACE, metrics={"external": {"ari": 1e-9}}), then=then).word == DIFFERS


def test_a_metric_beyond_the_tolerance_differs_and_has_its_difference() -> None:
    result = verdict(with_ari(0.5 * (1 + 2 * TOLERANCE)))
    assert (result.word, result.first) == (DIFFERS, "metric external ari")
    (row,) = [row for row in result.rows if row.verdict == DIFFERS]
    assert row.difference == pytest.approx(TOLERANCE)


@pytest.mark.parametrize("metrics", [{"external": {"ari": 0.5}}, {}, {"external": {"ari": math.nan}}])
def test_a_metric_that_is_missing_or_nan_now_differs(metrics: dict[str, dict[str, float]]) -> None:
    assert verdict(replace(TRACE, metrics=metrics)).word == DIFFERS


def test_new_metrics_tables_and_figures_do_not_differ() -> None:
    metrics = {"external": {"ari": 0.5, "nmi": 0.25, "new": 0.125}, "internal": {"silhouette": math.nan}}
    shown = {
        "external": {"table classes": "t", "figure new": "p"},
        "later": {"table a": "a", "table b": "b"},
    }
    result = verdict(replace(TRACE, metrics=metrics, shown=shown))
    assert result.word == IDENTICAL
    says(result.line, key="metric external new, external figure new, later table a", use="1 more")
    says(result.line, use="3 metrics")
    assert verdict(TRACE, then=replace(TRACE, shown=shown)).word == DIFFERS  # a figure is missing


def test_renamed_clusters_are_within_tolerance_and_one_moved_sample_is_not() -> None:
    renamed = np.array([2, 2, 0, 0, 1, -1])
    assert verdict(with_steps(clustering="b"), renamed).word == WITHIN
    moved = np.array([0, 1, 1, 1, 2, -1])
    result = verdict(with_steps(clustering="b"), moved)
    assert (result.word, result.first, result.agreement) == (DIFFERS, "clustering", 5 / 6)
    assert result.ari < 1


def test_tables_must_be_equal_only_if_all_steps_are() -> None:
    other = {"external": {"table classes": "u"}}
    result = verdict(replace(TRACE, shown=other))
    assert (result.word, result.first) == (DIFFERS, "external table classes")
    result = verdict(replace(with_steps(embedding="b"), shown=other))
    assert (result.word, result.first) == (WITHIN, "embedding")


def test_an_unrecorded_step_is_named_and_does_not_differ() -> None:
    then = with_steps(pixels="")
    result = verdict(TRACE, then=then)
    assert result.word == IDENTICAL
    says(result.line, key="pixels")
    assert verdict(then, then=TRACE).first == "pixels"


@pytest.mark.parametrize(
    ("then", "now", "share"),
    [
        ([0, 0, 1, 1], [1, 1, 0, 0], 1),
        ([0, 0, 1, 1], [0, 0, 0, 0], 0.5),
        ([0, 0, 0, 1], [0, 1, 2, 3], 0.5),
        ([-1, -1, 0, 0], [-1, 0, 1, 1], 0.75),  # noise is not matched to a cluster
        ([-1, -1], [0, 0], 0),
        ([-1, -1], [-1, -1], 1),
        ([], [], 1),
    ],
)
def test_the_share_in_the_same_cluster(then: list[int], now: list[int], share: float) -> None:
    assert matched_share(np.array(then, int), np.array(now, int)) == share
    assert matched_share(np.array(now, int), np.array(then, int)) == share


def test_changed_circumstances_are_named() -> None:
    then = {"python": "3.11.7", "version.numpy": "2.4", "code": "a", "code of m.K": "x", "gone": "1"}
    now = {"python": "3.11.7", "version.numpy": "2.5", "code": "b", "code of m.K": "y", "new": "2"}
    expected = (
        ("version.numpy was 2.4", "2.5"), ("code of the package changed", "b"),
        ("code of m.K changed", "y"), ("gone", "1"), ("new", "2"),
    )  # fmt: skip
    for line, (key, use) in zip(changes(then, now), expected, strict=True):
        says(line, key=key, use=use)
    assert changes(then, then) == []


def test_changed_data_is_counted_by_kind() -> None:
    then = {"a": ("1", "x"), "b": ("2", "x"), "c": ("3", "y")}
    now = {"a": ("1", "y"), "b": ("9", "x"), "d": ("3", "y"), "e": ("4", "y")}
    assert data_changes(then, now) == [
        "1 renamed (such as c, now d)",
        "1 more (such as e)",
        "1 with other content (such as b)",
        "1 with another label (such as a)",
    ]
    assert data_changes(then, dict(reversed(then.items()))) == []


def test_a_renamed_file_is_matched_once() -> None:
    then = {"a": ("1", "x"), "b": ("1", "x"), "c": ("2", "x")}
    assert data_changes(then, {"d": ("1", "x"), "e": ("3", "x")}) == [
        "1 renamed (such as a, now d)",
        "1 more (such as e)",
        "2 fewer (such as b)",
    ]


def test_a_trace_is_loaded_completely_and_another_version_is_refused(tmp_path: Path) -> None:
    trace = replace(TRACE, metrics={"external": {"ari": 0.1 + 0.2}}, reused={"embedding": {"threads": "1"}})
    trace.save(tmp_path)
    assert Trace.load(tmp_path / "stages.json") == trace
    for text in ('{"steps": {}}', '{"stops": {}}', "{", "[]"):
        (tmp_path / "stages.json").write_text(text, encoding="utf-8")
        with pytest.raises(ValueError) as error:
            Trace.load(tmp_path / "stages.json")
        says(error, key="stages.json", use="cannot be read")
