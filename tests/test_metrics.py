"""The catalogue of metrics, and how their names are spelled."""

import pytest

from experiments.config import compose
from experiments.config.stage import build_stage
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


def test_every_row_is_of_an_evaluator(evaluators: dict[str, Evaluator]) -> None:
    given = {Name.parse(metric).metric for stage in evaluators.values() for metric in stage.METRICS}
    assert set(CATALOGUE) == given
    modules = {type(stage).__module__.rpartition(".")[2] for stage in evaluators.values()}
    assert {module for row in CATALOGUE.values() for module in row.by} <= modules


def test_every_row_can_be_read() -> None:
    for row in CATALOGUE.values():
        assert Name.parse(row.name).metric == row.name
        assert row.about
        assert not row.about.endswith(".")
        levels = {level for level in (row.chance, row.ceiling) if isinstance(level, str)}
        assert levels <= set(CATALOGUE)


def test_ranks_are_of_one_metric_each() -> None:
    ranks = [name.rank for name in MAIN]
    assert ranks == sorted(set(ranks))
    assert all(name.row.better for name in MAIN if name.row.headlined)


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
def test_a_name_is_taken_apart_and_spelled_again(text: str, name: Name) -> None:
    assert Name.parse(text) == name
    assert str(name) == text


def test_all_names_that_evaluators_promise_are_spelled_again(evaluators: dict[str, Evaluator]) -> None:
    names = {metric for stage in evaluators.values() for metric in stage.METRICS}
    assert len(names) > 200
    for text in names:
        name = Name.parse(text)
        assert str(name) == text
        assert name.noise in TREATMENTS
        assert name.rows in ROWS


def test_an_evaluator_promises_only_what_it_scores() -> None:
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


def test_the_number_of_clusters_is_a_main_metric_where_there_is_noise() -> None:
    given = ["clusters", "noise_share", "acc_test", "ari", "status"]
    assert main_metrics(given) == ["ari", "clusters", "noise_share"]
    assert main_metrics(["clusters", "ari"]) == ["ari"]
