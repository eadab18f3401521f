"""The report of a sweep."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markupsafe import escape
from tests.browser import PHONE, Tab
from tests.messages import numbers, says

from experiments import report
from experiments.comparison.titles import MEANS
from experiments.figures import Heatmap, Lines
from experiments.report import BestJob, Contents
from experiments.report.best import best_configs, verdict
from experiments.report.sweep_figures import select_figures

CURVES = {"ari": [0.9, 0.4], "nmi": [0.9, 0.5]}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of three jobs, one of them failed."""
    rows = pd.DataFrame(
        {
            "cluster.k": [10, 50, 233],
            "protocol": "held_out",
            "ari": [0.9, 0.4, np.nan],
            "secondary": [1, 2, 3],
            "status": ["FINISHED", "FINISHED", "FAILED"],
            "seconds": [1.0, 2.0, 0.1],
            "run_id": [letter * 32 for letter in "abc"],
        }
    )
    names = ["k=10", "k=50"]
    figures = {
        "sweep_cluster.k": Lines("Main metrics", "cluster.k", "", [10.0, 50.0], CURVES),
        "purity_grid": Heatmap("Purity (fine)", names, ["fine"], np.array([[0.5], [0.6]]), "purity"),
        "purity_over_k": Lines("Purity (fine)", "k", "purity", [10.0, 50.0], {"fine": [0.5, 0.6]}),
        "agreement": Heatmap("Agreement", names, names, np.array([[1, 0.5], [0.5, 1]]), "ari"),
    }
    return report.write_sweep_report(
        tmp_path_factory.mktemp("sweep"),
        report.SweepContents(
            rows,
            ["cluster.k", "ari"],
            swept=["cluster.k"],
            objective="ari",
            name="sweep of cluster.k",
            run_id="0123abcd",
            figures=figures,
            tables={
                "sweep": rows,
                "label_free": pd.DataFrame({"cluster.k": [10], "silhouette_embeddings": [0.25]}),
            },
            errors={"k=233": "cluster.k=233 exceeds <200> samples"},
            warnings=[["weak", "100 of <300>"], ["100 of <300>", "other"]],
        ),
    )


def test_a_sweep_without_figures_has_a_report(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"protocol": ["held_out"], "ari": [0.5], "status": ["FINISHED"], "seconds": [1.0], "run_id": ["a"]}
    )
    values: dict[str, Any] = {"swept": [], "objective": "ari", "figures": {}, "tables": {}, "errors": {}}
    path = report.write_sweep_report(
        tmp_path, report.SweepContents(rows, ["ari"], name="sweep", run_id="a", **values)
    )
    text = path.read_text(encoding="utf-8")
    assert 'id="runs"' in text
    assert 'id="over"' not in text
    assert 'id="tables"' not in text


def sections(text: str) -> list[str]:
    """Return the headings of a page's sections in order."""
    return re.findall(r'<h2 id="h-\w+">(.*?)</h2>', text)


def headings(text: str) -> list[str]:
    """Return all headings of a page below its title."""
    return [" ".join(heading.split()) for heading in re.findall(r"<h[23][^>]*>(.*?)</h", text, re.DOTALL)]


ABOUT: dict[str, Any] = {
    "objective": "ari", "name": "sweep", "run_id": "a", "figures": {}, "tables": {}, "errors": {}
}  # fmt: skip


def jobs(**settings: Sequence[Any]) -> pd.DataFrame:
    """Return the table of jobs with these settings."""
    rows = pd.DataFrame(settings).assign(protocol="held_out", status="FINISHED", seconds=1.0)
    rows["ari"], rows["nmi"] = np.linspace(0.9, 0.2, len(rows)), np.linspace(0.1, 0.3, len(rows))
    return rows.assign(run_id=[str(row) for row in rows.index])


def test_the_best_job_is_shown_and_the_reports_of_jobs_are_linked(tmp_path: Path, contents: Contents) -> None:
    for number in ("10", "2"):
        (tmp_path / number).mkdir()
        (tmp_path / number / "report.html").write_text("a report", encoding="utf-8")
    rows = jobs(**{"reducer.n_components": [5, 20]})
    best = BestJob("n_components=5", tmp_path / "2", contents)
    path = report.write_sweep_report(
        tmp_path, report.SweepContents(rows, ["ari"], swept=["reducer.n_components"], best=best, **ABOUT)
    )
    text = path.read_text(encoding="utf-8")
    first, *others = sections(text)
    shown = [name for name in others if name.endswith("of the best job")]
    assert first == "Best"
    assert [name.split()[0] for name in shown] == ["Map", "Clusters", "Classes", "Classes", "Worst"]
    assert others[: len(shown)] == shown
    assert 'href="#map">Map</a>' in text, "the short heading"
    assert re.findall(r'<a href="(\d+/report.html)">', text) == ["2/report.html", "10/report.html"]
    assert text.count('class="sheet"') == contents.members["cluster"].nunique()
    assert len(set(headings(text))) == len(headings(text)), "no two headings are the same"


