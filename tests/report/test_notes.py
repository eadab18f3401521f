"""The description of a run and of a sweep on its MLflow page."""

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.messages import numbers, says

from experiments import comparison, tracking
from experiments.comparison.titles import ABOUT, MEANS
from experiments.config import commands, compose
from experiments.config.build import build
from experiments.report import notes

URI = "http://server:5000"
PIXELS = "backbone=pixels"


def run_note(
    *, assignments: list[int], metrics: dict[str, float], overrides: tuple[str, ...] = (PIXELS,), **named: Any
) -> str:
    """Return the note of a run of digits with these assignments and metrics."""
    plan = build(compose.compose_config(overrides), overrides)
    clustering, rows = SimpleNamespace(assignments=np.array(assignments)), np.arange(len(assignments))
    samples = SimpleNamespace(name="digits", labels=rows % 2, labelled=rows, rows=lambda _: rows[:0])
    result: Any = SimpleNamespace(clustering=clustering, metrics=metrics, samples=samples)
    return notes.of_run(result, plan.stages, **{"run_id": "abc", "uri": commands.DEFAULT_STORE} | named)


def test_a_run_has_a_summary_and_metrics_with_their_levels() -> None:
    metrics = {"homogeneity": 0.3, "purity": 0.5, "purity_chance": 0.1, "purity_ceiling": 0.9, "ari": 0.25}
    run, metrics_line, verify_line = run_note(assignments=[0, 0, 1, 2], metrics=metrics).split("\n\n")
    assert numbers(run) == ["3", "4"]
    says(says(run, key="digits", use="pixels → pca → faiss_kmeans"), key="held_out")
    assert metrics_line == "ari **0.25** (chance 0), purity **0.5** (chance 0.1, ceiling 0.9)"
    assert verify_line.endswith("`python scripts/verify.py abc`")
    assert "ari **0.25** (chance 0, ceiling 1)" in run_note(assignments=[0, 0, 1, 1], metrics=metrics)


@pytest.mark.parametrize(
    ("overrides", "stages"),
    [
        (("backbone=resnet50",), "digits: resnet50 → neighbours"),
        (("backbone=resnet50", "backbone.model=squeezenet1_1"), "digits: squeezenet1_1 → neighbours"),
        (("backbone=clip",), "digits: ViT-B-32 → neighbours"),
    ],
)
def test_a_pretrained_backbone_has_the_name_of_its_network(overrides: tuple[str, ...], stages: str) -> None:
    assert stages in run_note(assignments=[0, 0, 1], metrics={}, overrides=overrides)


def test_a_note_has_noise_warnings_report_and_commands() -> None:
    text = run_note(
        assignments=[0, 0, 1, -1],
        metrics={},
        warnings=["left out: <probe> needs labels"],
        report="#/report",
        assigns=True,
        uri=URI,
    )
    assert numbers(text.partition("\n\n")[0]) == ["2", "4", "25.0%"]
    assert "](#/report)" in text
    assert "**\n\n- left out: &lt;probe&gt; needs labels" in text
    assert f"`python scripts/verify.py abc tracking.uri={URI}`" in text
    assert f"`python scripts/assign.py abc <new images> tracking.uri={URI}`" in text


def test_a_password_is_not_in_the_note() -> None:
    text = run_note(assignments=[0], metrics={}, uri="postgresql://me:secret@server/db")
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
BEST = notes.BestJobLink("k=50 seed=0", "#/best", "ari", 0.5, 2)


def sweep_note(rows: pd.DataFrame, swept: list[str], **named: Any) -> str:
    """Return the note of a sweep with these jobs."""
    compared = comparison.compare(rows, swept).tables
    main = [name for name in MAIN if name in rows]
    return notes.of_sweep(rows, main, compared, **{"run_id": "abc", "uri": commands.DEFAULT_STORE} | named)


def test_a_sweep_over_seeds_has_a_row_per_configuration() -> None:
    text = sweep_note(ROWS, ["cluster.k", "seed"], best=BEST, report="#/report", assigns=True)
    first = text.split("\n\n")[0]
    assert numbers(says(first, key="ari", use="k=50 seed=0")) == ["4", "4", "0.5", "50", "0", "2"]
    assert re.findall(r"\]\(([^)]*)\)", first) == ["#/best", "#/report"]
    assert "| 50&emsp; | 0.5&nbsp;±&nbsp;0 |" in text
    assert "| 50&emsp; | 2&emsp; | 0 |" in text, "number of seeds, and their standard deviation"
    assert "| 50&emsp; | 0&emsp; |" not in text, "no rows of jobs"
    assert "`python scripts/compare.py abc <key=a> <key=b>`" in text
    assert "`python scripts/assign.py abc <new images>`" in text
    assert "\n| --- | --- |" in text, "a Markdown table needs this"


def test_a_sweep_without_seeds_has_a_row_per_job() -> None:
    text = sweep_note(ROWS[["cluster.k", "protocol", "ari", "status"]][::2], ["cluster.k"], assigns=True)
    first, _, table = text.partition("\n\n")
    assert numbers(first) == ["2", "2"]
    assert table.startswith("| cluster.k&emsp; | ari |\n| --- | --- |\n")
    assert "| 10&emsp; | 0.1 |\n| 50&emsp; | 0.5 |" in text
    assert "scripts/" not in text, "no seeds to compare, and no best job whose model could assign"


