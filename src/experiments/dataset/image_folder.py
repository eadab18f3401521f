"""A folder of class folders, or of images without labels, or a zip or tar of either."""

import logging
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.dataset.images.archive import names, unpacked
from experiments.dataset.images.class_folders import KEY, check_level, labels_of, log_classes
from experiments.dataset.images.content import ImageFiles
from experiments.dataset.images.deep import FULL
from experiments.dataset.images.listing import File, Listing, arrange, walk
from experiments.dataset.images.scan import Scan, scanned, unsupported
from experiments.dataset.selection.selection import Selection
from experiments.samples import Samples, ValueRange

log = logging.getLogger(__name__)

FEW = 5  # files that may be unreadable whatever the share
NAMED = 5  # files that the log names with what Pillow says of them


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
    value_range
        [black, white] of images deeper than 8 bits, such as [0, 4095]; None: what the files state, else what
        all images together hold.
    """

    VERSION: ClassVar[int] = 2

    root: str = field(metadata={"path": True})
    max_unreadable: float = field(compare=False)
    class_level: int | None
    value_range: tuple[float, ...] | None

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
        if self.value_range is not None and not _is_range(self.value_range):
            raise ValueError(
                f"dataset.value_range={list(self.value_range)} is not a black and a larger white value; use "
                "two numbers, such as dataset.value_range=[0,4095], or null"
            )

    @property
    def name(self) -> str:
        """Return the folder's or the archive's name."""
        return re.sub(r"(\.tar)?\.(zip|tar|\w*gz|\w*bz2|\w*xz)$", "", Path(os.path.abspath(self.root)).name)

    def count(self) -> int:
        """Return how many images there seem to be, without decoding one."""
        root = self._existing_root()
        if root.is_dir():
            listing = arrange(walk(root), self.class_level, root)
        else:
            listing = arrange(map(File, names(root)), self.class_level)
        return self.limited(len(listing.images))

    def load(self, ctx: Context) -> Samples:
        """Return the images that can be read; raise ValueError if too many cannot."""
        root = self._existing_root()
        folder = root if root.is_dir() else unpacked(root, ctx)
        listing = arrange(walk(folder), self.class_level, folder)
        check_level(listing, self.class_level, self.root)
        scan = scanned(folder, listing.images, ctx)
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
        _warn_of_files(scan, listing)
        return self.samples(
            self.root,
            ids,
            ImageFiles(folder, paths, scan.hashes[readable], self._value_range(scan)),
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

    def _value_range(self, scan: Scan) -> ValueRange:
        """Return how images deeper than 8 bits are read, and log it."""
        ranges = {kind: scan.value_range(kind == "whole") for kind in ("whole", "real")}
        for kind, numbers in {"whole": "whole numbers of more than 8 bits", "real": "floats"}.items():
            if ranges[kind] is None:
                continue
            if self.value_range is not None:
                ranges[kind] = (float(self.value_range[0]), float(self.value_range[1]))
                continue
            black, white = ranges[kind] or FULL
            usual = (black, white) in (FULL, (0.0, 1.0))
            log.log(
                logging.INFO if usual else logging.WARNING,
                "images of %s: %g is read as black and %g as white, by all that they hold; to set it, use "
                "dataset.value_range=[%g,%g]", numbers, black, white, black, white,
            )  # fmt: skip
        return ValueRange(**ranges)

    def _check_unreadable(self, unreadable: list[tuple[str, str]], n: int) -> None:
        if len(unreadable) > max(FEW, self.max_unreadable * n):
            first = "; ".join(f"{path}: {reason}" for path, reason in unreadable[:3])
            raise ValueError(
                f"dataset.root={self.root} holds {len(unreadable)} unreadable of {n} images ({first}; ...), "
                f"more than dataset.max_unreadable={self.max_unreadable:g}; repair or remove them, or set "
                f"dataset.max_unreadable={np.ceil(len(unreadable) / n * 100) / 100:g}"
            )


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


def _is_range(values: tuple[float, ...]) -> bool:
    return len(values) == 2 and bool(np.isfinite(values).all()) and values[0] < values[1]


def _why(file: File) -> str:
    return file.problem or unsupported(file.path.rpartition(".")[2].upper())


def _no_images(root: str, left_out: list[tuple[str, str]]) -> str:
    example = f", only {len(left_out)} files such as {left_out[0][0]} ({left_out[0][1]})" if left_out else ""
    return (
        f"dataset.root={root} holds no image that can be read{example}; use a folder of images or of class "
        "folders (jpg, png, tif, webp, and whatever else Pillow reads)"
    )
