"""Errors for an unknown setting name the one that was probably meant."""

import pytest
from tests.messages import says

from experiments.config import compose


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("k=10", "cluster.k?"),
        ("root=photos", "cache.root or dataset.root (of dataset=cifar10, dataset=image_folder, "),
        ("n_components=5", "reducer.n_components?"),
        ("n_component=5", "reducer.n_components?"),
        ("n_init=5", "cluster.n_init (of cluster=gmm, cluster=sklearn_kmeans)?"),
        ("uri=x", "tracking.uri?"),
        ("sample=9", "evaluator.internal.sample or "),
        ("sample=9", "evaluator.silhouettes.sample (of evaluator=[silhouettes])"),
        ("dataset.n_components=3", "reducer.n_components?"),
        ("cluster.eps=4", "cluster=dbscan"),
        (
            "dataset.root=photos",
            "experiment=photos dataset.root=photos, and for class folders dataset=image_folder ",
        ),
        ("model.n_components=3", "reducer.n_components?"),
    ],
)
def test_the_setting_that_was_meant_is_named(typed: str, meant: str) -> None:
    with pytest.raises(ValueError) as error:
        compose.compose_config([typed])
    says(error, key=typed, use=meant)
