"""List the images of a folder or archive, and their classes."""

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.dataset.images.formats import FOREIGN, IMAGE, PLAIN, SHARED, begins_as_an_image, extension
from experiments.dataset.images.plugins import missing_packages
from experiments.store.file_hashes import status_of


@dataclass(frozen=True, order=True)
class File:
    """A file by its POSIX path below the root; `problem` is the reason if it is unreadable.

    Parameters
    ----------
    status
        Size and times, as in store/file_hashes.py; empty for a file in an archive.
    """

    path: str
    status: tuple[int, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Listing:
    """Images sorted by path, and the skipped files.

    Parameters
    ----------
    base
        Folder below the root that all images share: "" or such as `patternmind_dataset/`.
    images
        Images by file extension or first bytes; if there are classes, only images that have one.
    class_names
        Classes of all folders with images, even of unsupported formats; empty if fewer than two.
    unreadable
        Images that cannot be opened or whose format is not supported.
    others
        (path, reason) of files that are not images or have no class.
    """

    base: str
    images: list[File]
    class_names: tuple[str, ...]
    unreadable: list[File]
    others: list[tuple[str, str]]

    def folder_of(self, file: File) -> str:
        """Return the path of a file's folder below the base, "" for the base itself."""
        return _folder(self.base, file.path)


def class_of(folder: str, level: int | None) -> str:
    """Return the class of the images in a folder, "" for none.

    Parameters
    ----------
    folder
        Path below the base.
    level
        1, 2, ...: the path of the first 1, 2, ... folders; -1, -2, ...: the name of the last folder, the last
        but one, ...; None: no classes.
    """
    folders = folder.split("/") if folder else []
    if not level or len(folders) < abs(level):
        return ""
    return "/".join(folders[:level]) if level > 0 else folders[level]


def make_listing(files: Iterable[File], level: int | None, folder: Path | None = None) -> Listing:
    """Sort files into images and others; `level` is as in `class_of`.

    Ambiguous file extensions are decided by the first bytes, if there is a `folder` to read them from.

    A single folder with all files, as in many zips, is skipped. Images next to two or more
    class folders have no class and are left out. If images are next to a single folder, there are no classes.
    """
    by_kind: dict[str, list[File]] = {"image": [], "unreadable": [], "other": []}
    for file in sorted(files):
        by_kind[_kind(file, folder)].append(file)
    images = by_kind["image"]
    foreign = [file.path for file in by_kind["unreadable"] if extension(file.path) in IMAGE + FOREIGN]
    base, classes = _classes([file.path for file in images], foreign, level)
    others = [(file.path, "not an image") for file in by_kind["other"]]
    if classes:
        unlabelled = [file for file in images if not _folder(base, file.path)]
        others += [(file.path, "next to the class folders") for file in unlabelled]
        images = [file for file in images if _folder(base, file.path)] if unlabelled else images
    return Listing(base, images, tuple(sorted(classes)), by_kind["unreadable"], others)


def _classes(images: list[str], foreign: list[str], level: int | None) -> tuple[str, set[str]]:
    """Return the base that all images share, and its classes if there are at least two.

    If the readable images have fewer than two classes, the folders of unreadable images count too.
    """
    base = _base(images)
    classes = _names(base, images, level)
    if len(classes) > 1:
        return base, classes | _names(base, foreign, level)
    wider = _base([*images, *foreign])
    classes = _names(wider, [*images, *foreign], level)
    return (wider, classes) if wider != base and len(classes) > 1 else (base, set())


def _base(paths: list[str]) -> str:
    shared = posixpath.commonpath(map(posixpath.dirname, paths)) if paths else ""
    return f"{shared}/" if shared else ""


def _names(base: str, paths: list[str], level: int | None) -> set[str]:
    folders = {_folder(base, path) for path in paths if path.startswith(base)}
    return {class_of(folder, level) for folder in folders} - {""}


def _folder(base: str, path: str) -> str:
    return path[len(base) :].rpartition("/")[0]


def walk(folder: Path, prefix: str = "", above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[File]:
    """Yield every visible file below a folder; links are followed, except to a folder above."""
    status = folder.stat()
    above |= {(status.st_dev, status.st_ino)}
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        yield File(_printable(prefix), problem=f"cannot be opened: {error.strerror}")
        return
    for entry in entries:
        path = f"{prefix}{entry.name}"
        if is_hidden((entry.name,)):
            continue
        try:
            status = entry.stat()
        except OSError as error:
            yield File(_printable(path), problem=f"cannot be opened: {error.strerror}")
            continue
        if stat.S_ISDIR(status.st_mode):
            if (status.st_dev, status.st_ino) not in above:
                yield from walk(folder / entry.name, f"{path}/", above)
        elif path != _printable(path):
            yield File(_printable(path), problem="its name is not UTF-8; rename it")
        elif stat.S_ISREG(status.st_mode):
            yield File(path, status_of(status))


def is_hidden(parts: Iterable[str]) -> bool:
    """Return True for a hidden path, and for metadata that macOS adds to a zip."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _kind(file: File, folder: Path | None) -> str:
    suffix = extension(file.path)
    if file.problem or suffix in FOREIGN or missing_packages([suffix]):
        return "unreadable"
    if suffix in PLAIN:
        return "image"
    if suffix and suffix not in SHARED:
        return "other"
    if folder is None:
        return "image" if suffix else "other"
    return "image" if begins_as_an_image(folder / file.path, suffix) else "other"


def _printable(path: str) -> str:
    return path.encode(errors="replace").decode()
