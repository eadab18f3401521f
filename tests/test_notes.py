"""What stands at the top of a run's and a sweep's page in MLflow."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from experiments import comparison, compose, config, notes

URI = "http://server:5000"


def described(*, assignments: list[int], metrics: dict[str, float], **named: Any) -> str:
    """Describe a run of digits that gave this."""
    plan = config.build(compose.compose_config(["backbone=pixels"]), ["backbone=pixels"])
    clustering = SimpleNamespace(assignments=np.array(assignments))
    result: Any = SimpleNamespace(
        clustering=clustering, metrics=metrics, samples=SimpleNamespace(name="digits")
    )
    return notes.of_run(result, plan.stages, **{"run_id": "abc", "uri": notes.STORE} | named)


def test_a_run_is_told_in_a_line_and_its_figures_beside_their_bounds() -> None:
    metrics = {"homogeneity": 0.3, "purity": 0.5, "purity_chance": 0.1, "purity_ceiling": 0.9, "ari": 0.25}
    lines = described(assignments=[0, 0, 1, 2], metrics=metrics).split("\n\n")
    assert lines == [
        "3 clusters of digits: pixels → pca → faiss_kmeans, 4 samples, protocol held_out.",
        "ari **0.25** (chance 0, ceiling 1), purity **0.5** (chance 0.1, ceiling 0.9)",
        "The same again? `python scripts/verify.py abc`",
    ]


def test_noise_doubts_report_and_model_are_told_where_there_are_any() -> None:
    text = described(
        assignments=[0, 0, 1, -1],
        metrics={},
        doubts=["left out: <probe> needs labels"],
        report="#/report",
        assigns=True,
        uri=URI,
    )
    assert text.startswith("2 clusters of digits: pixels → pca → faiss_kmeans, 4 samples, 25.0% noise, ")
    assert "[Open the report](#/report)" in text
    assert "**Warnings**\n\n- left out: &lt;probe&gt; needs labels" in text
    assert f"`python scripts/verify.py abc tracking.uri={URI}`" in text
    assert f"`python scripts/assign.py abc <new images> tracking.uri={URI}`" in text


def test_a_password_is_not_written_down() -> None:
    text = described(assignments=[0], metrics={}, uri="postgresql://me:secret@server/db")
    assert "secret" not in text
    assert "tracking.uri=<this store>" in text


ROWS = pd.DataFrame(
    {
        "cluster.k": [10, 10, 50, 50],
        "seed": [0, 1, 0, 1],
        "protocol": "held_out",
        "ari": [0.1, 0.2, 0.5, 0.5],
        "status": "FINISHED",
    }
)
MAIN = ["cluster.k", "seed", "protocol", "ari"]
BEST = notes.Best("k=50 seed=0", "#/best", "ari", 0.5)


def of_sweep(rows: pd.DataFrame, swept: list[str], **named: Any) -> str:
    """Describe a sweep of these jobs."""
    compared = comparison.compare(rows, swept).tables
    main = [name for name in MAIN if name in rows]
    return notes.of_sweep(rows, main, compared, **{"run_id": "abc", "uri": notes.STORE} | named)


def test_a_sweep_over_seeds_has_a_row_a_configuration() -> None:
    text = of_sweep(ROWS, ["cluster.k", "seed"], best=BEST, report="#/report", assigns=True)
    first = "4 of 4 jobs finished, best ari 0.5: k=50 seed=0. [Open it](#/best). [Open the report](#/report)"
    assert text.split("\n\n")[0] == first
    assert "| 50&emsp; | 0.5&nbsp;±&nbsp;0 |" in text
    assert "| 50&emsp; | 2&emsp; | 0 |" in text, "how many seeds, and their standard deviation"
    assert "| 50&emsp; | 0&emsp; |" not in text, "no row a job"
    assert "`python scripts/compare.py abc <key=a> <key=b>`" in text
    assert "`python scripts/assign.py abc <new images>`" in text
    assert "\n| --- | --- |" in text, "or it is no table"


def test_without_seeds_there_is_a_row_a_job() -> None:
    text = of_sweep(ROWS[["cluster.k", "protocol", "ari", "status"]][::2], ["cluster.k"], assigns=True)
    assert text.startswith("2 of 2 jobs finished\n\n| cluster.k&emsp; | ari |\n| --- | --- |\n")
    assert "| 10&emsp; | 0.1 |\n| 50&emsp; | 0.5 |" in text
    assert "scripts/" not in text, "no seeds to compare, and no best job whose model could assign"


def test_failures_are_named_with_how_to_go_on() -> None:
    rows = ROWS.assign(status=["FINISHED", "FAILED", "FINISHED", "FINISHED"])
    text = of_sweep(rows, ["cluster.k", "seed"], errors={"k=10 seed=1": "too <cold>"})
    assert text.startswith(
        "3 of 4 jobs finished. The missing jobs alone: the same command with `resume=true`"
    )
    assert "**Failed**\n\n- k=10 seed=1: too &lt;cold&gt;\n" in text


def test_a_long_table_says_where_the_rest_is() -> None:
    rows = pd.DataFrame({"cluster.k": range(40), "protocol": "x", "ari": 0.5, "status": "FINISHED"})
    text = of_sweep(rows, ["cluster.k"])
    assert ("| 29&emsp; |" in text, "| 30&emsp; |" in text) == (True, False)
    assert "\n\n10 more rows in sweep.csv" in text


@pytest.mark.parametrize("name", notes.ABOUT)
def test_what_is_found_over_all_jobs_is_told_under_its_title(name: str) -> None:
    table = {name: pd.DataFrame({"criterion": ["silhouette"], "value": [0.25]})}
    text = notes.of_sweep(ROWS, MAIN, table, run_id="abc", uri=notes.STORE)
    assert f"**{notes.ABOUT[name]}**" in text
    assert "| silhouette&emsp; | 0.25 |" in text
