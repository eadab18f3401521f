"""Sizes of clusters: all in the table, the largest in the figure."""

from dataclasses import replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering, vector_samples
from tests.messages import numbers, says

from experiments.evaluator.sizes import Sizes
from experiments.figures import Bars

STAGE = Sizes(file="cluster_counts", clusters=300)


def test_each_cluster_is_counted_and_noise_comes_last(ctx):
    clustering = FakeClustering(np.array([1, 0, 1, -1, 1, 3, 3, 0]))
    findings = STAGE.evaluate(ctx=ctx, samples=vector_samples(8), clustering=clustering)
    assert findings.tables["cluster_sizes"].to_dict("list") == {
        "cluster": [0, 1, 3, -1],
        "images": [2, 3, 2, 1],
        "share": [0.25, 0.375, 0.25, 0.125],
    }
    assert list(findings.figures) == ["cluster_counts"]
    bars = findings.figures["cluster_counts"]
    assert isinstance(bars, Bars)
    assert (bars.names, bars.values) == (["0", "1", "3", "noise"], [2, 3, 2, 1])
    assert "table" in bars.title
    assert numbers(bars.title) == []


def test_of_too_many_clusters_the_largest_are_drawn_and_the_title_says_so(ctx):
    clustering = FakeClustering(np.array([0, 1, 1, 2, 2, -1]))
    findings = replace(STAGE, clusters=2).evaluate(ctx=ctx, samples=vector_samples(6), clustering=clustering)
    bars = findings.figures["cluster_counts"]
    assert bars.names == ["1", "2", "noise"]
    assert numbers(bars.title) == ["2", "3"]
    assert len(findings.tables["cluster_sizes"]) == 4


@pytest.mark.parametrize(
    ("changes", "key", "use"),
    [
        ({"file": "../x"}, "evaluator.sizes.file=../x", "evaluator.sizes.file=clusters"),
        ({"clusters": 0}, "evaluator.sizes.clusters=0", "1 or more"),
    ],
)
def test_invalid_settings_are_refused(changes, key, use):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **changes)
    says(error, key=key, use=use)
