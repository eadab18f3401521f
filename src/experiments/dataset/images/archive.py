"""Unpack a zip or tar, once and safely: plain files below the folder, or nothing at all."""

import errno
import json
import logging
import lzma
import os
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from experiments.context import Context
from experiments.dataset.images.listing import is_hidden
from experiments.dataset.images.packed_names import Name, percent_encoded, tar_name, zip_name
from experiments.store.file_hashes import content_hash, sha256
from experiments.store.keys import cache_key

log = logging.getLogger(__name__)

KEY = "dataset.root"
VERSION = 2
UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    UnicodeDecodeError,  # a name in a zip that is marked as UTF-8 and is not
    OSError,  # the disk's, and those of gzip and bz2 on damaged data
    RuntimeError,  # encrypted, or packed in a way that zipfile does not know
)
UNWRITABLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EINVAL, errno.EILSEQ)
PIECE = 1 << 20  # bytes unpacked at a time
NOTES = "notes.json"  # next to the files
SHOWN = 80  # characters of a name in a message


@dataclass(frozen=True)
class Member:
    """An entry of an archive: its path as written, its size unpacked, and how to read it."""

    name: Name
    size: int
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def list_files(archive: Path, key: str = KEY) -> list[str]:
    """List the files of an archive without unpacking it; a compressed tar is read through."""
    with _opened(archive, f"{key}={archive}") as files:
        return list(files)


def unpack(archive: Path, ctx: Context, key: str = KEY) -> Path:
    """Return the folder in the store that holds what is in the archive.

    An archive is named by its content: unpacked once wherever it lies, and again when it is another.

    Parameters
    ----------
    key
        The setting that names the archive, for errors.

    Raises
    ------
    ValueError
        If it is no archive, cannot be read, would write outside the folder, would fill the disk, or holds a
        name that no file can have. Any other error of writing stays an OSError.
    """
    content, source = content_hash(archive, key, ctx.store), f"{key}={archive}"
    stored = cache_key("unpacked", content=content, version=VERSION)
    folder = ctx.store.folder(stored, lambda new: _unpack(archive, source, content, new, ctx))
    for note in json.loads((folder / NOTES).read_text("utf-8")):
        log.warning("%s: %s", archive.name, note)
    return folder / "files"


def _unpack(archive: Path, source: str, content: str, new: Path, ctx: Context) -> None:
    folder = new / "files"
    folder.mkdir()
    with _opened(archive, source) as files:
        _check_room(files.values(), folder, source)
        with ctx.report.progress("unpack", len(files), "files") as done:
            for name, member in files.items():
                _write(member, folder / name, name, source)
                done(1)
        notes = _notes(files)
    _check_folders(folder, files, source)
    if sha256(archive) != content:
        raise ValueError(f"{source} changed while it was unpacked; run it again")
    (new / NOTES).write_text(json.dumps(notes), "utf-8")


def _check_room(members: Iterable[Member], folder: Path, source: str) -> None:
    size, free = sum(member.size for member in members), shutil.disk_usage(folder).free
    if size > free / 2:  # pixels need room too, and no archive can fill the disk
        raise ValueError(
            f"{source} unpacks to {size / 1e9:.1f} GB, more than half of the {free / 1e9:.1f} GB that are "
            "free; free some space, or set cache.root=<a folder with room>"
        )


def _write(member: Member, target: Path, name: str, source: str) -> None:
    with _created(target, name, source) as out:
        for piece in _pieces(member, source):
            out.write(piece)


def _notes(files: Mapping[str, Member]) -> list[str]:
    """Return what a person should know of the names."""
    guessed = [path for path, member in files.items() if member.name.guessed]
    if not guessed:
        return []
    return [
        f"nothing says how {len(guessed)} of {len(files)} names are coded, and they are not UTF-8: they are "
        f"read as {guessed[0]!r} and the like; if letters are wrong, pack the files again with UTF-8 names, "
        "or unpack them by hand (unzip -O cp932, gbk, ...) and use the folder"
    ]


