"""The images of a folder, zip or tar: those that can be read, and the files that are left out."""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from experiments.context import Context
from experiments.dataset.images.archive import list_files, unpack
from experiments.dataset.images.class_folders import check_level
from experiments.dataset.images.content import ImageFiles
from experiments.dataset.images.deep import FULL
from experiments.dataset.images.listing import File, Listing, make_listing, walk
from experiments.dataset.images.scan import Scan, scan_images, unsupported
from experiments.samples import ValueRange

log = logging.getLogger(__name__)

FEW = 5  # files that may be unreadable whatever the share
NAMED = 5  # files that the log names with what Pillow says of them


@dataclass(frozen=True, eq=False)
class Folder:
    """A folder whose images have all been decoded once.

    Parameters
    ----------
    path
        The folder itself, or the one that its archive was unpacked into.
    rows
        int64 (n,): which images of the listing can be read.
    unreadable
        (path, reason) of the others, and of files whose format is not read.
    """

    path: Path
    listing: Listing
    scan: Scan
    rows: np.ndarray
    unreadable: list[tuple[str, str]]

    @cached_property
    def ids(self) -> np.ndarray:
        """Return the paths of the images that can be read below the folder that all share, str (n,)."""
        return np.array([path.removeprefix(self.listing.base) for path in self._paths])

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """Return (id, reason) of every file that is not used."""
        base = self.listing.base
        return [(path.removeprefix(base), why) for path, why in [*self.unreadable, *self.listing.others]]

    def content(self, value_range: ValueRange) -> ImageFiles:
        """Return the images that can be read."""
        return ImageFiles(self.path, np.array(self._paths), self.scan.hashes[self.rows], value_range)

    @property
    def _paths(self) -> list[str]:
        return [self.listing.images[row].path for row in self.rows]


def list_images(root: str, key: str, level: int | None) -> Listing:
    """List a folder or an archive by names and first bytes alone; `level` as of `class_of`."""
    path = _existing(root, key)
    if path.is_dir():
        return make_listing(walk(path), level, path)
    return make_listing(map(File, list_files(path, key)), level)


def read_folder(
    root: str, key: str, ctx: Context, level: int | None = None, max_unreadable: float = 1.0
) -> Folder:
    """Read every image of a folder or an archive once; log what is left out.

    Parameters
    ----------
    key
        The setting that names the folder, for errors.
    level
        As of `class_of`.
    max_unreadable
        Share of the images that may be unreadable; five always may.

    Raises
    ------
    ValueError
        If more are, if no image can be read, or some do not lie as deep as `level` asks.
    """
    path = _existing(root, key)
    folder = path if path.is_dir() else unpack(path, ctx, key)
    listing = make_listing(walk(folder), level, folder)
    check_level(listing, level, root)
    scan = scan_images(folder, listing.images, ctx)
    broken = [file.path for file, name in zip(listing.images, scan.hashes, strict=True) if not name]
    unreadable = list(zip(broken, scan.reasons, strict=True))
    unreadable += [(file.path, _why(file)) for file in listing.unreadable]
    found = Folder(folder, listing, scan, np.flatnonzero(scan.hashes != ""), unreadable)
    _check_readable(found, f"{key}={root}", max_unreadable)
    if found.left_out:
        log.warning("%d files of %s are left out; see skipped_files.csv", len(found.left_out), path.name)
    _warn_of_files(scan, listing)
    return found


def value_range_of(scan: Scan, typed: tuple[float, ...] | None) -> ValueRange:
    """Return how images deeper than 8 bits are read, and log it; `typed` is black and white, or None."""
    ranges = {kind: scan.value_range(kind == "whole") for kind in ("whole", "real")}
    for kind, numbers in {"whole": "whole numbers of more than 8 bits", "real": "floats"}.items():
        if ranges[kind] is None:
            continue
        if typed is not None:
            ranges[kind] = (float(typed[0]), float(typed[1]))
            continue
        black, white = ranges[kind] or FULL
        usual = (black, white) in (FULL, (0.0, 1.0))
        log.log(
            logging.INFO if usual else logging.WARNING,
            "images of %s: %g is read as black and %g as white, by all that they hold; to set it, use "
            "dataset.value_range=[%g,%g]", numbers, black, white, black, white,
        )  # fmt: skip
    return ValueRange(**ranges)


def _existing(root: str, key: str) -> Path:
    path = Path(root)
    if not path.exists():
        raise ValueError(f"{key}={path} does not exist; use a folder of images, or a .zip or .tar of one")
    return path


def _check_readable(folder: Folder, source: str, max_unreadable: float) -> None:
    unreadable, listing = folder.unreadable, folder.listing
    n = len(listing.images) + len(listing.unreadable)
    if len(unreadable) > max(FEW, max_unreadable * n):
        first = "; ".join(f"{path}: {reason}" for path, reason in unreadable[:3])
        raise ValueError(
            f"{source} holds {len(unreadable)} unreadable of {n} images ({first}; ...), more than "
            f"dataset.max_unreadable={max_unreadable:g}; repair or remove them, or set "
            f"dataset.max_unreadable={np.ceil(len(unreadable) / n * 100) / 100:g}"
        )
    if not len(folder.rows):
        others = [*unreadable, *listing.others]
        example = f", only {len(others)} files such as {others[0][0]} ({others[0][1]})" if others else ""
        raise ValueError(
            f"{source} holds no image that can be read{example}; use a folder of images or of class folders "
            "(jpg, png, tif, webp, and whatever else Pillow reads)"
        )


def _why(file: File) -> str:
    return file.problem or unsupported(file.path.rpartition(".")[2].upper())


def _warn_of_files(scan: Scan, listing: Listing) -> None:
    """Log what Pillow says of files, and which of them hold more than is used."""
    for row, text in scan.notices[:NAMED]:
        log.warning("%s: %s", listing.images[row].path, text)
    if len(scan.notices) > NAMED:
        log.warning("%d more files can be read with such warnings", len(scan.notices) - NAMED)
    rows = np.flatnonzero(scan.several)
    if len(rows):
        log.warning(
            "%d files hold several pictures, of which the first is used, such as %s",
            len(rows), listing.images[rows[0]].path,
        )  # fmt: skip
