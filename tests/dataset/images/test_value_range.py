"""One range of values for a whole data set, and for new images of its model."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.dataset.images.writers import bmp_with_alpha
from tests.messages import says

from experiments import pipeline
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context
from experiments.dataset.images.deep import choose_range
from experiments.job.model import Model
from experiments.samples import Resize, ValueRange
from experiments.store.cache import Store

ROWS, COLUMNS = np.mgrid[:32, :32]
WAVES = (np.sin(COLUMNS / 2), np.sin(ROWS / 2), np.sin((COLUMNS + ROWS) / 2))
RUN = [
    "dataset=image_folder", "dataset.image_size=16", "backbone=pixels", "reducer.n_components=5",
    "cluster.k=3", "evaluator=[external]",
]  # fmt: skip


def slightly_above_one(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for number, wave in enumerate(WAVES):
        for image in range(8):
            values = 0.5 + 0.45 * wave + rng.normal(0, 0.02, wave.shape)
            values = ((values - values.min()) / np.ptp(values) * (1.0001 if image % 2 else 1)).astype("f4")
            save(values, folder / "abc"[number] / f"{image}.tif")


def twelve_bits(folder: Path, times: int = 1, kind: str = "u2") -> None:
    rng = np.random.default_rng(0)
    for number, wave in enumerate(WAVES):
        for image in range(8):
            values = (260 + 90 * wave + rng.normal(0, 20, wave.shape)).clip(0, 4095).astype(kind) * times
            save(values, folder / "abc"[number] / f"{image}.{'png' if kind == 'u2' else 'tif'}")


def empty_alpha(folder: Path) -> None:
    rng = np.random.default_rng(0)
    for number, colour in enumerate(np.eye(3)):
        for image in range(8):
            values = (colour * 180 + rng.integers(0, 40, (16, 16, 3))).astype("u1")
            path = folder / "abc"[number] / f"{image}.bmp"
            save(values, path)
            if image % 2:
                path.write_bytes(bmp_with_alpha(np.dstack([values, np.zeros((16, 16), "u1")])))


def save(values: np.ndarray, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)


def result_of(root: Path, store: Store, *overrides: str) -> pipeline.Result:
    typed = [*RUN, f"dataset.root={root}", *overrides]
    return pipeline.run(build(compose.compose_config(typed)).stages, Context.plain(store))


@pytest.mark.parametrize(
    "write",
    [
        slightly_above_one,
        twelve_bits,
        lambda folder: twelve_bits(folder, times=16),
        lambda folder: twelve_bits(folder, kind="f4"),
        lambda folder: twelve_bits(folder, times=-1, kind="i4"),
        empty_alpha,
    ],
    ids=["floats above 1", "12 bits", "12 bits times 16", "floats to 500", "negative numbers", "empty alpha"],
)
def test_classes_that_differ_in_brightness_stay_different(tmp_path, store, write):
    write(tmp_path / "images")
    assert result_of(tmp_path / "images", store).metrics["ari"] == 1


@pytest.mark.parametrize(
    ("whole", "low", "high", "expected"),
    [
        (True, 0, 65535, (0, 65535)),
        (True, 12, 16384, (0, 65535)),
        (True, 0, 16383, (0, 16383)),
        (True, 0, 4095, (0, 4095)),
        (True, 3, 410, (0, 511)),
        (True, 0, 9, (0, 255)),
        (True, 0, 2**32 - 1, (0, 2**32 - 1)),
        (True, -1000, 3071, (-1000, 3071)),
        (False, 0, 1, (0, 1)),
        (False, -0.01, 1.0001, (0, 1)),
        (False, 0, 1.04, (0, 1)),
        (False, 0, 1.2, (0, 1.2)),
        (False, 0, 0.01, (0, 0.01)),
        (False, 0, 255, (0, 255)),
        (False, 0, 90, (0, 255)),
        (False, 0, 4095, (0, 4095)),
        (False, 0, 65535, (0, 65535)),
        (False, -1, 1, (-1, 1)),
        (False, 5, 5, (5, 5)),
    ],
)
def test_which_range_is_chosen(whole, low, high, expected):
    assert choose_range(whole, low, high) == expected


def test_a_brighter_image_changes_how_all_are_read(tmp_path, image_folder, ctx, caplog):
    twelve_bits(tmp_path / "images")
    stage = image_folder(tmp_path / "images")
    with caplog.at_level(logging.INFO):
        dark = stage.load(ctx)
    assert "dataset.value_range=[0,511]" in caplog.text
    assert dark.content.value_range == ValueRange(whole=(0, 511))
    assert dark.take(np.array([0])).content.value_range == dark.content.value_range
    save(np.full((32, 32), 65535, "u2"), tmp_path / "images" / "a" / "bright.png")
    bright = stage.load(ctx)
    assert bright.content.value_range == ValueRange(whole=(0, 65535))
    rows = np.flatnonzero(np.isin(bright.ids, dark.ids))
    assert bright.content.take(rows).pixel_map(Resize(8))[0] != dark.content.pixel_map(Resize(8))[0]
    assert bright.take(rows).content_key != dark.content_key
    assert bright.content.pixels(Resize(8), ctx)[rows].max() < 3
    assert dark.content.pixels(Resize(8), ctx).max() > 150


def test_the_limit_changes_no_range(tmp_path, image_folder, ctx):
    twelve_bits(tmp_path / "images")
    save(np.full((32, 32), 4095, "u2"), tmp_path / "images" / "c" / "z.png")
    few = image_folder(tmp_path / "images", limit=3).load(ctx)
    assert few.content.value_range == ValueRange(whole=(0, 4095))


def test_a_range_can_be_set(tmp_path, image_folder, ctx, caplog):
    twelve_bits(tmp_path / "images")
    stage = image_folder(tmp_path / "images", value_range=(0.0, 4095.0))
    samples = stage.load(ctx)
    assert samples.content.value_range == ValueRange(whole=(0, 4095))
    assert "value_range" not in caplog.text
    values = np.asarray(Image.open(tmp_path / "images" / "a" / "0.png"))
    pixels = samples.content.pixels(Resize(32), ctx)[0, ..., 0]
    np.testing.assert_array_equal(pixels, np.rint(values * (255 / 4095)))
    for wrong in ((4095.0, 0.0), (0.0,), (0.0, float("nan"))):
        with pytest.raises(ValueError) as error:
            replace(stage, value_range=wrong)
        says(error, key=f"dataset.value_range={list(wrong)}", use="dataset.value_range=[0,4095]")


def test_value_range_does_not_change_images_of_8_bits(two_classes, image_folder, ctx):
    keys = {image_folder(two_classes, value_range=ends).load(ctx).data_key for ends in (None, (0.0, 4095.0))}
    assert len(keys) == 1


def test_a_new_image_is_read_as_the_run_read_its_own(tmp_path, store, ctx):
    twelve_bits(tmp_path / "images")
    save(np.full((32, 32), 4000, "u2"), tmp_path / "images" / "a" / "bright.png")
    result = result_of(tmp_path / "images", store)
    Model.of(result, "float32").save(tmp_path / "model")
    model = Model.load(tmp_path / "model")
    assert model.value_range == ValueRange(whole=(0, 4095))
    paths = [str(tmp_path / "images" / name) for name in result.samples.ids]
    one_by_one = pd.concat([model.predict(pd.DataFrame({"path": [path]})) for path in paths[:12]])
    assert one_by_one["cluster"].tolist() == result.clustering.assignments[:12].tolist()
    expected = result.clustering.assign(result.reduced)[1][:12]
    np.testing.assert_allclose(one_by_one["distance"], expected, rtol=1e-4, atol=1e-4)
