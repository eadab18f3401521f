"""MLflow's own pages in a real browser: the main metrics are visible first."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from experiments import tracking
from experiments.config.plan import Tracking

REPOSITORY = Path(__file__).parents[2]
SECONDS = 180  # for a server to start on a busy machine
pytestmark = [pytest.mark.browser, pytest.mark.service]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tracking.Run]:
    """Record a small run."""
    folder = tmp_path_factory.mktemp("pages")
    tracker = tracking.connect(Tracking(f"sqlite:///{folder}/mlflow.db"), "trials")
    with tracker.run("trial", folder, params={"cluster.k": 4}, tags={"backbone": "pixels"}) as run:
        run.log(metrics={"wall_seconds_cluster": 0.1, "acc": 0.3, "purity": 0.4, "ari": 0.25})
        run.describe(f"4 clusters\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n[Open it]({run.page('x.html')})")
    return folder, run


@pytest.fixture(scope="module")
def server(store: tuple[Path, tracking.Run]) -> Iterator[str]:
    """Serve that store as mlflow/serve.sh does."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = os.environ | {"PORT": str(port), "STORE": str(store[0] / "mlflow.db"), "PYTHON": sys.executable}
    script = ["sh", str(REPOSITORY / "mlflow" / "serve.sh")]
    quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(script, env=env, **quiet)
    try:
        url = f"http://127.0.0.1:{port}"
        for _ in range(10 * SECONDS):
            try:
                requests.get(f"{url}/health", timeout=1).raise_for_status()
                break
            except OSError:
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(SECONDS)


@pytest.fixture(scope="module")
def context(chromium: Any) -> Iterator[Any]:
    """Cache MLflow's scripts between tests; pages start empty, with the assistant closed."""
    context = chromium.new_context(viewport={"width": 1600, "height": 1000})
    context.set_default_timeout(30_000)
    closed = "localStorage.setItem('mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true')"
    context.add_init_script(f"localStorage.clear(); sessionStorage.clear(); {closed}")
    yield context
    context.close()


@pytest.fixture
def page(context: Any) -> Iterator[Any]:
    """Open a tab."""
    page = context.new_page()
    yield page
    page.close()


def test_the_runs_have_the_main_metrics_as_their_first_columns(
    page: Any, server: str, store: tuple[Path, tracking.Run]
) -> None:
    page.goto(f"{server}/{tracking.metrics_page('1')}")
    page.get_by_text("trial", exact=True).first.wait_for()
    cells = page.locator("[role=columnheader]")
    page.locator("[role=columnheader][col-id*=purity]").wait_for()
    x = {cell.inner_text().strip(): cell.bounding_box()["x"] for cell in cells.all() if cell.is_visible()}
    names = sorted(filter(None, x), key=lambda name: x[name])
    shown = [name for name in names if name not in ("Metrics", "Parameters", "Tags")]
    assert shown[:6] == ["Run Name", "Created", "cluster.k", "ari", "purity", "acc"]
    assert page.get_by_text("The main metrics as columns").is_visible()


def test_a_metric_is_seen_on_a_small_screen_with_the_assistant_open(chromium: Any, server: str) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto(f"{server}/{tracking.metrics_page('1')}")
    page.get_by_text("MLflow Assistant").wait_for()
    cell = page.locator("[role=gridcell][col-id*=ari]")
    cell.first.wait_for()
    box, table = cell.first.bounding_box(), page.locator(".ag-root").bounding_box()
    assert box["x"] + box["width"] <= table["x"] + table["width"]
    context.close()


def test_the_charts_begin_with_the_main_metrics(page: Any, server: str) -> None:
    page.goto(f"{server}/{tracking.metrics_page('1')}&compareRunsMode=CHART")
    page.get_by_text("Model metrics", exact=True).wait_for()
    sections = re.findall(r"^(\w+ metrics)\s*\((\d+)\)", page.locator("body").inner_text(), re.MULTILINE)
    assert sections == [("Main metrics", "3"), ("Model metrics", "1")], "the seconds are in the other section"


def test_a_runs_page_begins_with_its_note(page: Any, server: str, store: tuple[Path, tracking.Run]) -> None:
    run = store[1]
    page.goto(f"{server}/{run.page()}")
    page.get_by_text("4 clusters").wait_for()
    assert page.locator("td", has_text="1").count() >= 1, "the Markdown table is rendered"
    link = page.get_by_role("link", name="Open it")
    assert link.get_attribute("href") == run.page("x.html")
