"""scripts/reproduce.py; these tests reproduce the metrics of README.md."""

import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from tests.messages import says
from tests.project import LEAN, REPOSITORY, Project

from experiments.sweep import claims
from scripts import reproduce as script

pytestmark = pytest.mark.slow


def reproduce(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return Project(root).script("reproduce", *words, cwd=root)


@pytest.fixture(scope="module")
def readme(
    project: Project, tmp_path_factory: pytest.TempPathFactory
) -> "tuple[Project, subprocess.CompletedProcess[str]]":
    """Reproduce README.md's metrics with the CNN of its sweep, which was trained before."""
    again = Project(tmp_path_factory.mktemp("readme") / "root")
    shutil.copytree(project.root / "cache", again.root / "cache")
    return again, reproduce(again.root, "readme", *LEAN)


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
    readme: "tuple[Project, subprocess.CompletedProcess[str]]",
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project, _ = readme
    text = (REPOSITORY / "conf" / "claims" / "readme.yaml").read_text(encoding="utf-8")
    assert text.count("metric: purity_validation") == 3
    wrong = text.replace("published: 0.9665,", "published: 0.5,")
    assert wrong != text
    (tmp_path / "readme.yaml").write_text(wrong, encoding="utf-8")
    results = shutil.copytree(project.last(), tmp_path / "results")
    assert script.reproduce(claims.read_study("readme", tmp_path), [], results) == 1
    says(capsys.readouterr().err, key="k10, purity_validation", use="differs")


def test_without_its_data_a_study_is_not_runnable_here(tmp_path: Path) -> None:
    project = Project(tmp_path / "root")
    done = reproduce(project.root, "patternmind", f"dataset.root={tmp_path}/nowhere")
    assert done.returncode == 0, done.stderr
    says(done.stdout, key="not runnable here", use=f"dataset.root={tmp_path}/nowhere")
    rows = pd.read_csv(project.last() / "reproduction.csv")
    assert set(rows["verdict"]) == {"not runnable here"}
    assert rows["ours"].isna().all()


@pytest.mark.parametrize(
    ("words", "key", "use"),
    [
        (["nothing"], "nothing", "caltech101 or caltech101_seeds"),
        (["readme", "cluster.kk=3"], "cluster.kk=3", "cluster.k?"),
        (["readme", "cluster.k=ten,3"], "cluster.k", "'ten'"),
        (["readme", "dataset.limit=10,20"], "dataset.limit=10,20", "several data sets"),
        (["readme", "--results", "."], "--results .", "use the output folder"),
    ],
)
def test_a_mistake_is_answered_with_what_to_type(
    tmp_path: Path, words: list[str], key: str, use: str, capfd: pytest.CaptureFixture[str]
) -> None:
    done = reproduce(Project(tmp_path / "root").root, *words)
    assert done.returncode == 1
    message = done.stderr + capfd.readouterr().err  # of this process, and of run.py's
    says(message, key=key, use=use)
    assert "Traceback" not in message
