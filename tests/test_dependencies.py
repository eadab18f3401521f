"""pyproject.toml declares what the code imports; libraries used through private parts have an upper bound."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tests.project import REPOSITORY

OURS = ("experiments", "scripts")
UNIMPORTED = {"hydra-joblib-launcher", "plotly"}  # Hydra's -m hydra/launcher=joblib; a script that pages show
PRIVATE = {  # libraries whose private parts are used, and the only modules that use them
    "fast-hdbscan": ("fast_hdbscan", {"cluster/density/fast_hdbscan.py"}),
    "hydra-core": ("hydra._internal", {"config/command_line.py"}),
    "numba": ("numba.misc", {"numerics/compiled.py"}),
    "open-clip-torch": ("open_clip", {"backbone/pretrained/open_clip.py"}),
    "umap-learn": (r"umap\.\w+", {"numerics/umap_layout.py"}),
}


@cache
def imported() -> dict[Path, set[str]]:
    """Return the modules that each file of the project imports."""
    folders = [REPOSITORY / "src", REPOSITORY / "scripts"]
    paths = [path for folder in folders for path in folder.rglob("*.py")] + [REPOSITORY / "run.py"]
    ours = [path for path in paths if path.parent.name != "make"]  # those are run with the extra `dev`
    return {path: set(_modules(ast.parse(path.read_text(encoding="utf-8")))) for path in ours}


def _modules(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def declared() -> dict[str, Requirement]:
    """Return the requirements of this platform, by normalised name."""
    lines = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "dependencies"
    ]
    requirements = [Requirement(line) for line in lines]
    return {
        _normal(requirement.name): requirement
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate()
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_imports_and_declared_dependencies_agree() -> None:
    names = {module.partition(".")[0] for modules in imported().values() for module in modules}
    known = packages_distributions()
    sources = {
        name: {_normal(package) for package in known[name]}
        for name in names - {*sys.stdlib_module_names, *OURS}
    }
    assert [name for name, packages in sources.items() if not packages & set(declared())] == []
    assert set(declared()) - set().union(*sources.values()) == UNIMPORTED


@pytest.mark.parametrize("name", PRIVATE)
def test_private_parts_are_used_in_one_module_and_have_an_upper_bound(name: str) -> None:
    private, expected = PRIVATE[name]
    users = {
        path.relative_to(REPOSITORY / "src" / "experiments").as_posix()
        for path, modules in imported().items()
        if path.is_relative_to(REPOSITORY / "src")
        and any(re.match(rf"{private}(\.|$)", module) for module in modules)
    }
    assert users == expected
    assert any(specifier.operator in ("<", "<=", "==") for specifier in declared()[name].specifier)
