"""The data report of small folders with known content."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.messages import numbers, says

from experiments.context import Context
from experiments.dataset.image_folder import ImageFolder
from experiments.dataset.vectors.content import Vectors
from experiments.evaluator.data_report import DataReport
from experiments.figures import Bars, Histogram, ImageGrid
from experiments.numerics.hashes import hash_rows
from experiments.samples import Samples
from experiments.types import Findings

SPLIT = {"train": 0.8, "validation": 0.2, "test": 0.0}
REPORT = DataReport(sample=5000, grid_classes=5, grid_images=5, seed=0)


def save(path: Path, seed: int, size: tuple[int, int] = (12, 10)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    Image.fromarray(values).save(path)


@pytest.fixture
def load(tmp_path: Path, ctx: Context) -> Callable[..., Samples]:
    def of(root: Path) -> Samples:
        settings = {
            "image_size": 8,
            "mirror": False,
            "limit": None,
            "value_range": None,
            "labels": None,
            "corrections": None,
            "unlabelled": "keep",
            "split_seed": 0,
        }
        return ImageFolder(root=str(root), max_unreadable=1, class_level=1, split=SPLIT, **settings).load(ctx)

    return of


@pytest.fixture
def pets(tmp_path: Path, load: Callable[..., Samples]) -> Samples:
    """Six cats of 12 x 10, of which two are the same file, three dogs of 20 x 40, an ant, a broken file."""
    root = tmp_path / "pets"
    for seed in range(6):
        save(root / "cats" / f"{seed}.png", seed % 5)
    for seed in range(3):
        save(root / "dogs" / f"{seed}.png", 10 + seed, (20, 40))
    save(root / "ants" / "0.png", 20)
    (root / "cats" / "broken.png").write_bytes(b"no image")
    return load(root)


def report_rows(findings: Findings) -> dict[str, str]:
    table = findings.tables["data_report"]
    return dict(zip(table["figure"], table["value"], strict=True))


def test_it_counts_images_classes_duplicates_and_skipped_files(pets: Samples, ctx: Context) -> None:
    findings = REPORT.evaluate(ctx=ctx, samples=pets)
    assert findings.metrics == {
        "data_images": 10,
        "data_duplicates": 1,
        "data_skipped": 1,
        "data_classes": 3,
        "data_mean": 10 / 3,
        "data_min": 1,
        "data_max": 6,
        "data_median": 3,
        "data_std": np.std([6, 3, 1]),
        "data_imbalance": 6,
    }
    assert findings.tables["data_duplicates"].to_dict("list") == {
        "id": ["cats/5.png"],
        "same_as": ["cats/0.png"],
    }
    assert findings.tables["data_classes"]["class"].to_list() == ["cats", "dogs", "ants"]
    assert report_rows(findings)["largest classes"] == "cats (6), dogs (3), ants (1)"
    assert report_rows(findings)["smallest classes"] == "ants (1), dogs (3), cats (6)"
    assert report_rows(findings)["width, smallest / median / largest"] == "12 / 12 / 20"
    assert report_rows(findings)["height, smallest / median / largest"] == "10 / 10 / 40"


def test_it_shows_classes_sizes_and_images(pets: Samples, ctx: Context) -> None:
    figures = REPORT.evaluate(ctx=ctx, samples=pets).figures
    assert set(figures) == {"data_classes", "data_widths", "data_heights", "data_images"}
    bars, widths, grid = figures["data_classes"], figures["data_widths"], figures["data_images"]
    assert isinstance(bars, Bars)
    assert (bars.names, bars.values) == (["cats", "dogs", "ants"], [6, 3, 1])
    assert isinstance(widths, Histogram)
    assert sorted(widths.values) == [12] * 7 + [20] * 3
    assert isinstance(grid, ImageGrid)
    assert grid.captions == ["ants"] + ["cats"] * 5 + ["dogs"] * 3
    ant = np.asarray(Image.open(Path(pets.source) / "ants" / "0.png").resize((10, 10), box=(1, 0, 11, 10)))
    assert np.abs(grid.images[0].astype(int) - ant).max() <= 1


def test_the_seed_chooses_the_images(pets: Samples, ctx: Context) -> None:
    few = replace(REPORT, grid_images=2)
    first, again = (few.evaluate(ctx=ctx, samples=pets).figures["data_images"] for _ in range(2))
    assert first == again
    assert any(
        replace(few, seed=s).evaluate(ctx=ctx, samples=pets).figures["data_images"] != first for s in (1, 2)
    )


def test_the_sizes_of_many_images_are_read_from_a_sample(pets: Samples, ctx: Context) -> None:
    findings = replace(REPORT, sample=4).evaluate(ctx=ctx, samples=pets)
    assert report_rows(findings)["images whose size was read"] == "4"
    assert numbers(findings.figures["data_widths"].title) == ["4", "10"]


def test_images_of_one_size_need_no_histogram(
    tmp_path: Path, load: Callable[..., Samples], ctx: Context
) -> None:
    for seed in range(3):
        save(tmp_path / "flat" / f"{seed}.png", seed)
    findings = REPORT.evaluate(ctx=ctx, samples=load(tmp_path / "flat"))
    assert set(findings.figures) == {"data_images"}
    assert report_rows(findings)["width, smallest / median / largest"] == "12 / 12 / 12"


def test_without_labels_it_says_so(tmp_path: Path, load: Callable[..., Samples], ctx: Context) -> None:
    for seed in range(3):
        save(tmp_path / "flat" / f"{seed}.png", seed)
    findings = REPORT.evaluate(ctx=ctx, samples=load(tmp_path / "flat"))
    assert (
        set(findings.metrics) == {"data_images", "data_duplicates", "data_skipped"} < set(DataReport.METRICS)
    )
    assert report_rows(findings)["classes"].startswith("none")
    grid = findings.figures["data_images"]
    assert isinstance(grid, ImageGrid)
    assert grid.captions == ["0.png", "1.png", "2.png"]


def test_vectors_have_no_image_sizes(ctx: Context) -> None:
    values = np.array([[0, 1], [2, 3], [0, 1]], np.float32)
    content = Vectors(values, hash_rows(values))
    ids, labels = np.array(["0", "1", "2"]), np.array([0, 0, 1])
    findings = REPORT.evaluate(
        ctx=ctx, samples=Samples("toy", "a formula", ids, content, labels, ("a", "b"), np.zeros(3, np.int8))
    )
    assert findings.metrics["data_duplicates"] == 1
    assert findings.metrics["data_imbalance"] == 2
    assert set(findings.figures) == {"data_classes"}
    assert report_rows(findings)["width and height"].startswith("none")


def test_findings_are_the_same_after_saving_and_loading(pets: Samples, ctx: Context, tmp_path: Path) -> None:
    findings = REPORT.evaluate(ctx=ctx, samples=pets)
    (tmp_path / "saved").mkdir()
    findings.save(tmp_path / "saved")
    again = Findings.load(tmp_path / "saved")
    assert again.figures == findings.figures
    assert again.metrics == findings.metrics


@pytest.mark.parametrize("name", ["sample", "grid_classes", "grid_images"])
def test_a_sample_of_zero_is_refused(name: str) -> None:
    with pytest.raises(ValueError) as error:
        replace(REPORT, **{name: 0})
    says(error, key=f"evaluator.data_report.{name}=0", use="1 or more")


def test_few_images_have_no_progress_bar(
    pets: Samples, ctx: Context, caplog: pytest.LogCaptureFixture
) -> None:
    class FailingReport:
        def progress(self, *words: object) -> None:
            raise AssertionError("a progress bar")

    with caplog.at_level(logging.WARNING):
        REPORT.evaluate(ctx=replace(ctx, report=FailingReport()), samples=pets)  # type: ignore[arg-type]
    assert not caplog.records
