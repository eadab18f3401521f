"""Composing a config, and paths of output folders."""

import shutil
from pathlib import Path

import pytest
from tests.messages import says

from experiments.config import compose


def test_bytes_that_are_no_letters_are_refused_before_they_reach_a_record() -> None:
    with pytest.raises(ValueError) as error:
        compose.parse(["seed=0", "dataset.root=/k\udce4fer"])
    says(error, key=r"dataset.root=/k\udce4fer", use="rename")


def test_where_the_project_is_closed_what_must_be_written_goes_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "outputs").touch()  # nothing can be made below it
    folder = compose.new_output_folder(anywhere=True, root=tmp_path)
    folder.mkdir(parents=True)
    assert tmp_path not in folder.parents
    shutil.rmtree(folder.parents[2])
    folder = compose.new_output_folder(root=tmp_path)
    assert tmp_path in folder.parents, "a run says which setting names another"
    assert tmp_path / "new" in compose.new_output_folder(anywhere=True, root=tmp_path / "new").parents


def test_a_config_has_one_folder_of_its_own() -> None:
    first, second = (compose.compose_config([], hydra=True).hydra for _ in "ab")
    assert first.run.dir == first.run.dir == first.sweep.dir
    assert Path(first.run.dir).parents[1] == compose.ROOT / "outputs"
    assert second.run.dir != first.run.dir
