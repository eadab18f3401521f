"""What several tests share: a store in a temporary folder, a context that uses it, and whole projects."""

import shutil
from pathlib import Path

import pytest
from tests.browser import chromium  # noqa: F401
from tests.project import SHORT, Project

from experiments import tracking
from experiments.config.plan import Tracking
from experiments.context import Context
from experiments.store.cache import Store

SLOW = 300  # seconds of a test that starts programs or a browser, or trains; pyproject has the others'


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give slow tests more time, so that a hang of any other names itself soon."""
    for item in items:
        started = {"project", "beside", "chromium"} & set(getattr(item, "fixturenames", ()))
        if started or item.get_closest_marker("process"):
            item.add_marker(pytest.mark.timeout(SLOW), append=True)  # a mark of the test's own comes first


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "cache")


@pytest.fixture
def ctx(store: Store) -> Context:
    return Context.plain(store)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Make a project in which a sweep over k was run: one CNN is trained."""
    made = Project(tmp_path_factory.mktemp("project"))
    made.first = made.run("-m", *SHORT, "cluster.k=10,20")
    return made


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an MLflow store without a run, which takes seconds."""
    path = tmp_path_factory.mktemp("tables") / "mlflow.db"
    tracking.connect(Tracking(f"sqlite:///{path}"), "empty")
    return path


@pytest.fixture
def fresh(tables: Path, tmp_path: Path) -> Project:
    """Make a project in which nothing was run."""
    made = Project(tmp_path / "fresh")
    (made.root / "mlflow").mkdir()
    shutil.copy(tables, made.root / "mlflow")
    return made


@pytest.fixture
def beside(fresh: Project, project: Project) -> Project:
    """Make a fresh project with a copy of the trained store."""
    shutil.copytree(project.root / "cache", fresh.root / "cache")
    return fresh
