"""A folder of class folders, or of images without labels, or a zip or tar of either."""

import logging
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.dataset.content import ImageFiles, hash_bytes, in_chunks
from experiments.dataset.images import pixels
from experiments.dataset.images.archive import names, unpacked
from experiments.dataset.images.class_folders import KEY, check_level, labels_of, log_classes
from experiments.dataset.images.listing import File, arrange, walk
from experiments.dataset.images.pixels import load_rgb
from experiments.dataset.selection import Selection
from experiments.files import settled
from experiments.kept import Record, digest
from experiments.types import Context, Samples

log = logging.getLogger(__name__)

FEW = 5  # files that may be unreadable whatever the share
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")  # brands of ISO media files


@dataclass(frozen=True, eq=False)
class Hashes(Record):
    """A hash of every file's bytes, "" where it could not be read; `stopped` says why they are not kept."""

    hashes: np.ndarray
    stopped: str = ""


@dataclass(frozen=True, eq=False)
class Scan(Record):
    """What reading every file showed: a hash each, "" for an unreadable one, and the reasons of those.

    `stopped` says that a file could not be read for a reason that may pass, so that the scan is not kept.
    """

    hashes: np.ndarray
    reasons: tuple[str, ...]
    stopped: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageFolder(Selection):
    """Images on disk, in folders that are their classes if there are at least two.

    Parameters
    ----------
    root
        The folder, or a .zip or .tar of it, which is unpacked into the store.
    max_unreadable
        Share of the images that may be unreadable; five always may.
    class_level
        Which folders are classes: 1, those directly below the folder that all images share; 2, those in
        them, called `alphabet/character`, and so on; -1, those that images lie in, by name alone, so that
        `train/cat` and `test/cat` are one class; -2, the folders around these; None: none.
    """

    VERSION: ClassVar[int] = 1

    root: str = field(metadata={"path": True})
    max_unreadable: float = field(compare=False)
    class_level: int | None

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if not 0 <= self.max_unreadable <= 1:
            raise ValueError(f"dataset.max_unreadable={self.max_unreadable} is not a share; use 0 to 1")
        if self.class_level == 0:
            raise ValueError(
                f"{KEY}=0 is no level; use 1 for the first folders below the root, -1 for those that images "
                "lie in, or null for none"
            )

    @property
    def name(self) -> str:
        """Return the folder's or the archive's name."""
        return re.sub(r"(\.tar)?\.(zip|tar|\w*gz|\w*bz2|\w*xz)$", "", Path(os.path.abspath(self.root)).name)

    def count(self) -> int:
        """Return how many images the names promise, without opening one."""
        root = self._existing_root()
        files = walk(root) if root.is_dir() else map(File, names(root))
        return self.limited(len(arrange(files, self.class_level).images))

    def load(self, ctx: Context) -> Samples:
        """Return the images that can be read; raise ValueError if too many cannot."""
        root = self._existing_root()
        folder = root if root.is_dir() else unpacked(root, ctx)
        listing = arrange(walk(folder), self.class_level)
        check_level(listing, self.class_level, self.root)
        scan = _scan(folder, listing.images, ctx)
        readable = np.flatnonzero(scan.hashes != "")
        broken = [file.path for file, name in zip(listing.images, scan.hashes, strict=True) if not name]
        unreadable = list(zip(broken, scan.reasons, strict=True))
        unreadable += [(file.path, _why(file)) for file in listing.unreadable]
        self._check_unreadable(unreadable, len(listing.images) + len(listing.unreadable))
        if not len(readable):
            raise ValueError(_no_images(self.root, [*unreadable, *listing.others]))
        paths = np.array([listing.images[row].path for row in readable])
        ids = np.array([path.removeprefix(listing.base) for path in paths])
        labels = labels_of(listing, readable, self.class_level)
        skipped = [(path.removeprefix(listing.base), why) for path, why in [*unreadable, *listing.others]]
        if skipped:
            log.warning("%d files of %s are left out; see skipped_files.csv", len(skipped), root.name)
        log_classes(listing, labels, self.class_level)
        return self.samples(
            self.root,
            ids,
            ImageFiles(folder, paths, scan.hashes[readable]),
            labels,
            listing.class_names,
            tuple(skipped),
        )

    def _existing_root(self) -> Path:
        root = Path(self.root)
        if not root.exists():
            raise ValueError(
                f"dataset.root={root} does not exist; use a folder of images, or a .zip or .tar of one"
            )
        return root

    def _check_unreadable(self, unreadable: list[tuple[str, str]], n: int) -> None:
        if len(unreadable) > max(FEW, self.max_unreadable * n):
            first = "; ".join(f"{path}: {reason}" for path, reason in unreadable[:3])
            raise ValueError(
                f"dataset.root={self.root} holds {len(unreadable)} unreadable of {n} images ({first}; ...), "
                f"more than dataset.max_unreadable={self.max_unreadable:g}; repair or remove them, or set "
                f"dataset.max_unreadable={np.ceil(len(unreadable) / n * 100) / 100:g}"
            )


