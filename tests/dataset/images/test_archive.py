"""Archives: unpacked once, into plain files below the folder, or not at all."""

import errno
import resource
import shutil
import tarfile
import zipfile
from io import BytesIO

import numpy as np
import pytest

from experiments.dataset.images import archive as module
from experiments.dataset.images.archive import names, unpacked

FILES = {"top/a/1.png": b"one", "top/b/2.png": b"two", "top/b/naïve name.png": b"three"}
SPOILT = {"__MACOSX/top/._1.png": b"?", ".git/x.png": b"?", "top/.DS_Store": b"?"}


def zipped(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def tarred(path, files, links=()):
    with tarfile.open(path, f"w:{path.suffix[1:] if path.suffix != '.tar' else ''}") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, BytesIO(data))
        for name, kind, target in links:
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    return path


def contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz", "x.tar.bz2", "x.tar.xz"])
def test_visible_files_are_unpacked_as_they_are(tmp_path, ctx, name):
    archive = (zipped if name == "x.zip" else tarred)(tmp_path / name, FILES | SPOILT)
    assert contents(unpacked(archive, ctx)) == FILES
    assert set(names(archive)) == set(FILES)


def test_an_archive_is_unpacked_once_and_again_when_it_changed(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", FILES)
    first = unpacked(archive, ctx)
    assert unpacked(archive, ctx) == first
    assert len(ctx.store.computed) == 1
    zipped(archive, {"other.png": b"four"})
    assert contents(unpacked(archive, ctx)) == {"other.png": b"four"}


def test_backslashes_of_windows_tools_are_folders(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", {"cats\\1.png": b"one"})
    assert contents(unpacked(archive, ctx)) == {"cats/1.png": b"one"}


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/tmp/evil.png", "..\\evil.png", "C:\\evil.png"]
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_name_that_leads_out_unpacks_nothing(tmp_path, ctx, pack, name):
    archive = pack(tmp_path / ("x.zip" if pack is zipped else "x.tar"), FILES | {name: b"evil"})
    with pytest.raises(
        ValueError, match=r"evil.png', which leads out of the folder .* nothing was unpacked; use"
    ):
        unpacked(archive, ctx)
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize(
    "link",
    [
        ("out", tarfile.SYMTYPE, "/etc"),
        ("out", tarfile.SYMTYPE, "../.."),
        ("out", tarfile.LNKTYPE, "/etc/passwd"),
        ("pipe", tarfile.FIFOTYPE, ""),
    ],
)
def test_a_link_or_device_in_a_tar_unpacks_nothing(tmp_path, ctx, link):
    archive = tarred(tmp_path / "x.tar", FILES, [link])
    with pytest.raises(ValueError, match=r"which is a link or device .*; pack the files themselves"):
        unpacked(archive, ctx)
    assert not list(tmp_path.rglob("*.png"))


def test_a_link_in_a_zip_unpacks_nothing(tmp_path, ctx):
    info = zipfile.ZipInfo("out")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(info, "/etc")
    with pytest.raises(ValueError, match="'out', which is a link"):
        unpacked(tmp_path / "x.zip", ctx)


def test_what_is_no_archive_says_what_is_wanted(tmp_path, ctx):
    (tmp_path / "x.zip").write_text("no archive", encoding="utf-8")
    with pytest.raises(ValueError, match=r"x.zip is neither a folder nor a zip or tar; use"):
        unpacked(tmp_path / "x.zip", ctx)


@pytest.mark.parametrize(
    ("name", "cut"),
    [
        ("x.zip", False),
        ("x.tar.gz", True),
        ("x.tar.bz2", False),
        ("x.tar.bz2", True),
        ("x.tar.xz", False),
        ("x.tar.xz", True),
    ],
)
def test_a_damaged_archive_keeps_nothing(tmp_path, ctx, name, cut):
    pixels = np.random.default_rng(0).bytes(2_000_000)
    archive = (zipped if name == "x.zip" else tarred)(tmp_path / name, {"a.png": pixels})
    data = bytearray(archive.read_bytes())
    middle = slice(len(data) // 2, len(data) // 2 + 1000)
    data[middle] = bytes(1000)
    archive.write_bytes(data[: middle.start] if cut else data)
    with pytest.raises(ValueError, match=r"cannot be unpacked .*; unpack it by hand and use the folder"):
        unpacked(archive, ctx)
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize("pack", [zipped, tarred])
@pytest.mark.parametrize(
    "impossible",
    [
        ["top/" + "n" * 300 + ".png"],
        ["n" * 300 + "/a.png"],
        ["a.png", "a.png/b.png"],
        ["a.png/b.png", "a.png"],
    ],
)
def test_a_name_that_no_file_can_have_is_the_archive_s_fault(tmp_path, ctx, pack, impossible):
    archive = pack(tmp_path / ("x.zip" if pack is zipped else "x.tar"), dict.fromkeys(impossible, b"one"))
    with pytest.raises(ValueError, match=r"dataset.root=.* holds '.*', which no file here .*; pack it again"):
        unpacked(archive, ctx)
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
def test_an_archive_that_the_disk_cannot_read_is_named(tmp_path, ctx, name, monkeypatch):
    archive = (zipped if name == "x.zip" else tarred)(tmp_path / name, FILES)

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module, "partial", lambda read, size: fail)  # what reads a piece of a member
    with pytest.raises(ValueError, match=r"dataset.root=.* cannot be unpacked .*Input/output error"):
        unpacked(archive, ctx)


def test_an_error_of_writing_is_no_fault_of_the_archive(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", {"a.png": bytes(2_000_000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            unpacked(archive, ctx)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_encrypted_zip_is_refused(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", {"a.png": b"secret"})
    data = bytearray(archive.read_bytes())
    for signature, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + place] |= 1
    archive.write_bytes(data)
    with pytest.raises(ValueError, match=r"cannot be unpacked.*encrypted"):
        unpacked(archive, ctx)


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path, ctx, monkeypatch):
    archive = zipped(tmp_path / "x.zip", {"bomb.png": bytes(10_000_000)})
    assert archive.stat().st_size < 20_000
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=15_000_000))
    with pytest.raises(
        ValueError, match=r"unpacks to 0.0 GB, more than half .*; free some space, or set cache.root"
    ):
        unpacked(archive, ctx)
    assert not list(tmp_path.rglob("*.png"))
