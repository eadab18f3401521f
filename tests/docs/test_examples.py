"""The examples of docs/extend are complete: their files are written, and their commands typed."""

import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from tests.docs.documents import FENCE, ROOT, Command, files, texts
from tests.messages import says
from tests.project import LEAN, Project

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]  # examples start programs

EXAMPLES = [name for name in texts() if name.startswith("docs/extend/") and files(name)]
SMALL = [*LEAN, "dataset.limit=200"]


@pytest.fixture
def mine(fresh: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make the folder of examples, as PYTHONPATH names it."""
    folder = fresh.root / "mine"
    monkeypatch.syspath_prepend(str(folder))
    known = set(sys.modules)
    yield folder
    for name in set(sys.modules) - known:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def write(root: Path, document: str) -> None:
    for name, code in files(document).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")


def typed(document: str, program: str) -> list[str]:
    """Return what is typed after a program in the one command of a document."""
    code = "".join(code for language, code in FENCE.findall(texts()[document]) if not language)
    (line,) = [line for line in code.splitlines() if program in line]
    words = Command(document, line).words
    return words[words.index(program) + 1 :]


@pytest.mark.parametrize("document", ["docs/extend/backbone.md", "docs/extend/clusterer.md"])
def test_an_example_runs(document: str, fresh: Project, mine: Path) -> None:
    write(fresh.root, document)
    fresh.succeed(*typed(document, "run.py"), *SMALL)
    assert {run.info.status for run in fresh.runs()} == {"FINISHED"}


def test_settings_of_examples_are_checked(fresh: Project, mine: Path) -> None:
    write(fresh.root, "docs/extend/backbone.md")
    write(fresh.root, "docs/extend/clusterer.md")
    words = ["--config-dir", "mine", "backbone=colours", "cluster=stripes", *SMALL]
    says(fresh.fail(*words, "backbone.cells=3"), key="backbone.cells=3", use="backbone.cells=1")
    says(fresh.fail(*words, "cluster.k=201"), key="cluster.k=201", use="cluster.k<=200")


def test_a_figure_its_metric_and_a_script(fresh: Project, mine: Path) -> None:
    write(fresh.root, "docs/extend/figure.md")
    write(fresh.root, "docs/extend/script.md")
    more = ["report=none", "tracking.log_model=none", "dataset.limit=200"]
    fresh.succeed(*typed("docs/extend/figure.md", "run.py"), *more)
    table = pd.read_csv(fresh.last() / "brightness.csv")
    assert table["brightness"].between(0, 1).all()
    assert (fresh.last() / "figures" / "brightness.png").exists()
    spread = table["brightness"].max() - table["brightness"].min()
    (run,) = fresh.runs()
    assert run.data.metrics["brightness_range"] == pytest.approx(spread)
    words = typed("docs/extend/script.md", "mine/largest.py")
    words[words.index("RUN_ID")] = run.info.run_id
    main = importlib.import_module("largest").main
    done = fresh._inside(["largest.py", *words, f"tracking.uri={fresh.uri}"], main, fresh.root)
    assert done.returncode == 0, done.stderr
    largest = pd.read_parquet(fresh.last() / "assignments.parquet")["cluster"].value_counts()
    assert f"cluster {largest.index[0]} has {largest.iloc[0]} of 200 images" in done.stdout
    assert done.stdout.splitlines()[1].count(",") == 4, "five images"


@pytest.mark.process
def test_a_metric_is_a_function_and_a_row(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src" / "experiments", tmp_path / "experiments")
    function, rows, level = re.findall(r"```python\n(.*?)```", texts()["docs/extend/metric.md"], re.DOTALL)
    measures = tmp_path / "experiments" / "evaluator" / "measures"
    for name, code in {"agreement": function, "chance": level}.items():
        with (measures / f"{name}.py").open("a", encoding="utf-8") as file:
            file.write(f"\n\n{code}")
    catalogue = tmp_path / "experiments" / "metrics.py"
    text = catalogue.read_text("utf-8")
    start = text.index('        EXTERNAL("homogeneity"')
    catalogue.write_text(
        text[:start] + re.sub(r"^(EXTERNAL.*?\))$", r"\1,", rows, flags=re.M | re.DOTALL) + text[start:],
        encoding="utf-8",
    )
    code = """
import numpy as np
from experiments.evaluator.external import External
from experiments.evaluator.measures.agreement import pair_f1
from experiments.evaluator.measures.chance import chance
from experiments.metric_names import Name, main_metrics
from experiments.report.headlines import headlines
from experiments.tracking.pages import tags
assert {"pair_f1_validation", "pair_f1_chance_no_noise"} < set(External.METRICS)
assert main_metrics(["pair_f1", "nmi", "purity"]) == ["nmi", "pair_f1", "purity"]
assert Name("pair_f1").row.chooses
assert any("metrics.`pair_f1`" in tag for tag in tags("1").values())
(headline,) = headlines({"pair_f1": 0.5, "pair_f1_chance": 0.25}, equal_counts=[""])
assert (headline.name, headline.chance, headline.ceiling) == ("pair_f1", 0.25, 1)
labels = np.array([0, 0, 1, 1])
print(pair_f1(labels, labels), pair_f1(labels, np.array([0, 0, 0, 0])))
clusters, rng = np.array([0, 0, 0, 1]), np.random.default_rng(0)
expected = [pair_f1(rng.permutation(labels), clusters) for _ in range(20)]
print(chance(labels, clusters, 0)["pair_f1_chance"], np.mean(expected))
"""
    env = os.environ | {"PYTHONPATH": str(tmp_path), "EXPERIMENTS_ROOT": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, encoding="utf-8", check=False
    )
    assert done.stderr == ""
    perfect, one_cluster, level, expected = map(float, done.stdout.split())
    assert [perfect, one_cluster, level] == pytest.approx([1, 2 * 4 / (4 + 12), expected])
