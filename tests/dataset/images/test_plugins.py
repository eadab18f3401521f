"""Formats that need a plugin of Pillow: read if it is installed, else the message has the command."""

import shutil
import sys

import numpy as np
import pytest
from PIL import Image
from tests.messages import says

from experiments.dataset.images import formats, opening, plugins
from experiments.dataset.images.pixels import dimensions, load_rgb
from experiments.samples import Resize

INSTALL = "python -m pip install pillow-heif"
ORIENTATION = 0x0112
formats.readable()  # registers the plugins, so that the tests can write such files


@pytest.fixture
def without_plugins(monkeypatch):
    """Let imports of the plugins fail."""
    cached = (formats.readable, opening._formats, plugins.installed)
    for plugin in plugins.PLUGINS.values():
        monkeypatch.setitem(sys.modules, plugin.module, None)
    for function in cached:
        function.cache_clear()
    yield
    for function in cached:
        function.cache_clear()


@pytest.fixture
def phone(tmp_path, draw):
    """Two photographs in HEIC, and one in each of AVIF, JPEG and JPEG XL; the second is dark."""
    for name in ("1.HEIC", "2.heif", "3.avif", "4.jpg", "5.jxl"):
        draw(tmp_path / "phone" / name, int(name[0]), (64, 48))
    Image.new("RGB", (64, 48), (10, 20, 30)).save(tmp_path / "phone" / "2.heif")
    return tmp_path / "phone"


def quarters() -> np.ndarray:
    """Return an image of 64x32 whose quarters have different greys."""
    return np.kron([[20, 90], [160, 230]], np.ones((16, 32))).astype(np.uint8)[..., None].repeat(3, axis=2)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "JXL"])
@pytest.mark.parametrize("orientation", [1, 3, 5, 6, 8])
def test_photographs_are_upright(tmp_path, kind, orientation):
    upright, exif = Image.fromarray(quarters()), Image.Exif()
    exif[ORIENTATION] = orientation
    undo = {3: 3, 5: 5, 6: 8, 8: 6}  # the orientation that turns the image as the camera saw it
    stored = upright.transpose(opening.UPRIGHT[undo[orientation]]) if orientation > 1 else upright
    file = tmp_path / "photo"
    if kind == "JXL":  # its own orientation counts, which is in the file if a JPEG was repacked
        stored.save(tmp_path / "photo.jpg", exif=exif, quality=95)
        with Image.open(tmp_path / "photo.jpg") as image:
            image.save(file, kind, lossless_jpeg=True)
    else:
        stored.save(file, kind, exif=exif.tobytes(), quality=95)
    assert dimensions(file) == (64, 32)
    assert np.abs(np.asarray(load_rgb(file, 64), int) - quarters()).max() < 12


def test_the_exif_orientation_of_jpeg_xl_does_not_count(tmp_path):
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    Image.fromarray(quarters()).save(tmp_path / "photo", "JXL", exif=exif.tobytes())
    assert load_rgb(tmp_path / "photo", 64).size == dimensions(tmp_path / "photo") == (64, 32)


def test_a_folder_of_a_phone_is_read(phone, image_folder, ctx, tmp_path):
    shutil.copy(phone / "1.HEIC", phone / "no extension")
    good = (phone / "1.HEIC").read_bytes()
    (phone / "cut.heic").write_bytes(good[: len(good) // 2])
    (phone / "cut.jxl").write_bytes((phone / "5.jxl").read_bytes()[:300])
    shutil.make_archive(str(tmp_path / "phone"), "zip", phone)
    for root in (phone, tmp_path / "phone.zip"):
        samples = image_folder(root).load(ctx)
        assert {name for name, _ in samples.skipped} == {"cut.heic", "cut.jxl"}
        assert all(reason.startswith("cannot be decoded") for _, reason in samples.skipped)
        pixels = dict(zip(samples.ids, samples.content.pixels(Resize(8), ctx), strict=True))
        assert set(pixels) == {"1.HEIC", "2.heif", "3.avif", "4.jpg", "5.jxl", "no extension"}
        assert np.abs(pixels["2.heif"] - np.array([10.0, 20, 30])).max() < 4
        np.testing.assert_array_equal(pixels["no extension"], pixels["1.HEIC"])


def test_a_damaged_photograph_with_an_intact_thumbnail_is_left_out(tmp_path, draw, image_folder, ctx):
    for seed in range(2):
        draw(tmp_path / "phone" / f"{seed}.png", seed)
    heif = tmp_path / "phone" / "2.heic"
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)
    Image.fromarray(noise).save(heif, thumbnails=[64])
    with Image.open(heif) as image:
        assert image.info["thumbnails"] == [64]
    assert load_rgb(heif, 16).size == (64, 64), "the thumbnail is used where it is large enough"
    assert load_rgb(heif, 100).size == (256, 256)
    data = heif.read_bytes()
    start = data.index(b"mdat") + 12  # of the image, which is followed by the thumbnail
    heif.write_bytes(data[:start] + bytes(64) + data[start + 64 :])
    assert load_rgb(heif, 16).size == (64, 64)
    assert [name for name, _ in image_folder(tmp_path / "phone").load(ctx).skipped] == ["2.heic"]


def test_without_the_plugin_the_command_is_named(phone, image_folder, ctx, caplog, without_plugins):
    shutil.copy(phone / "1.HEIC", phone / "6.jpg")
    samples = image_folder(phone).load(ctx)
    assert list(samples.ids) == ["3.avif", "4.jpg"]
    reasons = dict(samples.skipped)
    assert set(reasons) == {"1.HEIC", "2.heif", "5.jxl", "6.jpg"}
    for name in ("1.HEIC", "2.heif", "6.jpg"):
        says(reasons[name], key="HEIF" if name == "2.heif" else "HEIC", use=INSTALL)
    says(reasons["5.jxl"], key="JXL", use="pip install pillow-jxl-plugin")
    says(caplog.text, key="phone", use=f"{INSTALL} pillow-jxl-plugin")


@pytest.mark.parametrize("count", [1, 10], ids=["none is readable", "too many are unreadable"])
def test_without_the_plugin_a_folder_of_heic_stops_with_the_command(
    tmp_path, image_folder, ctx, without_plugins, count
):
    (tmp_path / "phone").mkdir()
    for number in range(count):
        (tmp_path / "phone" / f"{number}.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(ValueError) as caught:
        image_folder(tmp_path / "phone").load(ctx)
    says(caught, key=f"dataset.root={tmp_path / 'phone'}", use=f"type {INSTALL}")


def test_a_plugin_that_is_installed_later_is_noticed(phone, image_folder, ctx, without_plugins, monkeypatch):
    shutil.copy(phone / "1.HEIC", phone / "6.jpg")
    assert len(image_folder(phone).load(ctx)) == 2
    monkeypatch.undo()
    for function in (formats.readable, opening._formats, plugins.installed):
        function.cache_clear()
    assert len(image_folder(phone).load(ctx)) == 6
