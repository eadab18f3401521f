"""Files of a run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests.messages import says

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.job import artifacts
from experiments.types import Findings


def test_samples_without_a_label_are_listed_and_clustered(ctx: Context, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(
        "id,label\n" + "".join(f"{row:04},{row % 3}\n" for row in range(90)), encoding="utf-8"
    )
    typed = [
        "backbone=pixels", "reducer=identity", "cluster.k=3", f"dataset.labels.path={tmp_path}/labels.csv",
        "dataset.limit=100",
    ]  # fmt: skip
    cfg = compose.compose_config(typed)
    stages = build(cfg).stages
    result = pipeline.run(stages, ctx)
    artifacts.write(tmp_path / "run", cfg, stages, result)
    rows = pd.read_parquet(tmp_path / "run" / artifacts.ASSIGNMENTS).set_index("id")
    without = pd.read_csv(tmp_path / "run" / "unlabelled_samples.csv", dtype=str)
    assert len(rows) == 100
    assert set(without["reason"]) == {"no label"}
    assert set(rows.index[rows["label"] == ""]) == set(without["id"])
    assert 0 < len(without) < 100
    assert (rows["cluster"] >= 0).all()
    centres = result.clustering.centroids
    assert centres is not None
    apart = np.linalg.norm(np.asarray(result.reduced) - centres[rows["cluster"]], axis=1)
    np.testing.assert_allclose(rows["distance"], apart, rtol=1e-6)


def test_two_tables_of_one_name_are_refused() -> None:
    rows = pd.DataFrame({"n": [1]})
    findings = {"one": Findings({}, {"rows": rows}), "two": Findings({}, {"rows": rows, "more": rows})}
    with pytest.raises(ValueError) as error:
        artifacts.check_names(findings, {})
    assert "evaluator.one" in says(error, key="evaluator.two", use="one of them")
    says(error, key="rows")
    artifacts.check_names({"one": findings["one"]}, {})