def test_a_best_job_that_is_not_in_the_cache_is_named(tmp_path: Path) -> None:
    rows, best = jobs(**{"cluster.k": [5, 20]}), BestJob("k=5", tmp_path / "7", None)
    path = report.write_sweep_report(
        tmp_path, report.SweepContents(rows, ["ari"], swept=["cluster.k"], best=best, **ABOUT)
    )
    assert sections(path.read_text("utf-8")) == ["Best of the swept k", "Runs", "Run details"]
    says(re.sub("<.*?>", "", path.read_text("utf-8")), key="job 7", use="cache")


OVER = Lines("Main metrics over k", "k", "", [5.0, 20.0], CURVES)
CHOICE = Lines("The k of 8 methods", "k", "", [5.0, 20.0], CURVES)


@pytest.mark.parametrize(
    ("settings", "first"),
    [
        ({"cluster.k": [5, 20]}, ["Which k, without labels", "Best of the swept k", "Over cluster.k"]),
        ({"seed": [0, 1]}, ["Over the seeds", "Metrics"]),
        (
            {"cluster.k": [5, 5], "seed": [0, 1]},
            ["Which k, without labels", "Best of the swept k", "Over the seeds"],
        ),
        ({"cluster.k": [5, 9], "seed": [0, 0], "x": [1, 2]}, ["Which k, without labels", "Best"]),
    ],
)
def test_the_first_section_answers_the_question_of_the_sweep(
    tmp_path: Path, contents: Contents, settings: dict[str, list[int]], first: list[str]
) -> None:
    verdict_table = pd.DataFrame({"verdict": ["k=5 by 6 of 8 methods"]})
    tables = {"k_agreement": verdict_table} | ({"seeds": SEEDS} if "seed" in settings else {})
    figures = {"sweep_cluster.k": OVER} | ({"k_selection": CHOICE} if "cluster.k" in settings else {})
    values = ABOUT | {"figures": figures, "tables": tables, "best": BestJob("k=5", tmp_path, contents)}
    path = report.write_sweep_report(
        tmp_path, report.SweepContents(jobs(**settings), ["ari", "nmi"], swept=list(settings), **values)
    )
    text = path.read_text(encoding="utf-8")
    assert sections(text)[: len(first)] == first
    assert ("<b>k=5 by 6 of 8 methods" in text) == ("cluster.k" in settings)


def test_only_metrics_comparable_across_k_choose_k() -> None:
    rows, other = jobs(**{"cluster.k": [5, 20]}), jobs(**{"reducer.n_components": [5, 20]})
    over_k = best_configs(rows, ["cluster.k"], ["ari", "nmi"], "ari")
    assert verdict(over_k, ["cluster.k"]).startswith("k=5 by ari. nmi ")
    bests = best_configs(other, ["reducer.n_components"], ["ari", "nmi"], "ari")
    assert verdict(bests, ["reducer.n_components"]) == "n_components=5 by ari; n_components=20 by nmi"
    assert verdict(best_configs(rows[:1], ["cluster.k"], ["ari"], "ari"), ["cluster.k"]) == "", "there is one"


@pytest.fixture(scope="module")
def desktop(written: Path, chromium: Any) -> Iterator[Any]:
    """Open the report once: plotly takes more than a second to load."""
    tab = Tab(chromium, written)
    yield tab.page
    tab.close()


@pytest.fixture(scope="module")
def phone(written: Path, chromium: Any) -> Iterator[Any]:
    tab = Tab(chromium, written, viewport=PHONE)
    yield tab.page
    tab.close()


@pytest.mark.browser
def test_the_best_configuration_is_shown_first(desktop: Any) -> None:
    (row,) = desktop.locator("#best tbody tr").all()
    contents = row.locator("th, td").all_inner_texts()
    assert contents[0].startswith("ari")
    assert "objective" in contents[0]
    assert contents[1:5] == ["k=10", "0.9", "k=50: 0.4", "0"]
    assert desktop.locator("#best thead th").all_inner_texts()[-2:] == ["chance", ""]


