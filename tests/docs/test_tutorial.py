"""The tutorial's commands that take seconds are executed, and its notebook's cells."""

import json
import re

import pytest
from tests.docs.documents import ROOT, Command, texts
from tests.project import LEAN, Project

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]  # the tutorial's commands are run

FEW = ["dataset.limit=400"]
NOTEBOOK = json.loads((ROOT / "docs" / "tutorial.ipynb").read_text(encoding="utf-8"))


def words(pattern: str) -> list[str]:
    """Return what the tutorial types after a program, in the command that matches."""
    text = texts()["docs/tutorial.md"]
    (line,) = [line for line in text.splitlines() if re.search(pattern, line)]
    return Command("docs/tutorial.md", line).words[2:]


def test_a_sweep_over_k_and_pca_and_its_verification(fresh: Project) -> None:
    fresh.succeed(*words(r"^python run.py -m .*n_components=5,20$"), *FEW, "figures=none", "report=none")
    table = fresh.sweep()
    assert table["status"].tolist() == ["FINISHED"] * 6
    assert len(set(table["ari"].round(6))) == 6
    (sweep,) = [run for run in fresh.runs() if run.data.tags.get("sweep") == "parent"]
    typed = [word.replace("RUN_ID", sweep.info.run_id) for word in words("^python scripts/verify.py")]
    done = fresh.script("verify", *typed, cwd=fresh.root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout.splitlines()[-1]


def test_the_notebooks_cells_run_in_order(
    fresh: Project, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXPERIMENTS_ROOT", str(fresh.root))
    monkeypatch.setenv("MPLBACKEND", "agg")
    space: dict[str, object] = {}
    cells = ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells):
        exec(compile(cell, f"cell {number}", "exec"), space)
        if number == 0:
            space["settings"] += [f"tracking.uri={fresh.uri}", f"cache.root={fresh.root}/cache", *LEAN, *FEW]  # type: ignore[operator]
    assert sorted(space["runs"]) == [5, 10, 20]  # type: ignore[call-overload]
    assert space["ward"].metrics["ami"] > 0.5  # type: ignore[attr-defined]
    assert "cluster.k?" in capsys.readouterr().out
    assert len(fresh.runs()) == 5


def test_the_notebook_holds_no_output() -> None:
    assert all(not cell.get("outputs") for cell in NOTEBOOK["cells"])
    assert NOTEBOOK["nbformat"] == 4
