"""A run on nested classes below a folder with odd letters, and the scripts that use such a run."""

import html
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.running import run_typed

from experiments.context import Context
from experiments.recorded import PastRun
from experiments.recorded.export import export
from experiments.recorded.labelling.applying import apply
from experiments.recorded.labelling.clustered import ClusteredSamples
from experiments.recorded.labelling.template import template, write
from experiments.store.cache import Store

ODD = "a (b)=c, [d] #e & 100% <f> 'naïve' 猫 ~"
LONG = "x" * 150  # twice this is more than a file may be called
CLASSES = [f"hell {LONG} & <co>/(x)=1 {LONG}", f"hell {LONG} & <co>/[y], 2", "дark/#z", "дark/100%"]


def quoted(key: str, value: str) -> str:
    """Return a setting quoted for Hydra."""
    text = value.replace("'", "\\'")
    return f"{key}='{text}'"


def test_runs_and_scripts_work_below_a_folder_with_odd_letters(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / ODD
    root = project / "images" / f"{ODD} photos"
    rng = np.random.default_rng(0)
    for number in range(24):
        level = (20, 80, 140, 200)[number % 4]
        path = root / CLASSES[number % 4] / f"{number}%20#.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(level, level + 9, (6, 6, 3)).astype(np.uint8)).save(path)
    shutil.copy(tables, project / "mlflow.db")
    monkeypatch.setenv("EXPERIMENTS_ROOT", str(project))
    uri = f"sqlite:///{project}/mlflow.db"
    typed = [
        "dataset=image_folder", quoted("dataset.root", f"{root}/"), "dataset.image_size=6",
        "dataset.class_level=2", "backbone=pixels", "reducer=identity", "cluster.k=4",
        "evaluator=[external,crosstab,contact_sheets,members,data_report]", quoted("tracking.uri", uri),
        quoted("cache.root", f"{project}/cache"),
    ]  # fmt: skip
    performed = run_typed(typed, project / "run", name="odd")
    result, outcome = performed.result, performed.outcome
    assert result.samples.class_names == tuple(CLASSES)
    assert (outcome.metrics["ari"], outcome.unrecorded) == (1, "")

    run = PastRun.of(uri, outcome.run_id)
    assert (run.status, run.data, run.source) == ("FINISHED", root.name, str(root))
    report = (project / "run" / "report.html").read_text("utf-8")
    assert str(root) not in report  # it holds a <f>
    assert str(root) in html.unescape(report)
    recorded = run.file("classes.csv", tmp_path)
    assert sorted(pd.read_csv(recorded)["class"]) == sorted(CLASSES)

    ctx = Context.plain(Store(tmp_path / "cache"))
    table = export(run, tmp_path / "out", "copy", ctx)
    assert sorted(set(table["label"])) == sorted(CLASSES)
    assert all((tmp_path / "out" / "data" / path).is_file() for path in table["path"])

    clustered = ClusteredSamples.of(uri, outcome.run_id)
    rows = template(clustered, clustered.log()[1])
    rows.loc[0, "applied_label"] = CLASSES[3]
    write(rows, tmp_path / "edit.csv")
    apply(clustered, tmp_path / "edit.csv", "Ada")
    again = clustered.applied(clustered.log()[1])
    assert list(again).count(CLASSES[3]) == 1
