"""Unpack a zip or tar once and safely: regular files inside the target folder, or nothing at all."""

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
    UnicodeDecodeError,  # a name in a zip that is flagged as UTF-8 but is not
    OSError,  # read errors, and damaged data in gzip and bz2
    RuntimeError,  # encrypted, or compressed by a method that zipfile does not support
)
UNWRITABLE = (errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.EISDIR, errno.EINVAL, errno.EILSEQ)
CHUNK = 1 << 20  # bytes unpacked at a time
NOTES = "notes.json"  # warnings, in the folder above the files
NAME_LENGTH = 80  # characters of a name in a message


@dataclass(frozen=True)
class Member:
    """An entry of an archive: its path as written, its unpacked size in bytes, and a function to open it."""

    name: Name
    size: int
    is_file: bool
    open: Callable[[], IO[bytes] | None]


def list_files(archive: Path, key: str = KEY) -> list[str]:
    """List the files of an archive without unpacking it; a compressed tar is read completely."""
    with _opened(archive, f"{key}={archive}") as files:
        return list(files)


def unpack(archive: Path, ctx: Context, key: str = KEY) -> Path:
    """Unpack an archive into the store and return the folder; cached by the archive's content.

    Parameters
    ----------
    key
        Setting of the path, for errors.

    Raises
    ------
    ValueError
        If the file is not an archive, is unreadable, would write outside the folder, would fill the disk, or
        has an invalid file name. Other write errors stay OSErrors.
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
    if size > free / 2:  # the other half is for decoded pixels
        raise ValueError(
            f"{source} unpacks to {size / 1e9:.1f} GB, more than half of the {free / 1e9:.1f} GB of free "
            "space; free some space, or set cache.root=<a folder with room>"
        )


def _write(member: Member, target: Path, name: str, source: str) -> None:
    with _created(target, name, source) as out:
        for chunk in _chunks(member, source):
            out.write(chunk)


def _notes(files: Mapping[str, Member]) -> list[str]:
    """Return a warning about names of unknown encoding, if there are any."""
    guessed = [path for path, member in files.items() if member.name.guessed]
    if not guessed:
        return []
    return [
        f"{len(guessed)} of {len(files)} names are not UTF-8 and have an unknown encoding, such as "
        f"{guessed[0]!r}; if letters are wrong, pack the files again with UTF-8 names, or unpack them by "
        "hand (unzip -O cp932, gbk, ...) and use the folder"
    ]


def _check_folders(folder: Path, files: Iterable[str], source: str) -> None:
    """Raise ValueError if the file system merged two folders, such as `Cat` and `cat`."""
    expected = {parent for name in files for parent in PurePosixPath(name).parents}
    if sum(1 for _ in os.walk(folder)) < len(expected):
        raise ValueError(
            f"{source} has folders that differ only in case, spaces or accents, which the file system of "
            "cache.root merges; rename them, or set cache.root=<another file system>"
        )


def _created(target: Path, name: str, source: str) -> IO[bytes]:
    """Open a new file for writing; raise ValueError if its name is invalid here."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")  # fails if the file system merges two names, such as `Cat` and `cat`
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        short = name if len(name) <= NAME_LENGTH else f"{name[:NAME_LENGTH]}..."
        raise ValueError(
            f"{source} contains {short!r}, which is not a valid file name here ({error.strerror}), "
            "so nothing was unpacked; pack it again under another name"
        ) from error
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{source} contains {name!r}, which cannot be encoded as {error.encoding}, the encoding of file "
            "names here; set PYTHONUTF8=1 and run it again"
        ) from error


def _chunks(member: Member, source: str) -> Iterator[bytes]:
    with _reading(source), member.open() or nullcontext() as file:
        if file is not None:
            yield from iter(partial(file.read, CHUNK), b"")


@contextmanager
def _opened(archive: Path, source: str) -> Iterator[dict[str, Member]]:
    """Open an archive and yield its visible files by path, after checking every name."""
    with ExitStack() as stack:
        with _reading(source):
            if zipfile.is_zipfile(archive):
                file = stack.enter_context(zipfile.ZipFile(archive))
                files = _checked(source, map(_zipped(file), file.infolist()))
            elif tarfile.is_tarfile(archive):
                tar = stack.enter_context(
                    tarfile.open(archive, encoding="utf-8", errors="surrogateescape")  # in any locale
                )
                files = _checked(source, map(_tarred(tar), tar))
            else:
                raise ValueError(
                    f"{source} is not a folder, zip or tar; use a folder of images, or an archive of one"
                )
        yield files


@contextmanager
def _reading(source: str) -> Iterator[None]:
    """Raise read errors as a ValueError that names the archive, so an OSError is a write error."""
    try:
        yield
    except UNREADABLE as error:
        raise ValueError(
            f"{source} cannot be unpacked ({error}); unpack it by hand and use the folder, or fetch it again"
        ) from error


def _zipped(file: zipfile.ZipFile) -> Callable[[zipfile.ZipInfo], Member]:
    def member(info: zipfile.ZipInfo) -> Member:
        kind = stat.S_IFMT(info.external_attr >> 16)  # 0 if the archive was not created on Unix
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
    """Return the visible files by path; of equal paths the last one counts, as in unzip."""
    files: dict[str, Member] = {}
    for member in members:
        name = member.name.text.partition("\0")[0]
        path = _path(name)
        if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:/", str(path)):
            raise ValueError(
                f"{source} contains {name!r}, a path outside of the target folder, so nothing was unpacked; "
                "use an archive from a source that you trust"
            )
        if is_hidden(path.parts) or name.endswith(("/", "\\")):
            continue
        if not member.is_file:
            raise ValueError(
                f"{source} contains {name!r}, which is a link or device, so nothing was unpacked; pack the "
                "files themselves (tar --dereference --hard-dereference)"
            )
        other = files.get(str(path))
        if other and other.name.guessed != member.name.guessed:  # two files that a guessed encoding merges
            guessed, member = (member, other) if member.name.guessed else (other, member)
            files[str(_path(percent_encoded(guessed.name)))] = guessed
        files[str(path)] = member
    return files


def _path(name: str) -> PurePosixPath:
    return PurePosixPath(name.replace("\\", "/"))  # some Windows tools write backslashes
