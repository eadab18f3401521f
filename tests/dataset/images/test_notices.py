"""Warnings of Pillow and libtiff are logged once, with the name of the file."""

import logging
import threading
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

from experiments.dataset.images.notices import capture_notices, file_notices
from experiments.samples import Resize

PICTURE = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
CUT = b"Exif\0\0II*\0\xff\xff\xff\xff"
PACKAGES = Path(PIL.__file__).parents[1]
LIBTIFF = [*PACKAGES.glob("pillow.libs/libtiff*"), *PACKAGES.glob("PIL/.dylibs/libtiff*")]


def spoilt_tiff() -> bytes:
    file = BytesIO()
    Image.fromarray(PICTURE).save(file, "TIFF", compression="tiff_lzw")
    data = bytearray(file.getvalue())
    data[200:260] = bytes(byte ^ 0x5A for byte in data[200:260])
    return bytes(data)


def test_each_file_has_its_own_notices_and_once(tmp_path, image_folder, ctx, caplog, recwarn):
    for number in range(80):  # more than the chunk of a thread
        exif = {"exif": CUT} if number % 40 == 7 else {}
        Image.fromarray(PICTURE + np.uint8(number)).save(tmp_path / f"{number:02}.jpg", **exif)
    samples = image_folder(tmp_path).load(ctx)
    samples.content.pixels(Resize(8), ctx)
    samples.content.dimensions()
    message = [record.getMessage() for record in caplog.records if "EXIF" in record.getMessage()]
    assert [text.partition(":")[0] for text in message] == ["07.jpg", "47.jpg"]
    assert not list(recwarn)
    caplog.clear()
    image_folder(tmp_path).load(ctx)  # cached; logged again, like files that are left out
    assert "07.jpg: Corrupt EXIF" in caplog.text


def test_many_notices_are_counted(tmp_path, image_folder, ctx, caplog):
    for number in range(9):
        Image.fromarray(PICTURE + np.uint8(number)).save(tmp_path / f"{number}.jpg", exif=CUT)
    image_folder(tmp_path).load(ctx)
    assert len([record for record in caplog.records if "Corrupt" in record.getMessage()]) == 5
    assert "4 more files" in caplog.text


@pytest.mark.skipif(not LIBTIFF, reason="this Pillow's copy of libtiff cannot be reached")
def test_errors_of_libtiff_are_part_of_the_reason(tmp_path, image_folder, ctx, capfd):
    for number in range(3):
        Image.fromarray(PICTURE + np.uint8(number)).save(tmp_path / f"{number}.tif", compression="tiff_lzw")
    (tmp_path / "spoilt.tif").write_bytes(spoilt_tiff())
    ((name, reason),) = image_folder(tmp_path).load(ctx).skipped
    assert name == "spoilt.tif"
    assert "Using code not yet in table" in reason
    assert "code not yet" not in capfd.readouterr().err


def test_threads_hear_of_their_own_files_and_others_of_none():
    notices: dict[int, list[str]] = {}

    def speak(number: int) -> None:
        with file_notices() as texts:
            for text in (f"file {number}", f"file {number}"):
                warnings.warn_explicit(text, UserWarning, "x.py", 1, module="PIL.Image")
            logging.getLogger("PIL.TiffImagePlugin").error("broken %d", number)
            notices[number] = texts

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(4)]
    with warnings.catch_warnings(record=True) as shown, capture_notices(), capture_notices():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        warnings.warn_explicit("nobody's", UserWarning, "x.py", 1, module="PIL.Image")
    assert notices == {number: [f"file {number}", f"broken {number}"] for number in range(4)}
    assert len(shown) == 1
    assert logging.getLogger("PIL").propagate
    assert not logging.getLogger("PIL").handlers


def test_files_with_several_images_are_logged_once(tmp_path, image_folder, ctx, caplog):
    frames = [Image.fromarray(PICTURE), Image.fromarray(255 - PICTURE)]
    for name in ("a.gif", "b.tif", "c.png", "d.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        frames[0].save(tmp_path / f"one_{name}")
    samples = image_folder(tmp_path).load(ctx)
    (message,) = [text for text in caplog.messages if "several images" in text]
    assert message.startswith("4 files ")
    assert message.endswith("a.gif")
    pixels = dict(zip(samples.ids, samples.content.pixels(Resize(40), ctx), strict=True))
    np.testing.assert_array_equal(pixels["b.tif"], PICTURE)
    np.testing.assert_array_equal(pixels["c.png"], PICTURE)
