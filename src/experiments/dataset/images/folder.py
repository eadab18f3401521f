"""Read the images of a folder, zip or tar."""

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
from experiments.dataset.images.formats import extension
from experiments.dataset.images.listing import File, Listing, make_listing, walk
from experiments.dataset.images.plugins import install, missing_packages, unsupported
from experiments.dataset.images.scan import Scan, scan_images
from experiments.messages import DataError, counted
from experiments.samples import ValueRange

log = logging.getLogger(__name__)

ALWAYS_ALLOWED = 5  # number of unreadable files always allowed
LISTED = 5  # largest number of files whose notices are logged


@dataclass(frozen=True, eq=False)
class Folder:
    """A folder of images, each checked by decoding it.

    Parameters
    ----------
    path
        The folder, or the unpacked archive.
    rows
        int64 (n,): indices of the readable images in the listing.
    unreadable
        (path, reason) of unreadable images, and of files of unsupported formats.
    """

    path: Path
    listing: Listing
    scan: Scan
    rows: np.ndarray
    unreadable: list[tuple[str, str]]

    @cached_property
    def ids(self) -> np.ndarray:
        """Return the paths of the readable images below the folder that all images share, str (n,)."""
        return np.array([path.removeprefix(self.listing.base) for path in self._paths])

    @property
    def left_out(self) -> list[tuple[str, str]]:
        """Return (id, reason) of every unused file."""
        files = [*self.unreadable, *self.listing.others]
        return [(path.removeprefix(self.listing.base), reason) for path, reason in files]

    def content(self, value_range: ValueRange) -> ImageFiles:
        """Return the readable images."""
        return ImageFiles(self.path, np.array(self._paths), self.scan.hashes[self.rows], value_range)

    @property
    def _paths(self) -> list[str]:
        return [self.listing.images[row].path for row in self.rows]


def list_images(root: str, key: str, level: int | None) -> Listing:
    """List a folder or an archive by names and first bytes only; `level` is as in `class_of`."""
    path = _existing(root, key)
    if path.is_dir():
        return make_listing(walk(path), level, path)
    return make_listing(map(File, list_files(path, key)), level)


def read_folder(
    root: str, key: str, ctx: Context, level: int | None = None, max_unreadable: float = 1.0
) -> Folder:
    """Check every image of a folder or an archive; log the skipped files.

    Parameters
    ----------
    key
        Setting of the path, for errors.
    level
        As in `class_of`.
    max_unreadable
        Share of the images that may be unreadable; five are always allowed.

    Raises
    ------
    ValueError
        If too many or all images are unreadable, or some are in fewer folders than `level` needs.
    """
    path = _existing(root, key)
    folder = path if path.is_dir() else unpack(path, ctx, key)
    listing = make_listing(walk(folder), level, folder)
    check_level(listing, level, root)
    scan = scan_images(folder, listing.images, ctx)
    broken = [file.path for file, name in zip(listing.images, scan.hashes, strict=True) if not name]
    unreadable = list(zip(broken, scan.reasons, strict=True))
    unreadable += [(file.path, _reason(file)) for file in listing.unreadable]
    checked = Folder(folder, listing, scan, np.flatnonzero(scan.hashes != ""), unreadable)
    _check_readable(checked, f"{key}={root}", max_unreadable)
    if checked.left_out:
        more = f"; to read more of them, type {command}" if (command := _missing(listing)) else ""
        log.warning(
            "left out of %s: %s, see the list of skipped files%s",
            path.name,
            counted(len(checked.left_out), "file"),
            more,
        )
    _warn_of_files(scan, listing)
    return checked


def value_range_of(scan: Scan, typed: tuple[float, ...] | None) -> ValueRange:
    """Return the range of images deeper than 8 bits, and log it; `typed` is the setting, or None."""
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
            "images of %s: %g is read as black and %g as white, from the range over all images; to change "
            "it, use dataset.value_range=[%g,%g]", numbers, black, white, black, white,
        )  # fmt: skip
    return ValueRange(**ranges)


def _existing(root: str, key: str) -> Path:
    path = Path(root)
    if not path.exists():
        raise DataError(key, path, " does not exist", "use a folder of images, or a .zip or .tar of one")
    return path


def _check_readable(folder: Folder, source: str, max_unreadable: float) -> None:
    unreadable, listing = folder.unreadable, folder.listing
    n = len(listing.images) + len(listing.unreadable)
    missing = f"type {command}, or " if (command := _missing(listing)) else ""
    if len(unreadable) > max(ALWAYS_ALLOWED, max_unreadable * n):
        first = "; ".join(f"{path}: {reason}" for path, reason in unreadable[:3])
        raise ValueError(
            f"{source} has {len(unreadable)} unreadable images of {n} ({first}; ...), more than "
            f"dataset.max_unreadable={max_unreadable:g}; {missing}repair or remove them, or set "
            f"dataset.max_unreadable={np.ceil(len(unreadable) / n * 100) / 100:g}"
        )
    if not len(folder.rows):
        others = [*unreadable, *listing.others]
        example = f", only {len(others)} files such as {others[0][0]} ({others[0][1]})" if others else ""
        raise ValueError(
            f"{source} has no readable image{example}; {missing}use a folder of images or of class folders "
            "(jpg, png, tif, webp, and all other formats of Pillow)"
        )


def _reason(file: File) -> str:
    return file.problem or unsupported(extension(file.path))


def _missing(listing: Listing) -> str:
    """Return the command that installs the plugins that would read more files, "" for none."""
    packages = missing_packages(extension(file.path) for file in listing.unreadable)
    return install(packages) if packages else ""


def _warn_of_files(scan: Scan, listing: Listing) -> None:
    """Log Pillow's notices about files, and files with several images."""
    for row, text in scan.notices[:LISTED]:
        log.warning("%s: %s", listing.images[row].path, text)
    if len(scan.notices) > LISTED:
        log.warning("%d more files have such warnings", len(scan.notices) - LISTED)
    rows = np.flatnonzero(scan.several)
    if len(rows):
        log.warning(
            "%d files have several images, of which the first is used, such as %s",
            len(rows), listing.images[rows[0]].path,
        )  # fmt: skip
