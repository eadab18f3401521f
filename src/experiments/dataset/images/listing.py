"""What lies in a folder of images: which files are images, and of which class."""

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.dataset.images.formats import FOREIGN, IMAGE, PLAIN, SHARED, begins_as_an_image, ending


@dataclass(frozen=True, order=True)
class File:
    """A file below the root, by its POSIX path; `problem` says why it cannot be read."""

    path: str
    size: int = 0
    mtime_ns: int = 0
    ctime_ns: int = 0
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
        Folders directly below the base that hold images, be they in a format that is not read, if there are
        at least two; else empty.
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

    def class_of(self, file: File) -> str:
        """Return the name of the folder directly below the base."""
        return file.path.removeprefix(self.base).partition("/")[0]


def arrange(files: Iterable[File], folder: Path | None = None) -> Listing:
    """Sort files into images and others.

    Where the ending of a name does not tell, the first bytes do, if there is a `folder` to read them from.

    A lone folder that holds everything is stepped into, as zips often have one. Images that lie beside two or
    more class folders have no class and are left out; beside one folder, nothing is a class.
    """
    found: dict[str, list[File]] = {"image": [], "unreadable": [], "other": []}
    for file in sorted(files):
        found[_kind(file, folder)].append(file)
    images = found["image"]
    foreign = [file.path for file in found["unreadable"] if ending(file.path) in IMAGE + FOREIGN]
    base, classes = _classes([file.path for file in images], foreign)
    others = [(file.path, "not an image") for file in found["other"]]
    if classes:
        beside = [file for file in images if "/" not in file.path.removeprefix(base)]
        others += [(file.path, "beside the class folders") for file in beside]
        images = [file for file in images if "/" in file.path.removeprefix(base)]
    return Listing(base, images, tuple(sorted(classes)), found["unreadable"], others)


def _classes(images: list[str], foreign: list[str]) -> tuple[str, set[str]]:
    """Return the base that all images share, and the class folders in it if there are at least two.

    Images that cannot be read are asked too where the others lie in one folder: that folder is a class if
    they lie in another one.
    """
    base = _base(images)
    classes = _folders(base, images)
    if len(classes) > 1:
        return base, classes | _folders(base, foreign)
    wider = _base([*images, *foreign])
    classes = _folders(wider, [*images, *foreign])
    return (wider, classes) if wider != base and len(classes) > 1 else (base, set())


def _base(paths: list[str]) -> str:
    shared = posixpath.commonpath(map(posixpath.dirname, paths)) if paths else ""
    return f"{shared}/" if shared else ""


def _folders(base: str, paths: list[str]) -> set[str]:
    inside = (path.removeprefix(base) for path in paths if path.startswith(base))
    return {path.partition("/")[0] for path in inside if "/" in path}


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
        if hidden((entry.name,)):
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
            yield File(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def hidden(parts: Iterable[str]) -> bool:
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
