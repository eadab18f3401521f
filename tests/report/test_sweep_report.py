"""The report of a sweep: its runs side by side."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.browser import PHONE, Tab

from experiments import report
from experiments.figures import Heatmap, Lines

CURVES = {"ari": [0.9, 0.4], "nmi": [0.9, 0.5]}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Write the report of three jobs, of which one failed."""
    rows = pd.DataFrame(
        {
            "cluster.k": [10, 50, 233],
            "protocol": "held_out",
            "ari": [0.9, 0.4, np.nan],
            "secondary": [1, 2, 3],
            "status": ["FINISHED", "FINISHED", "FAILED"],
            "seconds": [1.0, 2.0, 0.1],
            "run_id": ["a", "b", "c"],
        }
    )
    names = ["k=10", "k=50"]
    figures = {
        "sweep_cluster.k": Lines("Main metrics", "cluster.k", "", [10.0, 50.0], CURVES),
        "agreement": Heatmap("Agreement", names, names, np.array([[1, 0.5], [0.5, 1]]), "ari"),
    }
    return report.write_sweep(
        tmp_path,
        rows,
        ["cluster.k", "ari"],
        swept=["cluster.k"],
        objective="ari",
        name="sweep of cluster.k",
        run_id="0123abcd",
        figures=figures,
        tables={"sweep": rows},
        errors={"k=233": "cluster.k=233 exceeds <200> samples"},
    )


def test_a_sweep_without_pictures_has_a_report_too(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"protocol": ["held_out"], "ari": [0.5], "status": ["FINISHED"], "seconds": [1.0], "run_id": ["a"]}
    )
    about: dict[str, Any] = {"swept": [], "objective": "ari", "figures": {}, "tables": {}, "errors": {}}
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
        "What was run", "Best", "Runs", "Over each setting", "Compared", "Tables",
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


@pytest.mark.browser
def test_the_best_configuration_stands_first(written: Path, chromium: Any) -> None:
    tab = Tab(chromium, written)
    (row,) = tab.page.locator("#best tbody tr").all()
    told = row.locator("th, td").all_inner_texts()
    assert told[0].startswith("ari")
    assert "the objective" in told[0]
    assert told[1:6] == ["k=10", "0.9", "k=50: 0.4", "0", "1"]
    tab.close()


@pytest.mark.browser
def test_a_phone_has_the_legend_below_the_plot(written: Path, chromium: Any) -> None:
    tab = Tab(chromium, written, viewport=PHONE)
    plot = tab.page.locator('[data-plot="sweep_cluster.k"]')
    plot.scroll_into_view_if_needed()
    legend = plot.locator(".legend").bounding_box()
    assert legend is not None
    assert legend["y"] > plot.locator(".xtick").first.bounding_box()["y"]
    assert legend["x"] + legend["width"] <= PHONE["width"]
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    tab.close()
