"""A run's folder: it is locked, and a later run removes only the earlier run's files."""

from pathlib import Path

import pytest
from tests.messages import says

from experiments.job import run_folder
from experiments.store.locks import Lock

KEY = "hydra.run.dir"


def write(folder: Path, *names: str) -> None:
    """Write these files as a run does."""
    run_folder.prepare(folder, KEY)
    with run_folder.new_files(folder) as new:
        for name in names:
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            (new / name).write_text("a run's", encoding="utf-8")


def below(folder: Path) -> list[str]:
    return [name for name in run_folder.files_below(folder) if not name.endswith(run_folder.FILES)]


def test_a_second_run_replaces_what_the_first_wrote_and_nothing_else(tmp_path: Path) -> None:
    for name in ("notes.md", "figures/mine.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a person's", encoding="utf-8")
    write(tmp_path, "crosstab.csv", "figures/map.png", "figures/deep/er.png")
    write(tmp_path, "sizes.csv", "figures/map.png")
    assert below(tmp_path) == ["figures/map.png", "figures/mine.png", "notes.md", "sizes.csv"]
    assert not (tmp_path / "figures" / "deep").exists()
    run_folder.clear(tmp_path)
    assert run_folder.files_below(tmp_path) == ["figures/mine.png", "notes.md"]


@pytest.mark.parametrize("name", ["report.html", "crosstab.csv"])
def test_a_persons_file_is_not_written_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("a person's", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        write(tmp_path, "report.html", "crosstab.csv")
    says(error, key=f"{KEY}={tmp_path}", use=f"use {KEY}=")
    says(error, key=name)
    assert (tmp_path / name).read_text(encoding="utf-8") == "a person's"


def test_what_a_killed_run_left_goes(tmp_path: Path) -> None:
    run_folder.prepare(tmp_path, KEY)
    run_folder.list_files(tmp_path, ["a.csv", "b.csv"])
    (tmp_path / "a.csv").touch()
    (tmp_path / run_folder.NEW).mkdir()
    with (tmp_path / run_folder.FILES).open("a", encoding="utf-8") as file:
        file.write("\nmine.tx")  # killed half-way
    (tmp_path / "mine.txt").touch()
    write(tmp_path, "c.csv")
    assert below(tmp_path) == ["c.csv", "mine.txt"]


def test_one_process_at_a_time_holds_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    lock = Lock(folder / run_folder.FILES)
    with pytest.raises(ValueError) as error, run_folder.locked(folder, KEY):
        pass
    says(error, key=f"{KEY}={folder}", use=f"use {KEY}=")
    says(error, use="wait until it ends")
    lock.release()
    with run_folder.locked(folder, KEY) as first, run_folder.locked(folder, KEY, folder) as again:
        assert (first, again) == (True, False), "a job may be in the folder of its own command"
    assert not folder.exists(), "nothing was written"


def test_a_folder_that_cannot_be_made_names_its_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folder = tmp_path / "file" / "run"
    with pytest.raises(ValueError) as error, run_folder.locked(folder, KEY):
        pass
    says(error, key=f"{KEY}={folder}", use=f"use {KEY}=")
    says(error, use="Not a directory")


def test_a_sweep_is_cleared_with_its_jobs_and_no_other_run(tmp_path: Path) -> None:
    for name in ("0", "1", "other"):
        with run_folder.locked(tmp_path / name, KEY):
            write(tmp_path / name, "of another time.csv")
    run_folder.clear(tmp_path / "0")
    run_folder.clear(tmp_path / "1")
    with run_folder.locked(tmp_path, "hydra.sweep.dir"):
        write(tmp_path, "sweep.csv")
        for name in "01":
            with run_folder.locked(tmp_path / name, KEY, tmp_path):
                write(tmp_path / name, "assignments.parquet")
    assert below(tmp_path) == [
        "0/assignments.parquet",
        "1/assignments.parquet",
        "other/of another time.csv",
        "sweep.csv",
    ]
    run_folder.clear(tmp_path)
    assert below(tmp_path) == ["other/of another time.csv"]
    assert not (tmp_path / "0").exists()
