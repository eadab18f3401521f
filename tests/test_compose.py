"""What a run is called after."""

import pytest

from experiments import compose


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ([], "run"),
        (["dataset=image_folder", "dataset.root=/a/b/photos/", "cluster.k=6"],
         "cluster.k=6 dataset=image_folder dataset.root=photos"),
        (["seed=1", "tracking.uri=sqlite:////a/b.db", "cache.root=/c"], "seed=1"),
        (["dataset.limit=100", "dataset=digits"], "dataset.limit=100 dataset=digits"),
        (["dataset.root='/a/my (photos)'"], "dataset.root=my (photos)"),
    ],
    ids=["nothing", "data last", "where it is kept", "a setting of the data stays", "in quotes"],
)  # fmt: skip
def test_a_run_is_called_by_what_tells_it_from_others(typed: list[str], name: str) -> None:
    assert compose.run_name(typed) == name