def _check_folders(folder: Path, files: Iterable[str], source: str) -> None:
    """Raise ValueError if the file system took two folders for one, as some take `Cat` for `cat`."""
    wanted = {parent for name in files for parent in PurePosixPath(name).parents}
    if sum(1 for _ in os.walk(folder)) < len(wanted):
        raise ValueError(
            f"{source} holds folders that differ only in case, spaces or accents, which the "
            "file system of cache.root takes for one; rename them, or set cache.root=<another file system>"
        )


def _created(target: Path, name: str, source: str) -> IO[bytes]:
    """Open a file for writing; raise ValueError if it is the name that makes this impossible."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")  # another name may be the same here: `Cat` and `cat`
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        shown = name if len(name) <= SHOWN else f"{name[:SHOWN]}..."
        raise ValueError(
            f"{source} holds {shown!r}, which no file here can be called ({error.strerror}), "
            "so nothing was unpacked; pack it again under another name"
        ) from error
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{source} holds {name!r}, and names here are coded as {error.encoding}, "
            "which lacks a letter of it; set PYTHONUTF8=1 and run it again"
        ) from error


def _pieces(member: Member, source: str) -> Iterator[bytes]:
    with _reading(source), member.open() or nullcontext() as file:
        if file is not None:
            yield from iter(partial(file.read, PIECE), b"")


@contextmanager
def _opened(archive: Path, source: str) -> Iterator[dict[str, Member]]:
    """Open an archive and give its visible files by path, every name checked first."""
    with ExitStack() as stack:
        with _reading(source):
            if zipfile.is_zipfile(archive):
                file = stack.enter_context(zipfile.ZipFile(archive))
                files = _checked(source, map(_zipped(file), file.infolist()))
            elif tarfile.is_tarfile(archive):
                tar = stack.enter_context(
                    tarfile.open(archive, encoding="utf-8", errors="surrogateescape")  # whatever the locale
                )
                files = _checked(source, map(_tarred(tar), tar))
            else:
                raise ValueError(
                    f"{source} is neither a folder nor a zip or tar; use a folder of images, "
                    "or an archive of one"
                )
        yield files


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """Turn errors of reading into a ValueError that names the archive: an OSError is then one of writing."""
    try:
        yield
    except UNREADABLE as error:
        raise ValueError(
            f"{source} cannot be unpacked ({error}); unpack it by hand and use the folder, or fetch it again"
        ) from error


def _zipped(file: zipfile.ZipFile) -> Callable[[zipfile.ZipInfo], Member]:
    def member(info: zipfile.ZipInfo) -> Member:
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 where the archive was not made on a Unix
        is_file = not info.is_dir() and kind in (0, stat.S_IFREG)
        return Member(zip_name(info), info.file_size, is_file or info.is_dir(), lambda: file.open(info))

    return member


def _tarred(tar: tarfile.TarFile) -> Callable[[tarfile.TarInfo], Member]:
    def member(info: tarfile.TarInfo) -> Member:
        name = tar_name(info)
        if info.isdir():
            name = name._replace(text=f"{name.text}/")
        return Member(name, info.size, info.isfile() or info.isdir(), lambda: tar.extractfile(info))

    return member


def _checked(source: str, members: Iterator[Member]) -> dict[str, Member]:
    """Return the visible files by path below the folder; a later one replaces an earlier, as in unzip."""
    files: dict[str, Member] = {}
    for member in members:
        name = member.name.text.partition("\0")[0]
        path = _path(name)
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:/", str(path)):
            raise ValueError(
                f"{source} holds {name!r}, which leads out of the folder that it "
                "is unpacked into, so nothing was unpacked; use an archive from a source that you trust"
            )
        if is_hidden(path.parts) or name.endswith(("/", "\\")):
            continue
        if not member.is_file:
            raise ValueError(
                f"{source} holds {name!r}, which is a link or device and no file, "
                "so nothing was unpacked; pack the files themselves (tar --dereference --hard-dereference)"
            )
        other = files.get(str(path))
        if other and other.name.guessed != member.name.guessed:  # two files, of which a guess makes one
            guessed, member = (member, other) if member.name.guessed else (other, member)
            files[str(_path(percent_encoded(guessed.name)))] = guessed
        files[str(path)] = member
    return files


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))  # some Windows tools write backslashes
