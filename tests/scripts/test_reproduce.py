"""scripts/reproduce.py as a person types it; README.md's own figures are reproduced here, on every commit."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from tests.project import REPOSITORY, Project

SCRIPT = REPOSITORY / "scripts" / "reproduce.py"


def reproduce(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    env = os.environ | {"EXPERIMENTS_ROOT": str(root)}
    return subprocess.run(
        [sys.executable, str(SCRIPT), *words],
        env=env,
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
    )


@pytest.fixture(scope="module")
def readme(tmp_path_factory: pytest.TempPathFactory) -> "tuple[Project, subprocess.CompletedProcess[str]]":
    project = Project(tmp_path_factory.mktemp("readme") / "root")
    return project, reproduce(project.root, "readme")


@pytest.mark.process
def test_readmes_figures_are_reproduced(
    readme: "tuple[Project, subprocess.CompletedProcess[str]]",
) -> None:
    project, done = readme
    assert done.returncode == 0, done.stdout + done.stderr
    rows = pd.read_csv(project.last() / "reproduction.csv")
    assert set(rows["verdict"]) == {"reproduced"}
    assert f"{len(rows)} reproduced" in done.stdout
    assert r"\toprule" in (project.last() / "reproduction.tex").read_text(encoding="utf-8")


@pytest.mark.process
def test_a_claim_that_does_not_hold_fails(
    readme: "tuple[Project, subprocess.CompletedProcess[str]]", tmp_path: Path
) -> None:
    project, _ = readme
    conf = tmp_path / "conf"
    conf.mkdir()
    for entry in (REPOSITORY / "conf").iterdir():
        if entry.name != "claims":
            (conf / entry.name).symlink_to(entry)
    (conf / "claims").mkdir()
    text = (REPOSITORY / "conf" / "claims" / "readme.yaml").read_text(encoding="utf-8")
    assert text.count("metric: purity_validation") == 3
    wrong = text.replace("published: 0.986,", "published: 0.5,")
    assert wrong != text
    (conf / "claims" / "readme.yaml").write_text(wrong, encoding="utf-8")
    done = reproduce(tmp_path, "readme", "--results", str(project.last()))
    assert done.returncode == 1
    assert "claimed as reproduced: k10, purity_validation: differs" in done.stderr


@pytest.mark.process
def test_without_its_data_a_study_is_not_runnable_here(tmp_path: Path) -> None:
    project = Project(tmp_path / "root")
    done = reproduce(project.root, "patternmind")
    assert done.returncode == 0, done.stderr
    assert "not runnable here: dataset.root=" in done.stdout
    rows = pd.read_csv(project.last() / "reproduction.csv")
    assert set(rows["verdict"]) == {"not runnable here"}
    assert rows["ours"].isna().all()


@pytest.mark.process
@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (["nothing"], "nothing is no study with claims; use"),
        (["readme", "cluster.kk=3"], "did you mean cluster.k?"),
        (["readme", "cluster.k=ten,3"], "cluster.k: Value 'ten'"),
        (["readme", "dataset.limit=10,20"], "dataset.limit=10,20 gives several data sets"),
        (["readme", "--results", "."], "--results . holds none; give the folder"),
    ],
)
def test_a_mistake_is_answered_with_what_to_type(tmp_path: Path, words: list[str], answer: str) -> None:
    done = reproduce(Project(tmp_path / "root").root, *words)
    assert done.returncode == 1
    assert answer in done.stderr
    assert "Traceback" not in done.stderr