def _scan(folder: Path, images: list[File], ctx: Context) -> Scan:
    """Decode every image once, or never again while its content and its path stay as they are."""
    paths = [file.path for file in images]
    statuses, listed = [file.status for file in images], "\0".join(paths)
    if settled(statuses):
        key = f"hashes-{digest(listed, repr(statuses))}"
        read = ctx.store.fitted(key, lambda: _hashed(folder, images, ctx))
    else:
        read = _hashed(folder, images, ctx)
    key = digest(listed, "".join(read.hashes.tolist()), pixels.VERSION)
    return ctx.store.fitted(
        f"scan-{key}-{ImageFolder.VERSION}", lambda: _decoded(folder, paths, read.hashes, ctx)
    )


def _hashed(folder: Path, images: list[File], ctx: Context) -> Hashes:
    """Hash every file, which is quick next to decoding it."""
    hashes = np.zeros(len(images), "U16")

    def read(start: int, stop: int) -> None:
        for row in range(start, stop):
            with suppress(OSError, MemoryError):  # why, decoding it says
                hashes[row] = hash_bytes((folder / images[row].path).read_bytes())

    in_chunks("read images", len(images), ctx, read)
    return Hashes(hashes, "some files could not be read" * bool((hashes == "").any()))


def _decoded(folder: Path, paths: list[str], known: np.ndarray, ctx: Context) -> Scan:
    hashes, reasons = np.zeros(len(paths), "U16"), np.zeros(len(paths), object)
    passing = np.zeros(len(paths), bool)

    def read(start: int, stop: int) -> None:
        for row in range(start, stop):
            hashes[row], reasons[row], passing[row] = _read(folder / paths[row])
            passing[row] |= known[row] == "" or hashes[row] not in ("", known[row])  # changed meanwhile

    in_chunks("check images", len(paths), ctx, read)
    stopped = f"{passing.sum()} files may be readable another time" if passing.any() else ""
    return Scan(hashes, tuple(reasons[hashes == ""]), stopped)


def _read(path: Path) -> tuple[str, str, bool]:
    """Return an image's hash, or why it cannot be read, and whether that says nothing of the file itself."""
    try:
        data = path.read_bytes()
        if not data:
            return "", "empty file", False
        if data[4:8] == b"ftyp" and data[8:12] in HEIC:
            return "", _foreign("HEIC"), False
        load_rgb(BytesIO(data), at_least=1)
    except MemoryError:
        return "", "cannot be opened: too little memory", True
    except Exception as error:  # on damaged files Pillow's readers raise whatever the damage leads to
        if isinstance(error, OSError) and error.errno:  # from the system: Pillow's own have no number
            return "", f"cannot be opened: {error.strerror}", True
        text = str(error).partition(" <_io")[0] or type(error).__name__
        return "", f"cannot be decoded: {text}", False
    return hash_bytes(data), "", False


def _why(file: File) -> str:
    return file.problem or _foreign(file.path.rpartition(".")[2].upper())


def _foreign(kind: str) -> str:
    return f"{kind} is not read; convert it to JPEG or PNG"


def _no_images(root: str, left_out: list[tuple[str, str]]) -> str:
    example = f", only {len(left_out)} files such as {left_out[0][0]} ({left_out[0][1]})" if left_out else ""
    return (
        f"dataset.root={root} holds no image that can be read{example}; use a folder of images or of class "
        "folders (jpg, jpeg, png, bmp, gif, webp, tif, tiff)"
    )
