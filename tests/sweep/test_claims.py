"""Published metrics are compared with ours."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from omegaconf import OmegaConf
from tests.messages import says

from experiments.job.artifacts import ASSIGNMENTS
from experiments.job.perform import Outcome
from experiments.sweep import claims
from experiments.sweep.claims import DIFFERS, NOT_RUNNABLE, REPRODUCED, Study

CS = {0.01: 0.4, 1: 0.6}  # the purity of jobs by their C
KEYS = {"name": "purity", "published": 50.0, "tolerance": 2, "metric": "purity", "unit": "%"}


def study(*rows: dict[str, Any], **more: Any) -> Study:
    tables = {"main": {"title": "Main", "source": "a paper", "shared": KEYS, "rows": list(rows) or [{}]}}
    return Study(**{"title": "A study", "run": ["-m", "seed=0"], "tables": tables} | more)


def left(folder: Path, number: int, *overrides: str, **metrics: float) -> tuple[Path, Outcome]:
    """Write the files of a job: its metrics, a table of two epochs, six labelled samples."""
    path = folder / str(number)
    path.mkdir()
    pd.DataFrame({"epoch": [1, 2], "accuracy": [0.25, 0.5]}).to_csv(path / "training.csv", index=False)
    pd.DataFrame({"id": range(6), "label": list("aabbcc")}).to_parquet(path / ASSIGNMENTS)
    outcome = Outcome(
        list(overrides), number=number, protocol="published", status="FINISHED", metrics=metrics
    )
    return path, outcome


def one(rows: pd.DataFrame) -> pd.Series:
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize(
    ("purity", "verdict"), [(0.51, REPRODUCED), (0.52, REPRODUCED), (0.48, REPRODUCED), (0.5201, DIFFERS)]
)
def test_a_figure_within_the_tolerance_is_reproduced(tmp_path: Path, purity: float, verdict: str) -> None:
    row = one(claims.compare_claims(study(), dict([left(tmp_path, 0, purity=purity)])))
    assert row["verdict"] == verdict
    assert row["difference"] == pytest.approx(100 * purity - 50)
    assert np.isnan(row["low"])


def test_ours_is_the_mean_over_the_seeds_with_its_interval(tmp_path: Path) -> None:
    jobs = dict(left(tmp_path, n, f"seed={n}", purity=p) for n, p in enumerate((0.4, 0.5, 0.6)))
    row = one(claims.compare_claims(study(), jobs))
    assert (row["ours"], row["seeds"]) == (pytest.approx(50), 3)
    assert row["high"] - row["ours"] == pytest.approx(4.302653 * 10 / np.sqrt(3))


def test_a_claim_is_about_the_jobs_it_names(tmp_path: Path) -> None:
    jobs = dict(left(tmp_path, n, f"cluster.k={k}", purity=k / 100) for n, k in enumerate((10, 50)))
    rows = claims.compare_claims(study({"job": {"cluster.k": 50}}, {"job": {"cluster.k": 99}}), jobs)
    assert rows["ours"].iloc[0] == pytest.approx(50)
    assert rows["verdict"].to_list() == [REPRODUCED, NOT_RUNNABLE]
    says(rows["why"].iloc[1], key="cluster.k=99")


def test_another_protocol_is_another_figure(tmp_path: Path) -> None:
    jobs = dict(left(tmp_path, n, purity=p) for n, p in enumerate((0.5, 0.9)))
    jobs[tmp_path / "1"] = replace(jobs[tmp_path / "1"], protocol="held_out")
    assert one(claims.compare_claims(study(protocol="published"), jobs))["ours"] == pytest.approx(50)
    assert one(claims.compare_claims(study(), jobs))["ours"] == pytest.approx(70)


def test_a_figure_may_stand_in_a_table(tmp_path: Path) -> None:
    epochs = [{"metric": "accuracy", "table": "training", "where": {"epoch": n}} for n in (2, 38)]
    rows = claims.compare_claims(study(*epochs), dict([left(tmp_path, 0)]))
    assert rows["verdict"].to_list() == [REPRODUCED, NOT_RUNNABLE]
    assert rows["why"].iloc[0] == ""
    says(rows["why"].iloc[1], key="training.csv", use="epoch=38")


def test_a_row_of_a_table_may_be_about_a_class_called_na(tmp_path: Path) -> None:
    folder, outcome = left(tmp_path, 0)
    (folder / "classes.csv").write_text("class,accuracy\nNA,0.25\n01,0.5\n1,0.75\n", encoding="utf-8")
    rows = [{"metric": "accuracy", "table": "classes", "where": {"class": name}} for name in ("NA", "01")]
    assert claims.compare_claims(study(*rows), {folder: outcome})["ours"].to_list() == pytest.approx([25, 50])


def test_on_other_data_nothing_is_reproduced_and_ours_still_stands_there(tmp_path: Path) -> None:
    jobs = dict([left(tmp_path, 0, purity=0.5)])
    assert one(claims.compare_claims(study(samples=6, classes=3), jobs))["verdict"] == REPRODUCED
    row = one(claims.compare_claims(study(samples=6, classes=4), jobs))
    assert (row["verdict"], row["ours"]) == (NOT_RUNNABLE, pytest.approx(50))
    assert re.findall(r"\d+", row["why"]) == ["6", "3", "6", "4"]


@pytest.mark.parametrize(
    ("more", "absent", "why"),
    [
        ({}, "db does not exist", "db does not exist"),
        ({"lacks": "backbone=resnet50"}, "", "backbone=resnet50"),
        ({"metric": "nmi"}, "", "nmi"),
    ],
)
def test_what_cannot_be_run_says_why(tmp_path: Path, more: dict[str, Any], absent: str, why: str) -> None:
    jobs = {} if absent else dict([left(tmp_path, 0, purity=0.5)])
    row = one(claims.compare_claims(study(more), jobs, absent))
    assert row["verdict"] == NOT_RUNNABLE
    says(row["why"], key=why)
    assert np.isnan(row["ours"])


def test_a_table_may_have_a_command_of_its_own(tmp_path: Path) -> None:
    tables = {
        "kmeans": {"title": "K-means", "source": "a paper", "shared": KEYS, "rows": [{}]},
        "ward": {"title": "Ward", "source": "a paper", "shared": KEYS, "rows": [{}], "run": ["cluster=ward"]},
    }
    both = Study(title="A study", run=["seed=0"], tables=tables)
    assert both.runs() == {("seed=0",): ["kmeans"], ("cluster=ward",): ["ward"]}
    jobs = dict([left(tmp_path, 0, "cluster=ward", purity=0.5), left(tmp_path, 1, purity=0.4)])
    assert claims.compare_claims(both, jobs, "", ["ward"])["table"].to_list() == ["ward"]
    rows = claims.compare_claims(both, jobs).set_index("table")
    assert rows.loc["ward", ["ours", "verdict"]].to_list() == [pytest.approx(50), REPRODUCED]
    says(rows.loc["kmeans", "why"], key="cluster=ward")


def test_jobs_with_other_settings_are_shown_and_reproduce_nothing(tmp_path: Path) -> None:
    jobs = dict(left(tmp_path, n, f"evaluator.probe.C={c}", purity=p) for n, (c, p) in enumerate(CS.items()))
    row = one(claims.compare_claims(study(), jobs))
    assert (row["verdict"], row["ours"]) == (NOT_RUNNABLE, pytest.approx(50))
    says(row["why"], key="evaluator.probe.C=0.01", use="evaluator.probe.C=1")
    words = ["seed=1", "dataset.root=/data", "report=none", "tracking.uri=x"]
    free = dict([left(tmp_path, 9, *words, purity=0.5)])
    assert one(claims.compare_claims(study(), free))["verdict"] == REPRODUCED


def test_a_failed_job_gives_no_figure(tmp_path: Path) -> None:
    path, outcome = left(tmp_path, 0, purity=0.5)
    failed = replace(outcome, status="FAILED")
    assert one(claims.compare_claims(study(), {path: failed}))["verdict"] == NOT_RUNNABLE


def test_an_unknown_study_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(ValueError) as error:
        claims.read_study("studyz")
    says(
        error,
        key="studyz",
        use="caltech101 or caltech101_seeds or patternmind or patternmind_resnet50 or readme",
    )


@pytest.mark.parametrize("name", claims.studies())
def test_claims_are_checked_and_say_where_they_come_from(name: str) -> None:
    rows = claims.read_study(name)
    assert all(table.source for table in rows.about().values())
    for claim in [claim for rows in rows.claims().values() for claim in rows]:
        assert claim.tolerance > 0, claim
        assert claim.unit in claims.SCALE, claim


def test_a_misspelt_key_in_a_claim_is_named(tmp_path: Path) -> None:
    values = {"title": "t", "run": [], "tables": {"m": {"title": "t", "source": "s", "rows": [{"nam": "x"}]}}}
    OmegaConf.save(OmegaConf.create(values), tmp_path / "mine.yaml")
    with pytest.raises(ValueError) as error:
        claims.read_study("mine", tmp_path)
    says(error, key="mine.yaml", use="nam: ")


@pytest.mark.parametrize(
    "text", ["title: [", "title: t\nrun: []\ntables: {m: {title: t, source: s, rows: [3]}}"]
)
def test_a_broken_file_of_claims_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "mine.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError) as error:
        claims.read_study("mine", tmp_path)
    says(error, key="mine.yaml", use="Claim" if "rows" in text else "expected")


def test_an_unknown_unit_is_refused() -> None:
    with pytest.raises(ValueError) as error:
        study({"unit": "pct"}).claims()
    says(error, key="unit=pct", use="%")
