"""A result in a notebook, and the reprs of its values."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.running import run_typed

from experiments.report.notebook import NotebookResult

pytestmark = pytest.mark.slow

LEAN = ["reducer=identity", "cluster.k=3", "report=none", "figures=none", "tracking.log_model=none"]
Run = Callable[..., NotebookResult]


@pytest.fixture
def run(tables: Path, tmp_path: Path) -> Run:
    """Return a function that runs overrides."""
    store = shutil.copy(tables, tmp_path / "runs.db")
    locations = [f"cache.root={tmp_path}/cache", f"tracking.uri=sqlite:///{store}"]

    def result(*overrides: str) -> NotebookResult:
        return NotebookResult.of(run_typed([*overrides, *LEAN, *locations], tmp_path / "run").result)

    return result


def images(markup: str) -> list[str]:
    return re.findall(r'<img src="data:image/jpeg;base64,[^"]+" alt="([^"]*)"', markup)


def test_a_result_shows_metrics_and_images_of_clusters(run: Run) -> None:
    result = run("backbone=pixels", "dataset.limit=60", "dataset.name='<b>scans</b>'")
    markup = result._repr_html_()
    assert "<b>&lt;b&gt;scans&lt;/b&gt;</b>: 60 images, 10 classes, 3 clusters" in markup
    assert f"<td>{result.metrics['ari']:.4g}</td>" in markup
    sizes = np.sort(np.bincount(result.clustering.assignments))[::-1]
    assert re.findall(r"<tr><td>\d+</td><td>(\d+)</td>", markup) == [str(size) for size in sizes]
    labels = images(markup)
    assert [len(names.split(", ")) for names in labels] == [min(size, 12) for size in sizes]
    assert {name for names in labels for name in names.split(", ")} <= set(result.samples.class_names)


def test_a_result_of_vectors_shows_cluster_sizes(run: Run) -> None:
    markup = run(
        "dataset=synthetic_vectors", "dataset.n=300", "dataset.classes=4", "evaluator=[internal]"
    )._repr_html_()
    assert images(markup) == []
    assert markup.count("width:300.0px") == 1, "the largest cluster's bar"


def test_moved_images_are_omitted(run: Run, tmp_path: Path) -> None:
    for number in range(30):
        folder = tmp_path / "photos" / f"{number % 3}"
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (8 * number, 0, 0)).save(folder / f"{number}.png")
    result = run("dataset=image_folder", f"dataset.root={tmp_path}/photos", "backbone=pixels")
    shutil.rmtree(tmp_path / "photos")
    assert images(result._repr_html_()) == []


def test_reprs_are_one_short_line(run: Run) -> None:
    result = run("backbone=pixels", "dataset.limit=60")
    assert repr(result).startswith("Result(Samples(digits: 60 images, 10 classes), 3 clusters, ari 0.")
    assert "assignments=<int64 (60,)>" in repr(result.clustering)
    assert "internal_sizes" in repr(result.findings["internal"])
    values = (result, result.samples, result.samples.content, result.encoder, result.projection)
    assert max(len(repr(value)) for value in (*values, *result.findings.values())) < 500
    assert not any("\n" in repr(value) for value in values)
