"""The source of stages from outside the package is part of their keys."""

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.cluster.sklearn_kmeans import SklearnKMeans
from experiments.store.keys import cache_key
from experiments.store.sources import source, sources
from experiments.store.values import to_json_values

HALVES = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Halves:
    k: int

    def fit(self, reduced, ctx):
        return reduced[:, 0] > {edge}
"""


@pytest.fixture
def halves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that writes a module with a stage, imports it anew, and makes the stage."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two edits within a second

    def write(edge: int) -> Any:
        (tmp_path / "halves_of_tests.py").write_text(HALVES.format(edge=edge), encoding="utf-8")
        sys.modules.pop("halves_of_tests", None)
        importlib.invalidate_caches()
        return importlib.import_module("halves_of_tests").Halves(2)

    yield write
    sys.modules.pop("halves_of_tests", None)


def test_an_edited_stage_has_another_key(halves: Any) -> None:
    keys = [cache_key("cluster", stage=halves(edge)) for edge in (0, 1, 0)]
    assert keys[0] == keys[2] != keys[1]
    assert keys[0] != cache_key("cluster", stages={"chosen": halves(0)})
    assert sources({"chosen": [halves(1)], "k": 2}) == {"halves_of_tests.Halves": HALVES.format(edge=1)}


def test_our_own_stages_have_a_version_instead() -> None:
    ours = SklearnKMeans(3, 1, 100, 1e-4, 0)
    assert "source" not in to_json_values(ours)
    assert sources(ours) == {}


def test_a_class_of_a_notebook_is_known_by_its_methods() -> None:
    methods = type("Typed", (), {"__module__": "__main__", "fit": halves_fit, "plain": 3})
    assert source(methods) == "def halves_fit(self: Any) -> int:\n    return 2\n"
    assert source(type("Typed", (), {"__module__": "__main__"})) == ""


def halves_fit(self: Any) -> int:
    return 2
