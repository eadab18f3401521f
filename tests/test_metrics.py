"""The catalogue of metrics, and the parsing and printing of their names."""

from types import SimpleNamespace

import numpy as np
import pytest
from tests.evaluator.stand_ins import FakeClustering, image_samples

from experiments.config import compose
from experiments.config.stage import build_stage
from experiments.context import Context
from experiments.metric_names import MAIN, Name, main_first, main_metrics, names_of
from experiments.metrics import CATALOGUE, NO_NOISE, ROWS, SINGLETONS, TEST, TREATMENTS, VALIDATION
from experiments.types import Evaluator

EVALUATORS = compose.options("evaluator")


@pytest.fixture(scope="module")
def evaluators() -> dict[str, Evaluator]:
    chosen = compose.compose_config([f"evaluator=[{','.join(EVALUATORS)}]"]).evaluator
    return {name: build_stage(f"evaluator.{name}", chosen[name]) for name in EVALUATORS}


def test_every_metric_of_an_evaluator_is_in_the_catalogue(evaluators: dict[str, Evaluator]) -> None:
    for name, stage in evaluators.items():
        module = type(stage).__module__.rpartition(".")[2]
        for metric in map(Name.parse, stage.METRICS):
            assert module in metric.row.by, f"evaluator={name} gives {metric}"


def test_every_row_belongs_to_an_evaluator(evaluators: dict[str, Evaluator]) -> None:
    given = {Name.parse(metric).metric for stage in evaluators.values() for metric in stage.METRICS}
    assert set(CATALOGUE) == given
    modules = {type(stage).__module__.rpartition(".")[2] for stage in evaluators.values()}
    assert {module for row in CATALOGUE.values() for module in row.by} <= modules


def test_every_row_is_valid() -> None:
    for row in CATALOGUE.values():
        assert Name.parse(row.name).metric == row.name
        assert row.about
        assert not row.about.endswith(".")
        levels = {level for level in (row.chance, row.ceiling) if isinstance(level, str)}
        assert levels <= set(CATALOGUE)


def test_ranks_are_unique() -> None:
    ranks = [name.rank for name in MAIN]
    assert ranks == sorted(set(ranks))
    assert all(name.row.better for name in MAIN if name.row.headlined)


def test_clusters_that_are_the_classes_are_better_than_random_ones_as_each_row_says(
    evaluators: dict[str, Evaluator], ctx: Context
) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(4), 25)
    points = (10 * np.eye(4)[labels] + rng.normal(size=(100, 4))).astype(np.float32)
    values = {"samples": image_samples(100, labels=labels), "encoder": SimpleNamespace(trained=False)}

    def score(assignments: np.ndarray) -> dict[str, float]:
        centroids = np.stack([points[assignments == cluster].mean(axis=0) for cluster in range(4)])
        inertia = float(np.square(points - centroids[assignments]).sum())
        clustering = FakeClustering(assignments, None, centroids, inertia)
        needs = values | {"reduced": points, "clustering": clustering}
        stages = [evaluators[name] for name in ("external", "internal", "crosstab")]
        findings = [
            stage.evaluate(ctx=ctx, **{need: needs[need] for need in stage.NEEDS}) for stage in stages
        ]
        return {name: value for part in findings for name, value in part.metrics.items()}

    right, random = score(labels), score(rng.permutation(labels))
    directed = {name: CATALOGUE[name].better for name in right if not CATALOGUE[name].bound}
    directed = {name: better for name, better in directed.items() if better and right[name] != random[name]}
    assert {"ari", "acc", "silhouette", "davies_bouldin", "calinski_harabasz", "inertia"} < set(directed)
    for name, better in directed.items():
        assert (right[name] > random[name]) == (better == "higher"), name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ari", Name("ari")),
        ("acc_no_noise_test", Name("acc", "", NO_NOISE, TEST)),
        ("silhouette_error_noise_singletons", Name("silhouette_error", "", SINGLETONS)),
        ("noise_share_validation", Name("noise_share", rows=VALIDATION)),
        ("purity_macro_10_validation", Name("purity_macro_{groups}", "10", rows=VALIDATION)),
        ("macro_accuracy_fine", Name("macro_accuracy_{groups}", "fine")),
        ("macro_train_accuracy_5", Name("macro_train_accuracy_{groups}", "5")),
        ("explained_variance_50", Name("explained_variance_{components}", "50")),
        ("probe_c1_train_accuracy", Name("{probe}_train_accuracy", "probe_c1")),
        ("probe_macro_f1_test", Name("{probe}_macro_f1", "probe", rows=TEST)),
        ("of somebody's own_test", Name("of somebody's own", rows=TEST)),
        ("", Name("")),
    ],
)
def test_a_name_is_parsed_and_printed(text: str, name: Name) -> None:
    assert Name.parse(text) == name
    assert str(name) == text


def test_all_names_of_evaluators_are_parsed_and_printed(evaluators: dict[str, Evaluator]) -> None:
    names = {metric for stage in evaluators.values() for metric in stage.METRICS}
    assert len(names) > 200
    for text in names:
        name = Name.parse(text)
        assert str(name) == text
        assert name.noise in TREATMENTS
        assert name.rows in ROWS


def test_an_evaluator_names_only_metrics_of_its_scored_rows() -> None:
    assert names_of("probe", ["mine"], [""])[:2] == ("mine_train_accuracy", "mine_accuracy")
    assert names_of("variance", (2, 10)) == ("explained_variance_2", "explained_variance_10")
    assert "purity_mapped" not in names_of("external")
    assert "purity_mapped_test" in names_of("external")
    assert "noise_share_test" not in names_of("internal", rows=[""])


def test_the_main_metrics_come_first_in_their_order() -> None:
    metrics = {"completeness": 0.4, "purity_validation": 0.6, "purity": 0.3, "silhouette": 0.2, "ari": 0.1}
    assert list(main_first(metrics).items()) == [
        ("ari", 0.1),
        ("purity", 0.3),
        ("purity_validation", 0.6),
        ("silhouette", 0.2),
        ("completeness", 0.4),
    ]


def test_the_number_of_clusters_is_a_main_metric_only_with_noise() -> None:
    given = ["clusters", "noise_share", "acc_test", "ari", "status"]
    assert main_metrics(given) == ["ari", "clusters", "noise_share"]
    assert main_metrics(["clusters", "ari"]) == ["ari"]
