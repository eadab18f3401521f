"""Clusterings of several seeds are compared, but not copies."""

from pathlib import Path

import pandas as pd
import pytest
from tests.messages import says

from experiments.job import summary
from experiments.job.artifacts import ASSIGNMENTS
from experiments.job.perform import Outcome
from experiments.sweep.clusterings import compare_clusterings

SWEPT = ["cluster.k", "seed"]


@pytest.mark.parametrize("has_seed", [True, False])
def test_copies_have_no_stability(tmp_path: Path, caplog: pytest.LogCaptureFixture, has_seed: bool) -> None:
    outcomes = []
    for number, seed in enumerate((0, 1, 2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        table = pd.DataFrame({"id": list("abcd"), "hash": list("abcd"), "cluster": [0, 0, 1, 1]})
        table.to_parquet(folder / ASSIGNMENTS)
        values = {"status": "FINISHED", "protocol": "published", "clustering_key": f"ward-{seed * has_seed}"}
        outcome = Outcome([f"seed={seed}", "cluster.k=2"], number=number, **values)  # type: ignore[arg-type]
        outcomes.append(outcome)
    rows = summary.to_frame(outcomes, SWEPT)
    folders = {number: tmp_path / str(number) for number in range(3)}
    _, stable = compare_clusterings(rows, outcomes, SWEPT, folders)
    assert [len(table) for table in stable.tables.values()] == [1] * has_seed
    assert bool(caplog.text) != has_seed
    if not has_seed:
        says(caplog.text, key="no step of 3 jobs depends on the seed", use="evaluator=[k_selection]")
