"""What a notebook shows of a result and of the values in it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.running import run_typed

from experiments.report.notebook import NotebookResult

LEAN = ["reducer=identity", "cluster.k=3", "report=none", "figures=none", "tracking.log_model=none"]
Made = Callable[..., NotebookResult]


@pytest.fixture
def made(tables: Path, tmp_path: Path) -> Made:
    """Return a function that runs what is typed."""
    store = shutil.copy(tables, tmp_path / "runs.db")
    places = [f"cache.root={tmp_path}/cache", f"tracking.uri=sqlite:///{store}"]

    def result(*typed: str) -> NotebookResult:
        return NotebookResult.of(run_typed([*typed, *LEAN, *places], tmp_path / "run").result)

    return result


def images(markup: str) -> list[str]:
    return re.findall(r'<img src="data:image/jpeg;base64,[^"]+" alt="([^"]*)"', markup)


def test_a_result_is_shown_by_its_metrics_and_the_images_of_its_clusters(made: Made) -> None:
    result = made("backbone=pixels", "dataset.limit=60", "dataset.name='<b>scans</b>'")
    markup = result._repr_html_()
    assert "<b>&lt;b&gt;scans&lt;/b&gt;</b>: 60 images, 10 classes, 3 clusters" in markup
    assert f"<td>{result.metrics['ari']:.4g}</td>" in markup
    sizes = np.sort(np.bincount(result.clustering.assignments))[::-1]
    assert re.findall(r"<tr><td>\d+</td><td>(\d+)</td>", markup) == [str(size) for size in sizes]
    labels = images(markup)
    assert [len(names.split(", ")) for names in labels] == [min(size, 12) for size in sizes]
    assert {name for names in labels for name in names.split(", ")} <= set(result.samples.class_names)


def test_vectors_are_shown_by_the_sizes_of_their_clusters(made: Made) -> None:
    markup = made(
        "dataset=synthetic_vectors", "dataset.n=300", "dataset.classes=4", "evaluator=[internal]"
    )._repr_html_()
    assert images(markup) == []
    assert markup.count("width:300.0px") == 1, "the largest cluster's bar"


def test_images_that_were_moved_since_are_left_out(made: Made, tmp_path: Path) -> None:
    for number in range(30):
        place = tmp_path / "photos" / f"{number % 3}"
        place.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (16, 16), (8 * number, 0, 0)).save(place / f"{number}.png")
    result = made("dataset=image_folder", f"dataset.root={tmp_path}/photos", "backbone=pixels")
    shutil.rmtree(tmp_path / "photos")
    assert images(result._repr_html_()) == []


def test_values_are_named_in_a_line(made: Made) -> None:
    result = made("backbone=pixels", "dataset.limit=60")
    assert repr(result).startswith("Result(Samples(digits: 60 images, 10 classes), 3 clusters, ari 0.")
    assert "assignments=<int64 (60,)>" in repr(result.clustering)
    assert "internal_sizes" in repr(result.findings["internal"])
    values = (result, result.samples, result.samples.content, result.encoder, result.projection)
    assert max(len(repr(value)) for value in (*values, *result.findings.values())) < 500
    assert not any("\n" in repr(value) for value in values)