@pytest.mark.browser
def test_a_run_id_is_shortened_and_selected_completely(desktop: Any) -> None:
    cell = desktop.locator("#runs tr", has=desktop.locator("td:first-child", has_text="10")).locator(".id")
    assert cell.bounding_box()["width"] < 90
    cell.click()
    assert desktop.evaluate("String(getSelection())") == "a" * 32
    assert str(cell.get_attribute("title")).startswith("a" * 32)


@pytest.mark.browser
def test_the_report_compares_runs(desktop: Any) -> None:
    links = [str(link.get_attribute("href")) for link in desktop.locator("nav a").all()]
    assert links == ["#best", "#over", "#label_free", "#runs", "#compared", "#run", "#tables"]
    assert numbers(desktop.locator("header p").inner_text()) == ["3", "2"]
    assert desktop.locator("#best .warnings li").all_inner_texts() == ["100 of <300>"]
    assert desktop.locator("#label_free td").all_inner_texts() == ["10", "0.25"]
    assert desktop.locator("#runs .warnings li").all_inner_texts() == [
        "k=233: cluster.k=233 exceeds <200> samples"
    ]
    heads = desktop.locator("#runs th").all_inner_texts()
    assert heads == ["cluster.k", "ari", "status", "seconds", "run_id"]
    desktop.locator("#runs th button", has_text="ari").click()
    for expected in (["50", "10", "233"], ["10", "50", "233"]):  # missing values stay last
        assert desktop.locator("#runs tbody tr td:first-child").all_inner_texts() == expected
        desktop.locator("#runs th button", has_text="ari").click()
    assert desktop.locator(".plot").count() == 3  # without the grid of one column
    for plot in desktop.locator(".plot").all():
        plot.scroll_into_view_if_needed()
        plot.locator(".main-svg").first.wait_for()
    with desktop.expect_download() as download:
        desktop.locator('.save[data-table="sweep"]').click()
    assert len(pd.read_csv(download.value.path())) == 3


@pytest.mark.browser
def test_the_best_fits_on_a_phone(phone: Any) -> None:
    table = phone.locator("#best table")
    assert table.bounding_box()["width"] <= PHONE["width"]
    assert "next best" in table.locator("td[data-head='next best']").evaluate(
        "cell => getComputedStyle(cell, '::before').content"
    )


SEEDS = pd.DataFrame(
    {
        "cluster.k": [10], "protocol": ["held_out"], "metric": ["ari"], "n": [3], "mean": [0.5],
        "std": [0.01], "low": [0.4], "high": [0.6],
    }
)  # fmt: skip


def test_means_over_seeds_are_above_the_runs(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {"protocol": ["held_out"], "ari": [0.5], "status": ["FINISHED"], "seconds": [1.0], "run_id": ["a"]}
    )
    values: dict[str, Any] = {"objective": "ari", "figures": {}, "tables": {"seeds": SEEDS}, "errors": {}}
    path = report.write_sweep_report(
        tmp_path, report.SweepContents(rows, ["ari"], swept=[], name="sweep", run_id="a", **values)
    )
    text = path.read_text(encoding="utf-8")
    assert "<td>0.5 ± 0.1</td>" in text
    assert escape(MEANS[1:]) in text
    assert text.index('id="best"') < text.index('id="seeds"') < text.index('id="runs"')


def test_series_fine_is_renamed_without_categories() -> None:
    classes_only = Lines(
        "Purity (fine)", "k", "", [1.0], {"fine": [0.5]}, low={"fine": [0.4]}, high={"fine": [0.6]}
    )
    with_categories = replace(classes_only, series={"5": [0.6], "fine": [0.5]})
    selected = select_figures({"purity_over_k": classes_only, "purity_over_k_published": with_categories})
    renamed = selected["purity_over_k"]
    assert renamed == replace(
        classes_only,
        title="Purity",
        series={"classes": [0.5]},
        low={"classes": [0.4]},
        high={"classes": [0.6]},
    )
    assert selected["purity_over_k_published"] == with_categories


@pytest.mark.browser
def test_a_phone_has_the_legend_below_the_plot(phone: Any) -> None:
    plot = phone.locator('[data-plot="sweep_cluster.k"]')
    plot.scroll_into_view_if_needed()
    legend = plot.locator(".legend").bounding_box()
    assert legend is not None
    assert legend["y"] > plot.locator(".xtick").first.bounding_box()["y"]
    assert legend["x"] + legend["width"] <= PHONE["width"]
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
