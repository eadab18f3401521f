"""The layout in docs/architecture.md is that of src/experiments."""

import re

from tests.docs.documents import ROOT, texts

PACKAGE = ROOT / "src" / "experiments"
LAYOUT = texts()["docs/architecture.md"].partition("## Layout")[2].partition("```\n")[2].partition("```")[0]
LINES = dict(re.findall(r"^  ([\w.]+/?) +(.+)$", LAYOUT, re.MULTILINE))


def test_every_module_and_package_is_named() -> None:
    names = {f"{path.name}/" if path.is_dir() else path.name for path in PACKAGE.iterdir()}
    assert set(LINES) == {name for name in names if re.fullmatch(r"\w+(/|\.py)", name)} - {"__pycache__/"}


def test_every_part_of_a_stage_is_named() -> None:
    for name, about in LINES.items():
        if re.search("options of|parts:", about):
            parts = re.findall(r"(\w+)/(?!\w)", about.partition("parts:")[2])
            folders = [path.parent.name for path in (PACKAGE / name).glob("*/__init__.py")]
            assert sorted(parts) == sorted(folders), name


def test_layers_are_those_that_are_checked() -> None:
    layers = (
        (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("layers = [")[2].partition("]")[0]
    )
    text = texts()["docs/architecture.md"].partition("Imports run down")[2].partition("A stage imports")[0]
    names = [name for name in re.findall(r"\w+", layers) if name not in ("metric_names", "messages")]
    assert set(names) - {"dataset", "backbone", "reducer", "cluster", "evaluator"} <= set(
        re.findall(r"`(\w+)`", text)
    )
