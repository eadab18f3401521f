"""The configurations that a sweep would choose without labels, compared with metrics that need labels."""

import pandas as pd
import pytest

from experiments.comparison.label_free import label_free

SWEPT = ["cluster.k", "seed"]


def rows(status: str = "FINISHED") -> pd.DataFrame:
    """Return a sweep over three k and two seeds: k=20 is best without labels, k=10 with labels."""
    table = pd.DataFrame({"cluster.k": [10, 10, 20, 20, 30, 30], "seed": [0, 1] * 3})
    table["silhouette_embeddings"] = [0.4, 0.6, 0.6, 0.8, 0.1, 0.1]
    table["ari"] = [0.9, 0.9, 0.5, 0.6, 0.3, 0.3]
    return table.assign(protocol="held_out", status=status)


def test_each_configuration_has_the_criteria_that_choose_it() -> None:
    stable = pd.DataFrame({"cluster.k": [10, 20, 30], "protocol": "held_out", "stability": [0.9, 0.8, 0.95]})
    tables = label_free(rows(), SWEPT, stable).tables
    table = tables["label_free"]
    assert table["cluster.k"].to_list() == [20, 10, 30]
    assert table["silhouette_embeddings"].to_list() == pytest.approx([0.7, 0.5, 0.1])
    assert table["chosen_by"].to_list() == ["silhouette_embeddings", "", "stability"]
    assert table["best_by"].to_list() == ["", "ari", ""]
    pair = tables["label_free_agreement"].set_index("without_labels").loc["silhouette_embeddings"]
    assert (pair["spearman"], pair["chosen"], pair["best"]) == pytest.approx((0.5, 0.55, 0.9))


def test_reducers_are_compared_in_the_embeddings_alone() -> None:
    """Stability and the reduced spaces' silhouettes favour reducers that move points together."""
    swept = ["reducer", "seed"]
    table = rows().rename(columns={"cluster.k": "reducer"}).assign(silhouette=[0.1] * 4 + [0.9] * 2)
    stable = pd.DataFrame({"reducer": [10, 20, 30], "protocol": "held_out", "stability": [0.9, 0.8, 0.95]})
    tables = label_free(table, swept, stable).tables
    assert tables["label_free"]["chosen_by"].to_list() == ["silhouette_embeddings", "", ""]
    assert set(tables["label_free_agreement"]["without_labels"]) == {"silhouette_embeddings"}
    backbones = table.rename(columns={"reducer": "backbone"})
    assert not label_free(backbones, ["backbone", "seed"]).tables, "embeddings of two networks differ"


def test_without_labels_there_is_only_the_choice() -> None:
    tables = label_free(rows().drop(columns="ari"), SWEPT).tables
    assert tables["label_free"]["chosen_by"].to_list() == ["silhouette_embeddings", "", ""]
    assert "best_by" not in tables["label_free"]
    assert set(tables) == {"label_free"}


def test_nothing_to_choose_from_gives_no_table() -> None:
    assert not label_free(rows().drop(columns="silhouette_embeddings"), SWEPT).tables
    assert not label_free(rows("FAILED"), SWEPT).tables
    assert not label_free(rows()[:2], SWEPT).tables