def test_failures_are_listed_with_the_command_to_continue() -> None:
    rows = ROWS.assign(status=["FINISHED", "FAILED", "FINISHED", "FINISHED"])
    text = sweep_note(rows, ["cluster.k", "seed"], errors={"k=10 seed=1": "too <cold>"})
    first = text.partition("\n\n")[0]
    assert numbers(says(first, use="`resume=true`")) == ["3", "4"]
    assert "**\n\n- k=10 seed=1: too &lt;cold&gt;\n" in text


def test_a_long_table_names_the_file_with_all_rows() -> None:
    rows = pd.DataFrame({"cluster.k": range(40), "protocol": "x", "ari": 0.5, "status": "FINISHED"})
    text = sweep_note(rows, ["cluster.k"])
    assert ("| 29&emsp; |" in text, "| 30&emsp; |" in text) == (True, False)
    says(text.rpartition("\n\n")[2], key="10", use="sweep.csv")


def test_a_note_has_the_choice_of_k_without_labels() -> None:
    table = {"k_agreement": pd.DataFrame({"verdict": ["means over 2 seeds: k=5 by 6 of 8 methods"]})}
    text = notes.of_sweep(ROWS, MAIN, table, run_id="abc", uri=commands.DEFAULT_STORE)
    says(text.split("\n\n")[1], key="without labels", use="k=5 by 6 of 8 methods")


@pytest.mark.parametrize("name", ABOUT)
def test_tables_over_all_jobs_have_their_title(name: str) -> None:
    table = {name: pd.DataFrame({"criterion": ["silhouette"], "value": [0.25]})}
    text = notes.of_sweep(ROWS, MAIN, table, run_id="abc", uri=commands.DEFAULT_STORE)
    assert f"**{ABOUT[name]}**" in text
    assert "| silhouette&emsp; | 0.25 |" in text


NAMES = [f"metric_{number}" for number in range(12)]


def wide(status: str = "FINISHED") -> pd.DataFrame:
    """Return a table of 30 configurations with 2 seeds each and 12 metrics."""
    jobs = pd.DataFrame([(f"{k}-{'x' * 20}", seed) for k in range(30) for seed in (0, 1)])
    jobs.columns = pd.Index(["reducer.name", "seed"])
    metrics = {name: np.linspace(0.123456, 0.987654, len(jobs)) for name in NAMES}
    return jobs.assign(protocol="held_out", **metrics, status=status)


def test_a_note_of_many_metrics_is_complete_and_names_omitted_tables() -> None:
    rows, swept = wide(), ["reducer.name", "seed"]
    compared = comparison.compare(rows, swept).tables
    compared["probes"] = pd.DataFrame({"probe": [f"{n} {'y' * 200}" for n in range(9)], "accuracy": 0.5})
    named: Any = {"run_id": "abc", "uri": commands.DEFAULT_STORE, "best": BEST, "assigns": True}
    text = notes.of_sweep(rows, [*swept, "protocol", *NAMES], compared, **named)
    assert 6000 < len(text) <= tracking.TAG_LIMIT
    before, _, after = text.partition(f"**{MEANS[0].upper()}{MEANS[1:]}")
    assert "scripts/compare.py abc" in before
    assert "scripts/assign.py abc" in before
    shown = [line for line in after.splitlines() if "-xxx" in line]
    assert 1 < len(shown) < 30
    says(after, key=str(30 - len(shown)), use="seeds.csv")
    last = text.rpartition("\n\n")[2]
    assert last.count(".csv") >= 1
    assert last.endswith(".csv")
    whole = text.replace("&emsp;", "").replace("&nbsp;", "")
    heads = [line for line in whole.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in heads} == {14}, "no row is cut"


def test_a_note_without_seeds_has_as_many_jobs_as_fit() -> None:
    rows = wide()
    text = notes.of_sweep(rows, ["reducer.name", *NAMES], {}, run_id="abc", uri=commands.DEFAULT_STORE)
    assert len(text) <= tracking.TAG_LIMIT
    shown = text.count("-xxx")
    says(text.rpartition("\n\n")[2], key=str(60 - shown), use="sweep.csv")


def test_many_failures_leave_room_for_the_tables() -> None:
    errors = {f"k={k} seed=0": f"too cold\n{'z' * 300}" for k in range(200)}
    text = sweep_note(ROWS.assign(status="FAILED"), ["cluster.k", "seed"], errors=errors)
    listed = [line for line in text.splitlines() if line.startswith("- k=")]
    assert listed[0] == f"- k=0 seed=0: too cold {'z' * 300}"
    assert re.search(rf"^- {200 - len(listed)} \w+$", text, re.M)
    assert len(text) < 3000


def test_a_command_has_the_store_without_its_account() -> None:
    assert (
        commands.script_command("verify.py", "abc", uri=commands.DEFAULT_STORE)
        == "python scripts/verify.py abc"
    )
    for uri in ("postgresql://me:secret@server/db", "mysql://server/db?user=me&Password=secret"):
        assert (
            commands.script_command("verify.py", uri=uri)
            == "python scripts/verify.py tracking.uri=<this store>"
        )
    command = commands.script_command("verify.py", uri="sqlite:////home/a@b/x.db")
    assert command == "python scripts/verify.py tracking.uri=sqlite:////home/a@b/x.db"
