"""Digests of a run for its verification: they change with every output, and are quick."""

import subprocess
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from tests.figures.conftest import KIND_NAMES, make
from tests.running import composed

from experiments import pipeline
from experiments.cluster.kmeans.centroids import CentroidClustering
from experiments.config.build import build
from experiments.context import Context, Silent
from experiments.figures import Heatmap, Lines
from experiments.job import context
from experiments.job.trace import STEPS, Trace, clustering_digest, run_circumstances, shown_digests, trace
from experiments.store.values import digest
from experiments.types import Findings

pytestmark = pytest.mark.slow

SMALL = ["backbone=pixels", "reducer.n_components=5", "dataset.limit=100", "cluster.k=4", "threads=2"]
SMALL += ["evaluator=[external,internal,variance]"]


@dataclass(frozen=True)
class Weighted:
    """A stand-in for a pretrained backbone with `origin`."""

    DERIVED: ClassVar[tuple[str, ...]] = ("origin",)
    content: str = field(compare=False)

    @property
    def origin(self) -> list[str]:
        return ["sha256", self.content]


def traced(root: Path, *overrides: str) -> tuple[Trace, pipeline.Result, Context]:
    plan = build(composed([*SMALL, f"cache.root={root}/cache", *overrides]))
    ctx = context.make(plan, Silent())
    result = pipeline.run(plan.stages, ctx)
    return trace(result, plan, ctx), result, ctx


def test_a_run_is_traced_whole_and_a_kept_one_alike(tmp_path: Path) -> None:
    first, result, ctx = traced(tmp_path)
    assert tuple(first.steps) == STEPS
    assert all(first.steps.values())
    assert first.steps["samples"] == result.samples.data_key
    assert first.steps["embedding"] == digest(np.array(result.embeddings))
    assert first.steps["projection"] == digest(np.array(result.reduced))
    assert first.metrics == {name: facts.metrics for name, facts in result.findings.items()}
    facts = result.findings["variance"]
    names = {*(f"table {name}" for name in facts.tables), *(f"figure {name}" for name in facts.figures)}
    assert set(first.shown["variance"]) == names
    assert facts.figures
    again, _, other = traced(tmp_path)
    assert not other.store.computed
    assert again == first
    uncached, _, _ = traced(tmp_path, "cache.enabled=false")
    assert uncached == first
    assert not ctx.store.digest("nothing-0")


def test_a_step_that_another_run_computed_says_how(tmp_path: Path) -> None:
    traced(tmp_path, "threads=1")
    kept, _, _ = traced(tmp_path, "cluster.k=5")
    assert kept.reused == {
        step: {"threads": "1"} for step in ("pixels", "encoder", "embedding", "projection")
    }
    assert kept.circumstances["threads"] == "2"


def test_vectors_have_no_pixels(tmp_path: Path) -> None:
    words = ["dataset=synthetic_vectors", "dataset.n=90", "dataset.classes=3", "dataset.limit=null"]
    facts, _, _ = traced(tmp_path, *words, "backbone=identity")
    assert facts.steps["pixels"] == ""


def test_the_circumstances_tell_code_versions_machine_and_stages() -> None:
    plan = build(composed(["threads=2"]))
    ctx = context.make(plan, Silent())
    facts = run_circumstances(plan, ctx)
    wanted = {"git.commit", "git.dirty", "code", "python", "system", "processor", "device", "precision"}
    wanted |= {"version.numpy", "version.pillow", "cluster.VERSION", "evaluator.external.VERSION"}
    assert wanted <= set(facts)
    assert facts["threads"] == "2"


def test_other_weights_are_other_circumstances() -> None:
    def origin(content: str) -> str:
        plan = build(composed(SMALL))
        stages = replace(plan.stages, backbone=Weighted(content))
        return run_circumstances(replace(plan, stages=stages), context.make(plan, Silent()))[
            "backbone.origin"
        ]

    assert origin("a") == origin("a") != origin("b")


@pytest.mark.parametrize("part", ["assignments", "probabilities", "centroids", "inertia"])
def test_each_part_of_a_clustering_changes_its_digest(part: str) -> None:
    clustering = CentroidClustering(np.array([0, 1]), None, np.ones((2, 3), np.float32), 1.0)
    values = {"assignments": np.array([1, 0]), "centroids": np.zeros((2, 3), np.float32), "inertia": 2.0}
    values["probabilities"] = np.array([0.5, 1], np.float32)
    assert clustering_digest(clustering) == clustering_digest(replace(clustering))
    assert clustering_digest(clustering) != clustering_digest(replace(clustering, **{part: values[part]}))


def test_each_part_of_a_table_changes_its_digest() -> None:
    def named(table: pd.DataFrame) -> str:
        return shown_digests(Findings({}, {"t": table}))["table t"]

    table = pd.DataFrame({"a": [1.0, np.nan], "b": ["x", None], "c": [[1], [2]], "d": [True, False]})
    known = named(table)
    assert named(table.copy()) == known
    others = [
        table.rename(columns={"a": "z"}),
        table.iloc[::-1],
        table.assign(a=[1.0, 2.0]),
        table.assign(b=["x", "y"]),
        table.assign(c=[[1], [3]]),
        table.assign(d=[True, True]),
        table[["a", "b", "c"]],
    ]
    facts = {named(other) for other in others}
    assert len(facts | {known}) == len(others) + 1


def test_each_part_of_a_figure_changes_its_digest() -> None:
    def named(**changed: object) -> str:
        values = {"title": "t", "rows": ["a", "b"], "columns": ["c", "d"], "values": np.eye(2)}
        figure = Heatmap(**(values | {"value_label": "v"} | changed))
        return shown_digests(Findings({}, {}, {"p": figure}))["figure p"]

    facts = [named(), named(title="u"), named(rows=["a", "e"]), named(values=np.eye(2, dtype=np.float32))]
    assert len({*facts, named(values=np.ones((2, 2)))}) == 5
    lines = Lines("t", "x", "y", [1.0], {"a": [2.0]})
    assert named() == named()
    figures = {"one": lines, "two": replace(lines, dashed=["a"])}
    assert len(set(shown_digests(Findings({}, {}, figures)).values())) == 2


def test_a_kept_run_is_traced_without_a_framework(tmp_path: Path) -> None:
    traced(tmp_path)
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[2])\n"
        "from tests.job.test_trace import traced\n"
        "before = set(sys.modules)\n"
        "found, _, ctx = traced(Path(sys.argv[1]))\n"
        "print(ctx.store.computed, sorted({'torch', 'faiss', 'mlflow'} & set(sys.modules)))\n"
    )
    words = [sys.executable, "-c", code, str(tmp_path), str(Path(__file__).parents[2])]
    done = subprocess.run(words, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.stdout.strip() == "[] []", done.stderr


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_every_kind_of_figure_is_named_by_what_it_is_drawn_from(kind: str) -> None:
    def named(n: int) -> str:
        return shown_digests(Findings({}, {}, {"p": make(kind, n)}))["figure p"]

    assert named(10) == named(10)
    assert (named(10) == named(9)) == (make(kind, 10) == make(kind, 9))
