"""What lies in a folder of images: which files are images, and of which class."""

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.dataset.images.formats import FOREIGN, IMAGE, PLAIN, SHARED, begins_as_an_image, ending
from experiments.store.file_hashes import status_of


@dataclass(frozen=True, order=True)
class File:
    """A file below the root, by its POSIX path; `problem` says why it cannot be read.

    Parameters
    ----------
    status
        As in store/file_hashes.py; empty of a file in an archive.
    """

    path: str
    status: tuple[int, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Listing:
    """Images in the order of their paths, and what was left out.

    Parameters
    ----------
    base
        The folder below the root that all images share: "" or such as `patternmind_dataset/`.
    images
        Files whose ending or first bytes say that they can be read, and that have a class if the others do.
    class_names
        What `class_of` makes of the folders that hold images, be they in a format that is not read, if there
        are at least two; else empty.
    unreadable
        Files that are images, or would be, and cannot be read.
    others
        (path, reason) of what is no image, or has no class.
    """

    base: str
    images: list[File]
    class_names: tuple[str, ...]
    unreadable: list[File]
    others: list[tuple[str, str]]

    def folder_of(self, file: File) -> str:
        """Return the path of the folder that a file lies in below the base, "" for the base itself."""
        return _folder(self.base, file.path)


def class_of(folder: str, level: int | None) -> str:
    """Return the class of the images in the folder of this path, "" for none.

    Parameters
    ----------
    level
        1, 2, ...: the path of the first folders, so many; -1, -2, ...: the name of one folder, counted from
        the image; None: folders are no classes.
    """
    folders = folder.split("/") if folder else []
    if not level or len(folders) < abs(level):
        return ""
    return "/".join(folders[:level]) if level > 0 else folders[level]


def make_listing(files: Iterable[File], level: int | None, folder: Path | None = None) -> Listing:
    """Sort files into images and others; `level` as of `class_of`.

    Where the ending of a name does not tell, the first bytes do, if there is a `folder` to read them from.

    A lone folder that holds everything is stepped into, as zips often have one. Images that lie beside two or
    more class folders have no class and are left out; beside one folder, nothing is a class.
    """
    found: dict[str, list[File]] = {"image": [], "unreadable": [], "other": []}
    for file in sorted(files):
        found[_kind(file, folder)].append(file)
    images = found["image"]
    foreign = [file.path for file in found["unreadable"] if ending(file.path) in IMAGE + FOREIGN]
    base, classes = _classes([file.path for file in images], foreign, level)
    others = [(file.path, "not an image") for file in found["other"]]
    if classes:
        beside = [file for file in images if not _folder(base, file.path)]
        others += [(file.path, "beside the class folders") for file in beside]
        images = [file for file in images if _folder(base, file.path)] if beside else images
    return Listing(base, images, tuple(sorted(classes)), found["unreadable"], others)


def _classes(images: list[str], foreign: list[str], level: int | None) -> tuple[str, set[str]]:
    """Return the base that all images share, and the classes in it if there are at least two.

    Images that cannot be read are asked too where the others lie in one folder: that folder is a class if
    they lie in another one.
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
    """Give every visible file below a folder; links are followed, and never in a circle."""
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
    """Tell whether a path is hidden, or what macOS puts beside the files of a zip."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _kind(file: File, folder: Path | None) -> str:
    suffix = ending(file.path)
    if file.problem or suffix in FOREIGN:
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
