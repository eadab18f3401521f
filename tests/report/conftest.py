"""A small run, the contents of its report, and the report in a browser."""

from collections.abc import Callable, Iterator
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


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Tab]]:
    tabs: list[Tab] = []

    def make(contents: Contents, **settings: Any) -> Tab:
        file = tmp_path / "report.html"
        file.write_text(report.report_page(contents), encoding="utf-8")
        tabs.append(Tab(chromium, file, **settings))
        return tabs[-1]

    yield make
    for tab in tabs:
        tab.close()
