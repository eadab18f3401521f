"""Images are recognised by the extension of the name, else by their first bytes."""

import numpy as np
import pytest
from PIL import Image

from experiments.dataset.images.formats import (
    FOREIGN,
    IMAGE,
    SIGNED,
    UNDECODED,
    begins_as_an_image,
    extension,
    readable,
)

RNG = np.random.default_rng(0)
UNREAD = {  # extensions of formats that Pillow writes or lists but does not decode itself
    ".bufr", ".emf", ".eps", ".grib", ".h5", ".hdf", ".iim", ".mpeg", ".mpg", ".palm", ".pdf", ".ps", ".wmf",
}  # fmt: skip

NAMES = {
    "a.png": "PNG", "b.jfif": "JPEG", "c.jpe": "JPEG", "d.ppm": "PPM", "none": "PNG", "also.1": "JPEG",
    "e.jpg?w=9": "JPEG", "bmp": "BMP", "pnm": "PPM", "f.tga": "TGA", "g.jp2": "JPEG2000", "h.avif": "AVIF",
    "i.ico": "ICO", "wrong.jpg": "PNG", "j.pcx": "PCX", "k.sgi": "SGI", "l.dds": "DDS", "m.pgm": "PPM",
}  # fmt: skip


def test_every_ending_that_pillow_reads_is_an_image():
    Image.init()
    known = set(Image.registered_extensions())
    assert known - set(IMAGE) <= UNREAD
    assert set(IMAGE) - known <= {".avif", ".avifs", ".webp"}  # if Pillow was built without them
    assert not set(IMAGE) & set(FOREIGN)
    assert set(readable()) == set(Image.ID) - UNDECODED
    assert readable()[: len(SIGNED)] == SIGNED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/b.JPG", ".jpg"), ("a.b/c", ""), ("photo.jpg?width=90", ""), ("scan.001", ""), ("x.jpg_large", ""),
        ("x.tar.gz", ".gz"), ("v1.2 final", ""), ("x.j2k", ".j2k"),
    ],
)  # fmt: skip
def test_what_is_an_extension(name, expected):
    assert extension(name) == expected


@pytest.fixture
def mixed(tmp_path):
    """Two classes of images with unusual names, and other files."""
    for name in ("cats", "dogs"):
        folder = tmp_path / "mixed" / name
        folder.mkdir(parents=True)
        for file, kind in NAMES.items():
            picture = Image.fromarray(RNG.integers(0, 256, (16, 16, 3), np.uint8))
            (picture.convert("L") if file == "m.pgm" else picture).save(folder / file, kind)
    texts = {
        "README": b"BMW and PNG are read.\n", "P5": b"P5 is a format", "x.pcd": b"# .PCD v.7 - Point Cloud",
        "y.rgb": b"1 2 3", "tmp": (tmp_path / "mixed/cats/none").read_bytes(), "n.txt": b"text", "empty": b"",
        "a.png~": (tmp_path / "mixed/cats/a.png").read_bytes(), "z.pdf": b"%PDF-1.4",
    }  # fmt: skip
    for file, data in texts.items():
        (tmp_path / "mixed" / "dogs" / file).write_bytes(data)
    return tmp_path / "mixed", len(texts)


def test_content_counts_where_the_name_does_not_tell(mixed, image_folder, ctx):
    root, texts = mixed
    samples = image_folder(root).load(ctx)
    assert len(samples) == image_folder(root).count() == 36
    assert [list(samples.labels).count(label) for label in (0, 1)] == [18, 18]
    assert len(samples.skipped) == texts
    assert {reason for _, reason in samples.skipped} == {"not an image"}
    assert (samples.content.dimensions() == 16).all()


def test_a_file_that_cannot_be_opened_begins_as_none(tmp_path):
    assert not begins_as_an_image(tmp_path / "gone", "")
    assert not begins_as_an_image(tmp_path, "")
