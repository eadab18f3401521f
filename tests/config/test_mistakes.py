"""A setting without its place, or of another option, is answered with the one that was meant."""

import pytest

from experiments.config import compose


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("k=10", r"did you mean cluster\.k\?"),
        ("root=photos", r"did you mean cache\.root or dataset\.root \(of .*dataset=image_folder, "),
        ("n_components=5", r"did you mean reducer\.n_components\?"),
        ("n_component=5", r"did you mean reducer\.n_components\?"),
        ("n_init=5", r"did you mean cluster\.n_init \(of cluster=gmm, cluster=sklearn_kmeans\)\?"),
        ("uri=x", r"did you mean tracking\.uri\?"),
        ("sample=9", r"evaluator\.internal\.sample or .*evaluator\.silhouettes\.sample \(of evaluator=\[sil"),
        ("dataset.n_components=3", r"did you mean reducer\.n_components\?"),
        ("cluster.eps=4", r"FaissKMeans has no setting eps; .*; cluster=dbscan has it"),
        ("dataset.root=photos", r"; dataset=cifar10 or dataset=image_folder or .* has it"),
        ("model.n_components=3", r"the config has no model; .*did you mean reducer\.n_components\?"),
    ],
)
def test_the_setting_that_was_meant_is_named(typed: str, meant: str) -> None:
    with pytest.raises(ValueError, match=meant) as error:
        compose.compose_config([typed])
    assert str(error.value).startswith(f"{typed}: ")
