"""Unpack a zip or tar, once and safely: plain files below the folder, or nothing at all."""

import gzip
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from experiments.dataset.listing import hidden
from experiments.types import Context, digest

VERSION = 1
UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # encrypted, or packed in a way that zipfile does not know
)


@dataclass(frozen=True)
class Member:
    """An entry of an archive: its path as written, its size unpacked, and how to read it."""

    name: str
    size: int
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def names(archive: Path) -> list[str]:
    """List the files of an archive without unpacking it; a compressed tar is read through."""
    with _opened(archive) as files:
        return list(files)


def unpacked(archive: Path, ctx: Context) -> Path:
    """Return the folder in the store that holds what is in the archive.

    Raises
    ------
    ValueError
        If it is no archive, cannot be read, would write outside the folder, or would fill the disk.
    """
    status = archive.stat()
    key = f"unpacked-{digest(str(archive.resolve()), status.st_size, status.st_mtime_ns, VERSION)}"
    return ctx.store.folder(key, lambda folder: _unpack(archive, folder / "files", ctx)) / "files"


def _unpack(archive: Path, folder: Path, ctx: Context) -> None:
    folder.mkdir()
    with _opened(archive) as files:
        size, free = sum(member.size for member in files.values()), shutil.disk_usage(folder).free
        if size > free / 2:  # pixels need room too, and no archive can fill the disk
            raise ValueError(
                f"dataset.root={archive} unpacks to {size / 1e9:.1f} GB, more than half of the "
                f"{free / 1e9:.1f} GB that are free; free some space, or set cache.root=<a folder with room>"
            )
        with ctx.report.progress("unpack", len(files), "files") as done:
            for name, member in files.items():
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                source = member.open()
                if source is not None:
                    with source, target.open("wb") as out:
                        shutil.copyfileobj(source, out, 1 << 20)
                done(1)


@contextmanager
def _opened(archive: Path) -> Iterator[dict[str, Member]]:
    """Open an archive and give its visible files by path, every name checked first."""
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                yield _checked(archive, map(_zipped(file), file.infolist()))
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                yield _checked(archive, map(_tarred(tar), tar))
        else:
            raise ValueError(
                f"dataset.root={archive} is neither a folder nor a zip or tar; use a folder of images, or "
                "an archive of one"
            )
    except UNREADABLE as error:
        raise ValueError(
            f"dataset.root={archive} cannot be unpacked ({error}); unpack it by hand and use the "
            "folder, or fetch it again"
        ) from error


def _zipped(file: zipfile.ZipFile) -> Callable[[zipfile.ZipInfo], Member]:
    def member(info: zipfile.ZipInfo) -> Member:
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archive was not made on a Unix
        is_file = not info.is_dir() and kind in (0, stat.S_IFREG)
        return Member(info.filename, info.file_size, is_file or info.is_dir(), lambda: file.open(info))

    return member


def _tarred(tar: tarfile.TarFile) -> Callable[[tarfile.TarInfo], Member]:
    def member(info: tarfile.TarInfo) -> Member:
        name = f"{info.name}/" if info.isdir() else info.name
        return Member(name, info.size, info.isfile() or info.isdir(), lambda: tar.extractfile(info))

    return member


def _checked(archive: Path, members: Iterator[Member]) -> dict[str, Member]:
    """Return the visible files by path below the folder; a later one replaces an earlier, as in unzip."""
    files: dict[str, Member] = {}
    for member in members:
        path = PurePosixPath(member.name.replace("\\", "/"))  # some Windows tools write backslashes
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:/", str(path)):
            raise ValueError(
                f"dataset.root={archive} holds {member.name!r}, which leads out of the folder that it "
                "is unpacked into, so nothing was unpacked; use an archive from a source that you trust"
            )
        if hidden(path.parts) or member.name.endswith(("/", "\\")):
            continue
        if not member.is_file:
            raise ValueError(
                f"dataset.root={archive} holds {member.name!r}, which is a link or device and no file, "
                "so nothing was unpacked; pack the files themselves (tar --dereference --hard-dereference)"
            )
        files[str(path)] = member
    return files
