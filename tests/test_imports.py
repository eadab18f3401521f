"""Structural rules that import-linter (`make check`) cannot check: options, parts, imports in functions."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.project import REPOSITORY

PACKAGE = REPOSITORY / "src" / "experiments"
STAGES = ("dataset", "backbone", "reducer", "cluster", "evaluator")
HEAVY = {
    "faiss",
    "matplotlib",
    "mlflow",
    "openTSNE",
    "open_clip",
    "pandas",
    "plotly",
    "pytorch_lightning",
    "scipy",
    "sklearn",
    "timm",
    "torch",
    "torchvision",
    "umap",
}
TORCH = ("backbone/convnet", "backbone/inference", "backbone/pretrained")  # only imported inside functions


def imported(path: Path, *, top: bool = False) -> set[str]:
    """Return the names that a module imports; with `top` only those outside its functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in tree.body if top else ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("stage", STAGES)
def test_a_stages_folder_has_options_as_files_and_parts_as_folders(stage: str) -> None:
    configs = [
        yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in (REPOSITORY / "conf" / stage).glob("*.yaml")
    ]
    targets = {config["_target_"].rpartition(".")[0] for config in configs if "_target_" in config}
    modules = {path.stem for path in (PACKAGE / stage).glob("*.py")} - {"__init__"}
    assert targets == {f"experiments.{stage}.{module}" for module in modules}


@pytest.mark.parametrize("stage", STAGES)
def test_parts_of_a_stage_import_no_option(stage: str) -> None:
    options = {f"experiments.{stage}.{path.stem}" for path in (PACKAGE / stage).glob("*.py")}
    for path in (PACKAGE / stage).glob("*/*.py"):
        names = imported(path)
        assert not (names | {name.rpartition(".")[0] for name in names}) & options, path


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    for path in PACKAGE.rglob("*.py"):
        if not path.relative_to(PACKAGE).as_posix().startswith(TORCH):
            assert not {name.split(".")[0] for name in imported(path, top=True)} & HEAVY, path


def test_building_the_default_run_imports_no_framework() -> None:
    code = (
        "import sys; from experiments import launch, sweep; from experiments.config.build import build; "
        "from experiments.config.compose import compose_config; build(compose_config([]));"
        f"print(sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.strip() == "[]"
