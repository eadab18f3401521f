"""A small run, the contents of its report, and the report in a browser."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.browser import Tab
from tests.running import run_typed

from experiments import report
from experiments.context import Context
from experiments.pipeline import Result
from experiments.report import Contents
from experiments.store.cache import Store

QUICK = [
    "dataset.limit=200", "backbone=pixels", "reducer=identity", "cluster.k=6", "figures=none",
    "tracking.log_model=none", "evaluator=[external,internal]",
]  # fmt: skip


@pytest.fixture(scope="session")
def ran(uri: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """Run a small experiment; return its result and its folder."""
    folder = tmp_path_factory.mktemp("report")
    overrides = [*QUICK, f"tracking.uri={uri}", f"cache.root={folder}/cache"]
    return run_typed(overrides, folder / "run").result, folder / "run"


@pytest.fixture(scope="session")
def contents(ran: tuple[Result, Path], tmp_path_factory: pytest.TempPathFactory) -> Contents:
    result, folder = ran
    ctx = Context.plain(Store(tmp_path_factory.mktemp("kept")))
    return report.gather_contents(result, folder, ctx, {"run": "0123abcd"})


def omit_charts(contents: Contents) -> Contents:
    """Return contents without charts, as plotly takes a browser more than a second to load."""
    return replace(contents, figures={}, notes={})


@pytest.fixture(scope="session")
def without_charts(contents: Contents) -> Contents:
    return omit_charts(contents)


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Contents], Path]:
    """Return a function that writes a report, once for each contents."""
    written: list[tuple[Contents, Path]] = []

    def write(contents: Contents) -> Path:
        for known, file in written:
            if known is contents:
                return file
        file = tmp_path_factory.mktemp("page") / "report.html"
        file.write_text(report.report_page(contents), encoding="utf-8")
        written.append((contents, file))
        return file

    return write


@pytest.fixture
def opened(chromium: Any, page_file: Callable[[Contents], Path]) -> Iterator[Callable[..., Tab]]:
    tabs: list[Tab] = []

    def make(contents: Contents, **settings: Any) -> Tab:
        tabs.append(Tab(chromium, page_file(contents), **settings))
        return tabs[-1]

    yield make
    for tab in tabs:
        tab.close()
