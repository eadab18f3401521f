"""Archives are unpacked once, as regular files inside the target folder, or not at all."""

import errno
import os
import resource
import shutil
import struct
import tarfile
import zipfile
import zlib
from io import BytesIO

import numpy as np
import pytest
from tests.messages import says

from experiments.dataset.images import archive as module
from experiments.dataset.images.archive import list_files, unpack

pytestmark = pytest.mark.slow

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
    assert contents(unpack(archive, ctx)) == FILES
    assert set(list_files(archive)) == set(FILES)


def test_an_archive_is_unpacked_once_and_again_when_it_changed(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", FILES)
    first = unpack(archive, ctx)
    assert unpack(archive, ctx) == first
    assert len([key for key in ctx.store.computed if key.startswith("unpacked-")]) == 1
    zipped(archive, {"other.png": b"four"})
    assert contents(unpack(archive, ctx)) == {"other.png": b"four"}


@pytest.mark.parametrize("name", ["x.zip", "x.tar", "x.tar.gz"])
def test_an_archive_copied_over_one_of_equal_size_and_time_is_unpacked(tmp_path, ctx, name):
    pack = zipped if name == "x.zip" else tarred
    versions = [pack(tmp_path / f"{number}.{name}", {"a/1.png": number}) for number in (b"1", b"2")]
    assert len({archive.stat().st_size for archive in versions}) == 1
    for archive, number in zip(versions, (b"1", b"2"), strict=True):
        os.utime(archive, ns=(10**18 + 1, 10**18 + 1))
        shutil.copy2(archive, tmp_path / name)  # cp -p
        assert contents(unpack(tmp_path / name, ctx)) == {"a/1.png": number}


def test_an_archive_is_unpacked_once_wherever_it_lies(tmp_path, ctx):
    first = unpack(zipped(tmp_path / "x.zip", FILES), ctx)
    (tmp_path / "elsewhere").mkdir()
    assert unpack(shutil.copy(tmp_path / "x.zip", tmp_path / "elsewhere" / "y.zip"), ctx) == first


def test_an_archive_that_changes_while_it_is_unpacked_is_not_cached(tmp_path, ctx, monkeypatch):
    archive, chunks = zipped(tmp_path / "x.zip", FILES), module._chunks

    def slow(*given):
        zipped(archive, {"other.png": b"four"})
        return chunks(*given)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_chunks", slow)
        with pytest.raises(ValueError) as error:
            unpack(archive, ctx)
    says(error, key=f"dataset.root={archive}", use="again")
    assert contents(unpack(archive, ctx)) == {"other.png": b"four"}


class Unmarked(zipfile.ZipInfo):
    """A zip member with these bytes as its name, in an unstated encoding."""

    def __init__(self, raw, extra=b""):
        super().__init__(raw.decode("latin-1"))
        self.raw, self.extra = raw, extra

    def _encodeFilenameFlags(self):  # noqa: N802 -- zipfile's
        return self.raw, self.flag_bits


def zipped_by_others(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for number, member in enumerate(members):
            archive.writestr(Unmarked(*member) if isinstance(member, tuple) else member, str(number))
    return path


def unicode_path(text, raw):
    name = text.encode()
    return b"up" + struct.pack("<HBL", 5 + len(name), 1, zlib.crc32(raw)) + name


CAT = "猫".encode("shift-jis")  # "öL" in code page 437
TIMES = b"UT\x05\x00\x01\0\0\0\0"  # another extra field before it


@pytest.mark.parametrize(
    ("members", "expected", "guessed"),
    [
        ([("猫/1.png".encode(),), ("café/1.png".encode(),)], ["猫/1.png", "café/1.png"], False),
        ([(CAT + b"/1.png", TIMES + unicode_path("猫/1.png", CAT + b"/1.png"))], ["猫/1.png"], False),
        ([(CAT + b"/1.png", TIMES + unicode_path("犬/1.png", b"another/1.png"))], ["öL/1.png"], True),
        ([(CAT + b"/1.png", unicode_path("猫/1.png", CAT + b"/1.png")[:-1] + b"\xff")], ["öL/1.png"], True),
        ([(b"caf\x82/1.png",), "café/2.png"], ["café/1.png", "café/2.png"], True),
        ([(b"caf\x82/1.png",), "café/1.png"], ["caf%82/1.png", "café/1.png"], True),
        (["café/1.png", (b"caf\x82/1.png",)], ["café/1.png", "caf%82/1.png"], True),
        (["café/1.png", ("café/1.png".encode(),)], ["", "café/1.png"], False),  # equal names: the last file
        (["Cat/1.png", "cat/1.png", "cat /1.png", "caf\xe9/1", "cafe\u0301/1"], None, False),
    ],
)
def test_names_in_a_zip_are_what_they_were(tmp_path, ctx, caplog, members, expected, guessed):
    archive = zipped_by_others(tmp_path / "x.zip", members)
    files = {name: str(number).encode() for number, name in enumerate(expected or members) if name}
    for _ in range(2):  # logged again for the cached files
        caplog.clear()
        assert contents(unpack(archive, ctx)) == files
        assert (f"1 of {len(members)} names" in caplog.text) == guessed
    assert set(list_files(archive)) == set(files)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("coding", ["utf-8", "latin-1"])
def test_names_in_a_tar_are_what_they_were_in_any_locale(tmp_path, ctx, caplog, monkeypatch, form, coding):
    with tarfile.open(tmp_path / "x.tar", "w", format=form, encoding=coding) as archive:
        info = tarfile.TarInfo("café/1.png")
        info.size = 1
        archive.addfile(info, BytesIO(b"1"))
    monkeypatch.setattr(tarfile.TarFile, "encoding", "iso8859-1")  # as in that locale
    assert contents(unpack(tmp_path / "x.tar", ctx)) == {"café/1.png": b"1"}
    assert list_files(tmp_path / "x.tar") == ["café/1.png"]
    guessed = coding == "latin-1" and form != tarfile.PAX_FORMAT  # which is always UTF-8
    assert ("1 of 1 names" in caplog.text) == guessed


def test_folders_that_the_file_system_takes_for_one_are_refused(tmp_path):
    (tmp_path / "cat").mkdir()
    source = f"dataset.root={tmp_path}/x.zip"
    module._check_folders(tmp_path, ["cat/1.png", "cat/2.png"], source)
    with pytest.raises(ValueError) as error:
        module._check_folders(tmp_path, ["cat/1.png", "Cat/2.png"], source)
    says(error, key=source, use="cache.root=<another file system>")


def test_a_zip_with_an_invalid_utf8_name_is_refused(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", {"é.png": b"1"})
    archive.write_bytes(archive.read_bytes().replace("é".encode(), b"\xe9\xe9"))
    with pytest.raises(ValueError) as error:
        unpack(archive, ctx)
    says(error, key=f"dataset.root={archive}", use="unpack it by hand")


def test_backslashes_of_windows_tools_are_folders(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", {"cats\\1.png": b"one"})
    assert contents(unpack(archive, ctx)) == {"cats/1.png": b"one"}


@pytest.mark.parametrize(
    "name", ["../evil.png", "a/../../evil.png", "/tmp/evil.png", "..\\evil.png", "C:\\evil.png"]
)
@pytest.mark.parametrize("pack", [zipped, tarred])
def test_a_name_that_leads_out_unpacks_nothing(tmp_path, ctx, pack, name):
    archive = pack(tmp_path / ("x.zip" if pack is zipped else "x.tar"), FILES | {name: b"evil"})
    with pytest.raises(ValueError) as error:
        unpack(archive, ctx)
    assert repr(name) in says(error, key=f"dataset.root={archive}", use="a source that you trust")
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
    with pytest.raises(ValueError) as error:
        unpack(archive, ctx)
    says(error, key=f"{link[0]!r}", use="tar --dereference --hard-dereference")
    assert not list(tmp_path.rglob("*.png"))


def test_a_link_in_a_zip_unpacks_nothing(tmp_path, ctx):
    info = zipfile.ZipInfo("out")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr(info, "/etc")
    with pytest.raises(ValueError) as error:
        unpack(tmp_path / "x.zip", ctx)
    says(error, key="'out'", use="pack the files themselves")


def test_a_file_that_is_not_an_archive_is_an_error(tmp_path, ctx):
    (tmp_path / "x.zip").write_text("no archive", encoding="utf-8")
    with pytest.raises(ValueError) as error:
        unpack(tmp_path / "x.zip", ctx)
    says(error, key=f"dataset.root={tmp_path}/x.zip", use="a folder of images")


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
    with pytest.raises(ValueError) as error:
        unpack(archive, ctx)
    says(error, key=f"dataset.root={archive}", use="unpack it by hand")
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
    with pytest.raises(ValueError) as error:
        unpack(archive, ctx)
    assert repr(impossible[-1])[:60] in says(error, key=f"dataset.root={archive}", use="pack it again")
    assert not list(tmp_path.rglob("*.png"))


@pytest.mark.parametrize("name", ["x.zip", "x.tar"])
def test_an_archive_that_the_disk_cannot_read_is_named(tmp_path, ctx, name, monkeypatch):
    archive = (zipped if name == "x.zip" else tarred)(tmp_path / name, FILES)

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(module, "partial", lambda read, size: fail)  # reads a chunk of a member
    with pytest.raises(ValueError) as error:
        unpack(archive, ctx)
    assert "Input/output error" in says(error, key=f"dataset.root={archive}", use="fetch it again")


def test_an_error_of_writing_is_no_fault_of_the_archive(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", {"a.png": bytes(2_000_000)})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            unpack(archive, ctx)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_encrypted_zip_is_refused(tmp_path, ctx):
    archive = zipped(tmp_path / "x.zip", {"a.png": b"secret"})
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    archive.write_bytes(data)
    with pytest.raises(ValueError) as error:
        unpack(archive, ctx)
    assert "encrypted" in says(error, key=f"dataset.root={archive}", use="unpack it by hand")


def test_an_archive_that_would_fill_the_disk_is_refused(tmp_path, ctx, monkeypatch):
    archive = zipped(tmp_path / "x.zip", {"bomb.png": bytes(10_000_000)})
    assert archive.stat().st_size < 20_000
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=15_000_000))
    with pytest.raises(ValueError) as error:
        unpack(archive, ctx)
    assert "0.0 GB" in says(error, key=f"dataset.root={archive}", use="cache.root=<a folder with room>")
    assert not list(tmp_path.rglob("*.png"))
