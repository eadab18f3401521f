"""What a run is called after."""

import shutil
from pathlib import Path

import pytest
from tests.messages import says

from experiments.config import compose


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


def test_bytes_that_are_no_letters_are_refused_before_they_reach_a_record() -> None:
    with pytest.raises(ValueError) as error:
        compose.parse(["seed=0", "dataset.root=/k\udce4fer"])
    says(error, key=r"dataset.root=/k\udce4fer", use="rename")


def test_where_the_project_is_closed_what_must_be_written_goes_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "outputs").touch()  # nothing can be made below it
    with compose.output_folder(anywhere=True, root=tmp_path) as folder:
        folder.mkdir(parents=True)
        assert tmp_path not in folder.parents
    shutil.rmtree(folder.parents[2])
    with compose.output_folder(root=tmp_path) as folder:
        assert tmp_path in folder.parents, "a run says which setting names another"
    with compose.output_folder(anywhere=True, root=tmp_path / "new") as folder:
        assert tmp_path / "new" in folder.parents
