"""Unpack a zip or tar, once and safely: plain files below the folder, or nothing at all."""

import errno
import lzma
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from experiments.dataset.images.listing import hidden
from experiments.files import content_hash, sha256
from experiments.kept import digest
from experiments.types import Context

VERSION = 2
UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,  # the disk's, and those of gzip and bz2 on damaged data
    RuntimeError,  # encrypted, or packed in a way that zipfile does not know
)
UNWRITABLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EINVAL, errno.EILSEQ)
PIECE = 1 << 20  # bytes unpacked at a time
SHOWN = 80  # characters of a name in a message


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

    An archive is named by its content: unpacked once wherever it lies, and again when it is another.

    Raises
    ------
    ValueError
        If it is no archive, cannot be read, would write outside the folder, would fill the disk, or holds a
        name that no file can have. Any other error of writing stays an OSError.
    """
    content = content_hash(archive, "dataset.root", ctx.store)
    key = f"unpacked-{digest(content, VERSION)}"
    return ctx.store.folder(key, lambda new: _unpack(archive, content, new / "files", ctx)) / "files"


def _unpack(archive: Path, content: str, folder: Path, ctx: Context) -> None:
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
                with _created(archive, folder / name, name) as out:
                    for piece in _pieces(archive, member):
                        out.write(piece)
                done(1)
    if sha256(archive) != content:
        raise ValueError(f"dataset.root={archive} changed while it was unpacked; run it again")


def _created(archive: Path, target: Path, name: str) -> IO[bytes]:
    """Open a file for writing; raise ValueError if it is the name that makes this impossible."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("wb")
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}..."
        raise ValueError(
            f"dataset.root={archive} holds {shown!r}, which no file here can be called ({error.strerror}), "
            "so nothing was unpacked; pack it again under another name"
        ) from error


def _pieces(archive: Path, member: Member) -> Iterator[bytes]:
    with _reading(archive):
        source = member.open()
        if source is not None:
            with source:
                yield from iter(partial(source.read, PIECE), b"")


@contextmanager
def _opened(archive: Path) -> Iterator[dict[str, Member]]:
    """Open an archive and give its visible files by path, every name checked first."""
    with ExitStack() as stack:
        with _reading(archive):
            if zipfile.is_zipfile(archive):
                file = stack.enter_context(zipfile.ZipFile(archive))
                files = _checked(archive, map(_zipped(file), file.infolist()))
            elif tarfile.is_tarfile(archive):
                tar = stack.enter_context(tarfile.open(archive))
                files = _checked(archive, map(_tarred(tar), tar))
            else:
                raise ValueError(
                    f"dataset.root={archive} is neither a folder nor a zip or tar; use a folder of images, "
                    "or an archive of one"
                )
        yield files


@contextmanager
def _reading(archive: Path) -> Iterator[None]:
    """Turn errors of reading into a ValueError that names the archive: an OSError is then one of writing."""
    try:
        yield
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
