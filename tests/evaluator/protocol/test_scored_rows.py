"""The rows to fit on and to score under each protocol, and their descriptions."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.model_selection import train_test_split
from tests.messages import numbers, says

from experiments.evaluator.protocol.scored_rows import (
    check_protocol,
    check_scored,
    fit_and_score_rows,
    fit_rows,
)

UNTRAINED, TRAINED = SimpleNamespace(trained=False), SimpleNamespace(trained=True)


def test_held_out_fits_on_training_rows_and_scores_all_others(blobs):
    samples, _ = blobs(test=True)
    train, scored = fit_and_score_rows(samples, TRAINED, "held_out", 42)
    assert np.array_equal(train.rows, samples.rows("training"))
    assert np.array_equal(fit_rows(samples, "held_out"), train.rows)
    assert {subset.suffix: len(subset.rows) for subset in scored} == {"": 64, "_validation": 32, "_test": 32}
    trained = [subset.about for subset in scored]
    assert "validation" in trained[1]
    assert "test" in trained[2]
    untrained = [subset.about for subset in fit_and_score_rows(samples, UNTRAINED, "held_out", 42)[1]]
    assert len({*trained, *untrained}) == 6, "each says if the backbone was trained on labels"


def test_published_uses_the_split_of_the_study(blobs):
    samples, _ = blobs()
    train, (scored,) = fit_and_score_rows(samples, TRAINED, "published", 42)
    drawn = train_test_split(np.arange(len(samples)), test_size=0.2, stratify=samples.labels, random_state=42)
    assert np.array_equal(train.rows, np.sort(drawn[0]))
    assert np.array_equal(scored.rows, np.sort(drawn[1]))
    trained_on = np.isin(scored.rows, samples.rows("training")).sum()
    assert 0 < trained_on < len(scored.rows)
    assert str(trained_on) in numbers(scored.about)
    assert np.array_equal(fit_rows(samples, "published"), np.arange(len(samples)))
    assert "scaler" in train.about


def test_published_fits_on_a_class_of_one_row(blobs):
    samples, _ = blobs((20, 20, 1))
    train, (scored,) = fit_and_score_rows(samples, UNTRAINED, "published", 42)
    assert 40 in train.rows
    assert len(train.rows) + len(scored.rows) == 41


@pytest.mark.parametrize(
    ("sizes", "protocol", "counts", "use"),
    [
        ((30,), "held_out", ["1"], "two or more"),
        ((30,), "published", ["1"], "two or more"),
        ((2, 2, 2, 2), "published", ["20", "8", "4"], "protocol=held_out"),
        ((1, 1), "published", ["20", "0", "0"], "protocol=held_out"),
    ],
)
def test_too_few_classes_or_rows_are_refused_with_advice(blobs, sizes, protocol, counts, use):
    samples, _ = blobs(sizes)
    with pytest.raises(ValueError) as error:
        check_scored(samples, "evaluator.probe", protocol)
    assert numbers(says(error, key="evaluator.probe", use=use)) == counts


def test_without_rows_to_score_it_suggests_a_split(blobs):
    samples, _ = blobs()
    whole = replace(samples, split=np.zeros(len(samples), np.int8))
    with pytest.raises(ValueError) as error:
        check_scored(whole, "evaluator.probe", "held_out")
    says(error, key="evaluator.probe", use="dataset.split=")
    check_scored(whole, "evaluator.probe", "published")


def test_without_labels_it_suggests_a_file_of_labels(blobs):
    with pytest.raises(ValueError) as error:
        check_scored(blobs(labelled=False)[0], "evaluator.probe", "held_out")
    says(error, key="evaluator.probe", use="dataset.labels.path=")


def test_an_unknown_protocol_is_refused():
    with pytest.raises(ValueError) as error:
        check_protocol("evaluator.probe", "all")
    says(error, key="evaluator.probe.protocol=all", use="held_out or published")
