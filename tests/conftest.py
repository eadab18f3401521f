"""Fixtures: a store in a temporary folder, a context that uses it, and whole projects."""

import json
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from filelock import FileLock
from tests import composing, warm
from tests.browser import chromium, started_chromium  # noqa: F401
from tests.project import REPOSITORY, SWEEP, Project
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from experiments import tracking
from experiments.config.plan import Tracking
from experiments.context import Context
from experiments.store.cache import Store

GROUPS = {  # patterns of the source of test files
    "project": r"\bproject(_copy)?: Project\b",
    "browser": r"\bmark\.browser\b",
    "umap": r"\bmark\.umap\b",
}
SLOW = 300  # seconds of a test that starts programs or a browser, or trains; pyproject has the others'


@cache
def group(path: str) -> str:
    """Return the name of the files that one worker runs, as they share something costly, or the path."""
    text = (REPOSITORY / path).read_text(encoding="utf-8")
    return next((name for name, pattern in GROUPS.items() if re.search(pattern, text)), path)


def pytest_sessionstart() -> None:
    """Let Ctrl-C raise KeyboardInterrupt also where a shell script started the tests with `&`."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


class ByGroup(LoadScopeScheduling):
    """Schedule whole files and groups; the groups of xdist 3.8 have no effect with pytest 9.2."""

    def _split_scope(self, nodeid: str) -> str:
        return group(nodeid.partition("::")[0])


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByGroup:
    return ByGroup(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put groups and files that start processes first; give more time to tests that start something.

    Other tests have little, so that a hang shows soon.
    """
    starting = {item.path for item in items if item.get_closest_marker("process")}
    order = list(GROUPS)
    for item in items:
        started = {"project", "project_copy", "chromium"} & set(getattr(item, "fixturenames", ()))
        if started or any(item.get_closest_marker(name) for name in ("process", "service")):
            item.add_marker(pytest.mark.timeout(SLOW), append=True)  # a mark of the test's own comes first

    def rank(item: pytest.Item) -> int:
        name = group(item.nodeid.partition("::")[0])
        return order.index(name) if name in order else len(order) + (item.path not in starting)

    items.sort(key=rank)


@pytest.fixture(scope="session", autouse=True)
def compositions_cached() -> Iterator[None]:
    with composing.cached():
        yield


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Return a folder that all workers of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session", autouse=True)
def warm_processes(shared_folder: Path) -> None:
    """Return the server of warm processes for all workers; it starts when a test needs it."""
    warm.serve_in(shared_folder)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


@pytest.fixture
def ctx(store: Store) -> Context:
    return Context.plain(store)


@pytest.fixture(scope="session")
def project(shared_folder: Path) -> Project:
    """Make a project in which README.md's sweep was run, once for all workers: one CNN is trained.

    No test writes into it; tests that write use `project_copy`.
    """
    made = Project(shared_folder / "project")
    printed = shared_folder / "project.json"
    with FileLock(shared_folder / "first-project.lock"):
        if not printed.exists():
            done = made.run(*SWEEP)
            record = [done.args, done.returncode, done.stdout, done.stderr]
            printed.write_text(json.dumps(record), encoding="utf-8")
    made.first = subprocess.CompletedProcess(*json.loads(printed.read_text(encoding="utf-8")))
    return made


@pytest.fixture(scope="session")
def tables(shared_folder: Path) -> Path:
    """Make an MLflow store without a run, which takes seconds, once for all workers."""
    path = shared_folder / "mlflow.db"
    with FileLock(shared_folder / "first-tables.lock"):
        if not path.exists():
            tracking.connect(Tracking(f"sqlite:///{path}"), "empty")
    return path


@pytest.fixture(scope="session")
def uri(tables: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the store that many tests share, as opening one takes as long as a small run."""
    return f"sqlite:///{shutil.copy(tables, tmp_path_factory.mktemp('mlflow'))}"


@pytest.fixture
def fresh(tables: Path, tmp_path: Path) -> Project:
    """Make a project without runs."""
    made = Project(tmp_path / "fresh")
    (made.root / "mlflow").mkdir()
    shutil.copy(tables, made.root / "mlflow")
    return made


@pytest.fixture
def project_copy(fresh: Project, project: Project) -> Project:
    """Make a fresh project with a copy of the trained store."""
    shutil.copytree(project.root / "cache", fresh.root / "cache")
    return fresh
