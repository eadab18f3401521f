"""Crosstabs of a few rows, whose counts are known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering, vector_samples
from tests.messages import numbers, says

from experiments.evaluator.crosstab import Crosstab
from experiments.figures import Heatmap, StackedBars
from experiments.figures.style import STACKED
from experiments.samples import Samples
from experiments.types import Findings, UnlabelledError

STAGE = Crosstab(labels=12, clusters=300)


@dataclass(frozen=True)
class FakeEncoder:
    """An encoder that was or was not trained on labels."""

    trained: bool = False


def labelled(labels: list[int], names: tuple[str, ...] = ("ant", "bee", "total"), **more) -> Samples:
    return replace(vector_samples(len(labels)), labels=np.array(labels), class_names=names, **more)


def evaluate(ctx, samples: Samples, assignments: list[int], stage=STAGE, trained=False) -> Findings:
    return stage.evaluate(
        ctx=ctx,
        samples=samples,
        encoder=FakeEncoder(trained),
        clustering=FakeClustering(np.array(assignments)),
    )


SIX = [0, 0, 0, 2, 2, -1]
LABELS = [0, 0, 2, 2, 2, 0]


def test_counts_have_totals_and_noise_is_a_row_of_its_own(ctx):
    table = evaluate(ctx, labelled(LABELS), SIX).tables["cluster_label_crosstab"]
    assert table.to_dict("list") == {
        "cluster": ["0", "2", "noise", "total"],
        "ant": [2, 0, 1, 3],
        "total_": [1, 2, 0, 3],  # the label named total; no row has label bee
        "total": [3, 2, 1, 6],
    }


def test_shares_of_a_row_and_of_a_column_sum_to_one(ctx):
    tables = evaluate(ctx, labelled(LABELS), SIX).tables
    rows, columns = tables["cluster_label_row_shares"], tables["cluster_label_column_shares"]
    np.testing.assert_allclose(rows.drop(columns="cluster").sum(axis=1), 1)
    np.testing.assert_allclose(columns.drop(columns="cluster").sum(), 1)
    assert rows["ant"].tolist() == pytest.approx([2 / 3, 0, 1, 1 / 2])
    assert columns["ant"].tolist() == pytest.approx([2 / 3, 0, 1 / 3])
    assert columns["total"].tolist() == pytest.approx([3 / 6, 2 / 6, 1 / 6])


def test_metrics_are_those_of_the_table(ctx):
    labels, clusters = np.repeat([0, 0, 1, 1], [10, 30, 20, 40]), np.repeat([0, 1, 0, 1], [10, 30, 20, 40])
    findings = evaluate(ctx, labelled(labels.tolist()), clusters.tolist())
    assert findings.metrics["chi_square"] == pytest.approx(100 * 200**2 / (30 * 70 * 40 * 60))
    assert findings.metrics["cramers_v"] == pytest.approx((findings.metrics["chi_square"] / 100) ** 0.5)
    assert findings.metrics["cramers_v_corrected"] == 0
    assert findings.warnings == ()


def test_doubtful_metrics_have_warnings(ctx):
    few = evaluate(ctx, labelled(LABELS), SIX, trained=True)
    assert numbers(few.warnings[0]) == ["5", "100%"]
    assert len(few.warnings) == 1 + len(evaluate(ctx, labelled(LABELS), SIX).warnings)
    assert "backbone" in few.warnings[1]
    two_rows = evaluate(ctx, labelled([0, 1]), [0, 1])
    assert "cramers_v_corrected" not in two_rows.metrics
    says(two_rows.warnings[0], key="cramers_v_corrected")


ONE_LABEL = ([0, 0, 0], [0, 1, 1], ["2", "1"])
ONE_CLUSTER = ([0, 1, 1], [-1, -1, -1], ["1", "2"])


@pytest.mark.parametrize(("labels", "clusters", "counts"), [ONE_LABEL, ONE_CLUSTER])
def test_one_row_or_one_column_has_no_metrics(ctx, labels, clusters, counts):
    findings = evaluate(ctx, labelled(labels), clusters)
    assert findings.metrics == {}
    assert numbers(says(findings.warnings[0], key="chi_square")) == counts
    assert findings.tables["cluster_label_crosstab"]["total"].iloc[-1] == 3


def test_the_figure_shows_shares_of_each_cluster_and_of_all(ctx):
    figure = evaluate(ctx, labelled(LABELS), SIX).figures["cluster_label_distribution"]
    assert isinstance(figure, StackedBars)
    assert figure.names == ["0 (3)", "2 (2)", "noise (1)", "all (6)"]
    assert figure.parts == ["ant", "total"]
    np.testing.assert_allclose(figure.shares, [[2 / 3, 1 / 3], [0, 1], [1, 0], [1 / 2, 1 / 2]])


def test_the_most_frequent_labels_have_a_colour_and_the_rest_is_other(ctx):
    labels = [0] * 4 + [1] * 1 + [2] * 3 + [3] * 2
    samples = labelled(labels, names=("a", "b", "c", "d"))
    figure = evaluate(ctx, samples, [0] * 5 + [1] * 5, replace(STAGE, labels=2)).figures[
        "cluster_label_distribution"
    ]
    assert figure.parts == ["a", "c", "other"]
    np.testing.assert_allclose(figure.shares, [[0.8, 0, 0.2], [0, 0.6, 0.4], [0.4, 0.3, 0.3]])
    assert numbers(figure.title) == ["2"]


def test_a_label_named_other_is_renamed(ctx):
    samples = labelled([0, 0, 0, 1, 1, 2], names=("other", "b", "c"))
    findings = evaluate(ctx, samples, [0] * 6, replace(STAGE, labels=2))
    figure = findings.figures["cluster_label_distribution"]
    assert figure.parts == ["other_", "b", "other"]
    assert numbers(figure.title) == ["1"]
    whole = evaluate(ctx, samples, [0] * 6).figures["cluster_label_distribution"]
    assert whole.parts == ["other", "b", "c"]


def test_more_labels_than_colours_are_refused():
    most = len(STACKED)
    replace(STAGE, labels=most)
    with pytest.raises(ValueError) as error:
        replace(STAGE, labels=most + 1)
    says(error, key=f"evaluator.crosstab.labels={most + 1}", use=f"evaluator.crosstab.labels={most}")


def test_of_too_many_clusters_the_largest_are_drawn_and_all_are_in_the_last_bar(ctx):
    findings = evaluate(ctx, labelled([0, 1, 2, 0, 1]), [0, 0, 1, 2, 2], replace(STAGE, clusters=2))
    figure = findings.figures["cluster_label_distribution"]
    assert figure.names == ["0 (2)", "2 (2)", "all (5)"]
    np.testing.assert_allclose(figure.shares[-1], [0.4, 0.4, 0.2])
    assert numbers(figure.title) == ["2", "3"]


def test_every_image_is_listed_with_cluster_label_and_tags(ctx):
    tags = np.array([[1, 0.5], [0, 0], [1, 0.25]], np.float32)
    samples = labelled([0, 1, 0], tag_names=("strong", "label"), tags=tags)
    table = evaluate(ctx, samples, [1, -1, 0]).tables["image_clusters_with_labels"]
    assert table.to_dict("list") == {
        "image_id": ["0", "1", "2"],
        "cluster": [1, -1, 0],
        "label": ["ant", "bee", "ant"],
        "strong": [1, 0, 1],
        "label_": [0.5, 0, 0.25],
    }


def test_tags_have_their_mean_in_each_cluster_and_overall(ctx):
    tags = np.array([[1, 0.5], [0, 0], [1, 0.25], [1, 0.25]], np.float32)
    samples = labelled([0, 1, 0, 0], tag_names=("strong", "weak"), tags=tags)
    findings = evaluate(ctx, samples, [0, 0, -1, -1])
    assert findings.tables["cluster_tag_shares"].to_dict("list") == {
        "cluster": ["0", "noise", "total"],
        "images": [2, 2, 4],
        "strong": [0.5, 1, 0.75],
        "weak": [0.25, 0.25, 0.25],
    }
    figure = findings.figures["cluster_tag_shares"]
    assert isinstance(figure, Heatmap)
    assert (figure.rows, figure.columns) == (["strong", "weak"], ["0", "noise", "all"])
    np.testing.assert_allclose(figure.values, [[0.5, 1, 0.75], [0.25, 0.25, 0.25]])


def test_without_tags_there_is_no_table_of_tags(ctx):
    findings = evaluate(ctx, labelled(LABELS), SIX)
    assert "cluster_tag_shares" not in {*findings.tables, *findings.figures}


def test_many_tags_have_a_table_and_no_figure(ctx):
    names = tuple(f"t{number}" for number in range(65))
    samples = labelled([0, 1], tag_names=names, tags=np.zeros((2, 65), np.float32))
    findings = evaluate(ctx, samples, [0, 1])
    assert "cluster_tag_shares" in findings.tables
    assert "cluster_tag_shares" not in findings.figures


def test_without_labels_it_suggests_other_evaluators():
    with pytest.raises(UnlabelledError) as error:
        STAGE.check(vector_samples(4))
    says(error, key="evaluator.crosstab", use="evaluator=[internal,sizes]")


@pytest.mark.parametrize("name", ["labels", "clusters"])
def test_invalid_settings_are_refused(name):
    with pytest.raises(ValueError) as error:
        replace(STAGE, **{name: 0})
    says(error, key=f"evaluator.crosstab.{name}=0", use="1 or more")
