"""The report of a sweep: its runs side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.browser import Tab

from experiments import report
from experiments.figures import Heatmap, Lines


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Write the report of three jobs, of which one failed."""
    rows = pd.DataFrame(
        {
            "cluster.k": [10, 50, 233],
            "ari": [0.9, 0.4, np.nan],
            "secondary": [1, 2, 3],
            "status": ["FINISHED", "FINISHED", "FAILED"],
            "seconds": [1.0, 2.0, 0.1],
            "run_id": ["a", "b", "c"],
        }
    )
    names = ["k=10", "k=50"]
    figures = {
        "sweep_cluster.k": Lines("Main metrics", "cluster.k", "", [10.0, 50.0], {"ari": [0.9, 0.4]}),
        "agreement": Heatmap("Agreement", names, names, np.array([[1, 0.5], [0.5, 1]]), "ari"),
    }
    return report.write_sweep(
        tmp_path,
        rows,
        ["cluster.k", "ari"],
        name="sweep of cluster.k",
        run_id="0123abcd",
        figures=figures,
        tables={"sweep": rows},
        errors={"k=233": "cluster.k=233 exceeds <200> samples"},
    )


def test_a_sweep_without_pictures_has_a_report_too(tmp_path: Path) -> None:
    rows = pd.DataFrame({"ari": [0.5], "status": ["FINISHED"], "seconds": [1.0], "run_id": ["a"]})
    about: dict[str, Any] = {"figures": {}, "tables": {}, "errors": {}}
    path = report.write_sweep(tmp_path, rows, ["ari"], name="sweep", run_id="a", **about)
    text = path.read_text()
    assert 'id="runs"' in text
    assert 'id="over"' not in text
    assert 'id="tables"' not in text


@pytest.mark.browser
def test_runs_stand_side_by_side(written: Path, chromium: Any) -> None:
    assert written.name == "report.html"
    tab = Tab(chromium, written)
    page = tab.page
    assert page.locator("nav a").all_inner_texts() == [
        "What was run", "Runs", "Over each setting", "Compared", "Tables",
    ]  # fmt: skip
    assert page.locator("header p").inner_text() == "3 runs, 2 of them finished"
    assert page.locator(".doubts li").all_inner_texts() == ["k=233: cluster.k=233 exceeds <200> samples"]
    heads = page.locator("#runs th").all_inner_texts()
    assert heads == ["cluster.k", "ari", "status", "seconds", "run_id"]
    page.locator("#runs th button", has_text="ari").click()
    for expected in (["50", "10", "233"], ["10", "50", "233"]):  # what has no figure stays last
        assert page.locator("#runs tbody tr td:first-child").all_inner_texts() == expected
        page.locator("#runs th button", has_text="ari").click()
    for plot in page.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for()
    with page.expect_download() as download:
        page.locator('.save[data-table="sweep"]').click()
    assert len(pd.read_csv(download.value.path())) == 3
    tab.close()
