"""Contents: cached pixels, and errors that suggest a backbone."""

import errno

import numpy as np
import pytest
from PIL import Image
from tests.messages import says

from experiments.dataset.images.content import ImageArrays, ImageFiles
from experiments.numerics.hashes import hash_bytes, hash_rows
from experiments.samples import Resize

RNG = np.random.default_rng(0)


@pytest.fixture
def files(tmp_path, draw):
    paths = [draw(tmp_path / f"{seed}.png", seed).name for seed in range(5)]
    hashes = [hash_bytes((tmp_path / path).read_bytes()) for path in paths]
    return ImageFiles(tmp_path, np.array(paths), np.array(hashes))


def arrays(*shape):
    images = RNG.integers(0, 256, shape, np.uint8)
    return ImageArrays.whole(images, hash_rows(images))


def test_files_are_decoded_into_their_rows(files, ctx):
    pixels = files.pixels(Resize(6), ctx)
    for row, path in enumerate(files.paths):
        expected = Image.open(files.root / path).resize((6, 6), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(pixels[row], np.asarray(expected))


def test_pixels_are_decoded_once(files, ctx):
    files.pixels(Resize(6), ctx)
    for path in files.paths:
        (files.root / path).unlink()
    assert files.pixels(Resize(6), ctx).shape == (5, 6, 6, 3)
    assert len(ctx.store.computed) == 1


@pytest.mark.parametrize("spoil", [lambda path: path.unlink(), lambda path: path.write_bytes(b"no image")])
def test_a_file_that_is_no_longer_readable_is_not_reported_as_a_full_disk(files, ctx, spoil):
    spoil(files.root / "3.png")
    with pytest.raises(ValueError) as error:
        files.pixels(Resize(6), ctx)
    assert "3.png" in says(error, key=f"dataset.root={files.root}", use="put it back")
    assert not ctx.store.holds(files.pixel_map(Resize(6))[0])
    with pytest.raises(ValueError) as error:
        files.dimensions()
    says(error, key="3.png", use="put it back")


def test_an_error_of_the_store_stays_one(files, ctx, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np.lib.format, "open_memmap", full)
    with pytest.raises(OSError) as error:
        files.pixels(Resize(6), ctx)
    text = says(error, key=f"cache.root={ctx.store.root}", use="cache.root=<a folder with room>")
    says(text, key=files.pixel_map(Resize(6))[0], use="No space left on device")


@pytest.mark.parametrize("other", [Resize(7), Resize(6, "crop"), Resize(6, interpolation="bicubic")])
def test_another_resize_is_another_map(files, other):
    assert files.pixel_map(other)[0] != files.pixel_map(Resize(6))[0]


def test_pixel_map_returns_key_and_size(files, ctx):
    key, size = files.pixel_map(Resize(6))
    assert files.pixels(Resize(6), ctx).nbytes == size
    assert ctx.store.computed == [key]


@pytest.mark.parametrize("shape", [(5, 8, 8), (5, 8, 8, 3), (5, 9, 7)])
def test_arrays_of_any_shape_become_rgb(shape, ctx):
    content = arrays(*shape)
    pixels = content.pixels(Resize(8), ctx)
    assert (pixels.shape, pixels.dtype) == ((5, 8, 8, 3), np.uint8)
    if shape == (5, 8, 8):
        np.testing.assert_array_equal(pixels, np.repeat(content.images[..., None], 3, axis=3))


def test_arrays_that_are_pixels_already_are_not_copied(ctx):
    content = arrays(5, 8, 8, 3)
    assert content.pixels(Resize(8), ctx) is content.images
    assert content.pixel_map(Resize(8)) == ("", 0)


def test_take_selects_pixels(files, ctx):
    rows = np.array([1, 4])
    for content in (files, arrays(5, 8, 8), arrays(5, 8, 8, 3)):
        taken = content.take(rows).take(np.array([0, 1]))
        np.testing.assert_array_equal(taken.pixels(Resize(8), ctx), content.pixels(Resize(8), ctx)[rows])
        np.testing.assert_array_equal(taken.hashes, content.hashes[rows])


def test_dimensions_are_width_and_height(files):
    np.testing.assert_array_equal(files.dimensions(), [[12, 10]] * 5)
    np.testing.assert_array_equal(arrays(5, 8, 6).take(np.array([1, 3])).dimensions(), [[6, 8]] * 2)
    assert files.take(np.array([], int)).dimensions().shape == (0, 2)


def test_the_wrong_kind_names_the_backbone_that_fits(files, ctx):
    for content in (files, arrays(5, 8, 8)):
        with pytest.raises(ValueError) as error:
            content.vectors()
        says(error, key="images", use="backbone=cnn")
