"""What lies in a folder of images: which files are images, and of which class."""

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

IMAGE = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
FOREIGN = (".heic", ".heif", ".avif", ".jp2", ".jxl", ".psd", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".svg")


@dataclass(frozen=True, order=True)
class File:
    """A file below the root, by its POSIX path; `problem` says why it cannot be read."""

    path: str
    size: int = 0
    mtime_ns: int = 0
    problem: str = ""


@dataclass(frozen=True)
class Listing:
    """Images in the order of their paths, and what was left out.

    Parameters
    ----------
    base
        The folder below the root that all images share: "" or such as `patternmind_dataset/`.
    images
        Files whose ending says that they can be read, and that have a class if the others do.
    class_names
        Folders directly below the base, if there are at least two; else empty.
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


def arrange(files: Iterable[File]) -> Listing:
    """Sort files into images and others.

    A lone folder that holds everything is stepped into, as zips often have one. Images that lie beside two or
    more class folders have no class and are left out; beside one folder, nothing is a class.
    """
    found: dict[str, list[File]] = {"image": [], "unreadable": [], "other": []}
    for file in sorted(files):
        found[_kind(file)].append(file)
    images = found["image"]
    shared = posixpath.commonpath([posixpath.dirname(file.path) for file in images]) if images else ""
    base = f"{shared}/" if shared else ""
    inside = [file.path.removeprefix(base) for file in images]
    classes = sorted({path.partition("/")[0] for path in inside if "/" in path})
    others = [(file.path, "not an image") for file in found["other"]]
    if len(classes) > 1:
        others += [(f"{base}{path}", "beside the class folders") for path in inside if "/" not in path]
        images = [file for file, path in zip(images, inside, strict=True) if "/" in path]
    return Listing(base, images, tuple(classes) if len(classes) > 1 else (), found["unreadable"], others)


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
            yield File(path, status.st_size, status.st_mtime_ns)


def hidden(parts: Iterable[str]) -> bool:
    """Tell whether a path is hidden, or what macOS puts beside the files of a zip."""
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def _kind(file: File) -> str:
    ending = posixpath.splitext(file.path)[1].lower()
    if file.problem or ending in FOREIGN:
        return "unreadable"
    return "image" if ending in IMAGE else "other"


def _printable(path: str) -> str:
    return path.encode(errors="replace").decode()
