"""Names of runs."""

import pytest

from experiments.config.run_names import run_name, short_keys


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ([], "run"),
        (["dataset=image_folder", "dataset.root=/a/b/photos/", "cluster.k=6"],
         "k=6 dataset=image_folder root=photos"),
        (["seed=1", "tracking.uri=sqlite:////a/b.db", "cache.root=/c"], "seed=1"),
        (["dataset.limit=100", "dataset=digits"], "limit=100 dataset=digits"),
        (["dataset.root='/a/my (photos)'"], "root=my (photos)"),
        (["++reducer.pca.n_components=3", "~cluster.k"], "n_components=3 ~k"),
    ],
    ids=["nothing", "data last", "where it is kept", "a setting of the data stays", "in quotes", "marks"],
)  # fmt: skip
def test_a_run_is_called_by_what_tells_it_from_others(typed: list[str], name: str) -> None:
    assert run_name(typed) == name


def test_keys_are_as_short_as_tells_them_apart() -> None:
    keys = ["cluster.k", "evaluator.probe.C", "reducer.pca.seed", "seed", "dataset.labels.id", "dataset.id"]
    short = ["k", "C", "pca.seed", "seed", "labels.id", "dataset.id"]
    assert list(short_keys(keys).values()) == short
