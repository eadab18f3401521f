"""Typical folders in whole runs: without labels, with damaged files, packed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.messages import says

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.dataset.images.opening import ORIENTATION
from experiments.samples import SPLITS, Resize
from experiments.store.cache import Store
from experiments.types import Stages

N = 300
PIXELS = ["dataset.image_size=16", "backbone=pixels", "reducer.n_components=4", "cluster.k=3"]
COLOURS = {"blue": (40, 60, 200), "green": (40, 180, 60), "red": (200, 50, 40)}


def stages(root: Path, *overrides: str) -> Stages:
    chosen = ["dataset=image_folder", f"dataset.root={root}", *overrides]
    return build(compose.compose_config(chosen)).stages


@pytest.fixture
def flat(tmp_path, draw):
    """40 images without labels."""
    for seed in range(40):
        draw(tmp_path / "flat" / f"{seed:02}.png", seed, (16, 16))
    return tmp_path / "flat"


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """300 files of three classes, some of them spoilt or unusual, a text, and a class of one image."""
    root = tmp_path_factory.mktemp("real") / "shapes"
    rng = np.random.default_rng(0)
    for number in range(N - 7):
        name = sorted(COLOURS)[number % 3]
        (root / name).mkdir(parents=True, exist_ok=True)
        noise = rng.integers(-30, 30, (16, 16, 3))
        image = Image.fromarray(np.clip(COLOURS[name] + noise, 0, 255).astype(np.uint8))
        image.save(root / name / f"{number:03}.{('jpg', 'png')[number % 2]}")
    whole = (root / "red" / "002.jpg").read_bytes()
    (root / "red" / "truncated.jpg").write_bytes(whole[:-40])
    (root / "red" / "empty.jpg").write_bytes(b"")
    (root / "red" / "notes.txt").write_text("no image", encoding="utf-8")
    Image.new("CMYK", (16, 16), (0, 255, 255, 0)).save(root / "red" / "cmyk.jpg", quality=95)
    Image.fromarray(np.full((16, 16), 25700, np.uint16)).save(root / "blue" / "deep.png")
    lying = np.zeros((16, 16, 3), np.uint8)
    lying[:8] = 255  # bright top as stored; upright, bright right side
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(lying).save(root / "green" / "rotated.png", exif=exif)
    (root / "lonely").mkdir()
    Image.new("RGB", (16, 16), (250, 240, 10)).save(root / "lonely" / "1.png")
    return root


def test_a_flat_folder_without_labels_is_clustered(flat, ctx):
    result = pipeline.run(stages(flat, *PIXELS, "evaluator=[internal]"), ctx)
    assert result.samples.labels is None
    assert result.samples.class_names == ()
    assert result.clustering.assignments.shape == (40,)
    assert set(result.clustering.assignments) == {0, 1, 2}
    assert np.isfinite(result.metrics["silhouette"])


def test_the_error_of_the_cnn_suggests_a_backbone_without_labels(flat, ctx):
    chosen = stages(flat, "dataset.image_size=16", "evaluator=[internal]")
    with pytest.raises(ValueError) as error:
        pipeline.run(chosen, ctx)
    assert "flat" in says(error, key="backbone=cnn", use="backbone=efficientnet_lite0 evaluator=[internal]")
    assert not any(key.startswith("pixels-") for key in ctx.store.computed)


def test_external_figures_say_what_works_without_labels(flat, ctx):
    with pytest.raises(ValueError) as error:
        pipeline.run(stages(flat, *PIXELS, "evaluator=[external]"), ctx)
    assert "flat" in says(error, key="evaluator=external", use="evaluator=[internal]")


def test_without_labels_the_label_free_parts_run_and_the_others_say_why_not(flat, ctx):
    everything = "data_report,variance,probe,macro,external,internal,macro_purity"
    result = pipeline.run(stages(flat, *PIXELS, f"evaluator=[{everything}]"), ctx)
    assert list(result.findings) == ["data_report", "variance", "internal"]
    assert set(result.skipped_evaluators) == {"probe", "macro", "macro_purity"}, "external is optional"
    for name, reason in result.skipped_evaluators.items():
        assert "labels" in says(reason, use="flat"), name


def test_a_folder_with_spoilt_and_unusual_images_runs_to_its_end(shapes, ctx):
    result = pipeline.run(stages(shapes, *PIXELS), ctx)
    samples = result.samples
    assert len([path for path in shapes.rglob("*") if path.is_file()]) == N
    assert len(samples) == N - 3
    assert samples.class_names == ("blue", "green", "lonely", "red")
    assert {path: reason.partition(" (")[0] for path, reason in samples.skipped} == {
        "red/empty.jpg": "empty file",
        "red/notes.txt": "not an image",
        "red/truncated.jpg": "cannot be decoded: image file is truncated",
    }
    assert SPLITS[samples.split[list(samples.ids).index("lonely/1.png")]] == "training"
    assert result.metrics["nmi"] > 0.8  # colours differ
    assert result.clustering.assignments.shape == (N - 3,)


def test_unusual_images_have_the_pixels_that_they_should_have(shapes, ctx):
    samples = stages(shapes, *PIXELS).dataset.load(ctx)
    pixels = dict(zip(samples.ids, samples.content.pixels(Resize(16), ctx), strict=True))
    np.testing.assert_allclose(pixels["red/cmyk.jpg"], np.broadcast_to((255, 0, 0), (16, 16, 3)), atol=3)
    np.testing.assert_array_equal(pixels["blue/deep.png"], 100)
    np.testing.assert_array_equal(pixels["green/rotated.png"][:, 8:], 255)
    np.testing.assert_array_equal(pixels["green/rotated.png"][:, :8], 0)


@pytest.mark.parametrize("kind", ["zip", "gztar"])
def test_an_archive_gives_what_its_folder_gives(shapes, ctx, tmp_path, kind):
    folder = stages(shapes, *PIXELS).dataset.load(ctx)
    packed = shutil.make_archive(str(tmp_path / "shapes"), kind, shapes.parent, "shapes")
    assert Path(packed).name == {"zip": "shapes.zip", "gztar": "shapes.tar.gz"}[kind]
    archive = stages(Path(packed), *PIXELS).dataset.load(Context.plain(Store(tmp_path / "other")))
    np.testing.assert_array_equal(archive.ids, folder.ids)
    np.testing.assert_array_equal(archive.labels, folder.labels)
    assert archive.skipped == folder.skipped
    assert (archive.name, archive.content_key, archive.data_key) == (
        folder.name,
        folder.content_key,
        folder.data_key,
    )
