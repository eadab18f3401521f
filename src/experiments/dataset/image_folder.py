"""A folder of class folders, or of images without labels, or a zip or tar of either."""

import logging
import os
import re
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import UnidentifiedImageError

from experiments.dataset.content import ImageFiles, hash_bytes, in_chunks
from experiments.dataset.images.archive import names, unpacked
from experiments.dataset.images.deep import FULL, chosen
from experiments.dataset.images.listing import File, Listing, arrange, walk
from experiments.dataset.images.notices import about, listening
from experiments.dataset.images.pixels import Facts, facts
from experiments.dataset.selection import Selection
from experiments.kept import Record, digest
from experiments.types import Context, Samples, ValueRange

log = logging.getLogger(__name__)

PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}
FEW = 5  # files that may be unreadable whatever the share
NAMED = 5  # files that the log names with what Pillow says of them
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")  # brands of ISO media files


@dataclass(frozen=True, eq=False)
class Scan(Record):
    """What reading every file showed: a hash each, "" for an unreadable one, and the reasons of those.

    Parameters
    ----------
    extents
        float64 (n, 2): the smallest and the largest value of images deeper than 8 bits, nan of all others.
    whole
        bool (n,): those are whole numbers.
    several
        bool (n,): the file holds more pictures than its first.
    notices
        (row, text) of what Pillow and libtiff say of a file that can be read.
    stopped
        Says that a file could not be read for a reason that may pass, so that the scan is not kept.
    """

    hashes: np.ndarray
    reasons: tuple[str, ...]
    extents: np.ndarray
    whole: np.ndarray
    several: np.ndarray
    notices: tuple[tuple[int, str], ...] = ()
    stopped: str = ""

    def value_range(self, whole: bool) -> tuple[float, float] | None:
        """Return what is black and white in images of whole numbers, or of floats; None if there are none."""
        extents = self.extents[(self.whole == whole) & np.isfinite(self.extents[:, 0])]
        return chosen(whole, extents[:, 0].min(), extents[:, 1].max()) if len(extents) else None


@dataclass(frozen=True, kw_only=True)
class ImageFolder(Selection):
    """Images on disk; two or more folders directly below the root are the classes.

    Parameters
    ----------
    root
        The folder, or a .zip or .tar of it, which is unpacked into the store.
    max_unreadable
        Share of the images that may be unreadable; five always may.
    value_range
        [black, white] of images deeper than 8 bits, such as [0, 4095]; None: what the files state, else what
        all images together hold.
    """

    VERSION: ClassVar[int] = 2

    root: str = field(metadata={"path": True})
    max_unreadable: float = field(compare=False)
    value_range: tuple[float, ...] | None

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if not 0 <= self.max_unreadable <= 1:
            raise ValueError(f"dataset.max_unreadable={self.max_unreadable} is not a share; use 0 to 1")
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
        listing = arrange(walk(root), root) if root.is_dir() else arrange(map(File, names(root)))
        return self.limited(len(listing.images))

    def load(self, ctx: Context) -> Samples:
        """Return the images that can be read; raise ValueError if too many cannot."""
        root = self._existing_root()
        folder = root if root.is_dir() else unpacked(root, ctx)
        listing = arrange(walk(folder), folder)
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
        labels = _labels(listing, readable)
        skipped = [(path.removeprefix(listing.base), why) for path, why in [*unreadable, *listing.others]]
        if skipped:
            log.warning("%d files of %s are left out; see skipped_files.csv", len(skipped), root.name)
        if labels is not None:
            _warn_of_classes(listing.class_names, labels)
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


def _scan(folder: Path, images: list[File], ctx: Context) -> Scan:
    """Read every image once, or never again while path, size and times of change stay as they are.

    A file that takes the place of another can bring that one's size and time of writing (cp -p), but not
    the time at which the file system put it there.
    """
    listed = digest(
        str(folder.resolve()),
        [file.path for file in images],
        np.array([(file.size, file.mtime_ns, file.ctime_ns) for file in images], np.int64),
    )
    return ctx.store.fitted(f"scan-{listed}-{ImageFolder.VERSION}", lambda: _read_all(folder, images, ctx))


def _read_all(folder: Path, images: list[File], ctx: Context) -> Scan:
    n = len(images)
    hashes, reasons, passing = np.zeros(n, "U16"), np.zeros(n, object), np.zeros(n, bool)
    extents, whole, several = np.full((n, 2), np.nan), np.zeros(n, bool), np.zeros(n, bool)
    notices: dict[int, str] = {}

    def read(start: int, stop: int) -> None:
        for row in range(start, stop):
            with about() as texts:
                seen = _read(folder / images[row].path)
            if isinstance(seen, Unreadable):
                reasons[row], passing[row] = "; ".join([seen.reason, *texts]), seen.passing
                continue
            hashes[row], shown = seen
            extents[row], whole[row], several[row] = shown.extent or np.nan, shown.whole, shown.several
            if texts:
                notices[row] = "; ".join(texts)

    with listening():
        in_chunks("check images", n, ctx, read)
    stopped = f"{passing.sum()} files may be readable another time" if passing.any() else ""
    said = tuple(sorted(notices.items()))
    return Scan(hashes, tuple(reasons[hashes == ""]), extents, whole, several, said, stopped)


@dataclass(frozen=True)
class Unreadable:
    """Why a file cannot be read, and if that says nothing of the file itself."""

    reason: str
    passing: bool = False


def _read(path: Path) -> tuple[str, Facts] | Unreadable:
    """Return an image's hash and what decoding it shows, or why it cannot be read."""
    try:
        data = path.read_bytes()
        if not data:
            return Unreadable("empty file")
        if data[4:8] == b"ftyp" and data[8:12] in HEIC:
            return Unreadable(_foreign("HEIC"))
        return hash_bytes(data), facts(BytesIO(data))
    except MemoryError:
        return Unreadable("cannot be opened: too little memory", passing=True)
    except Exception as error:  # on damaged files Pillow's readers raise whatever the damage leads to
        if isinstance(error, OSError) and error.errno:  # from the system: Pillow's own have no number
            return Unreadable(f"cannot be opened: {error.strerror}", passing=True)
        text = str(error).partition(" <_io")[0] or type(error).__name__
        if isinstance(error, UnidentifiedImageError) and data.startswith((b"II", b"MM")):
            text += "; save it with 8 or 16 bits a channel if it is a whole TIFF"
        return Unreadable(f"cannot be decoded: {text}")


def _labels(listing: Listing, rows: np.ndarray) -> np.ndarray | None:
    if not listing.class_names:
        return None
    number = {name: label for label, name in enumerate(listing.class_names)}
    return np.array([number[listing.class_of(listing.images[row])] for row in rows], np.int64)


def _warn_of_classes(names: tuple[str, ...], labels: np.ndarray) -> None:
    """Point out folders that may be no classes, or that a person would miss among them."""
    if PARTS.issuperset(map(str.lower, names)):
        log.warning("folders %s look like a split, and are taken for classes", ", ".join(names))
    images = np.bincount(labels, minlength=len(names))
    bare = [name for name, count in zip(names, images, strict=True) if not count]
    if bare:
        log.warning("no image in %s can be read, so these classes are left out", ", ".join(bare))


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
    return file.problem or _foreign(file.path.rpartition(".")[2].upper())


def _foreign(kind: str) -> str:
    return f"{kind} is not read; convert it to JPEG or PNG"


def _no_images(root: str, left_out: list[tuple[str, str]]) -> str:
    example = f", only {len(left_out)} files such as {left_out[0][0]} ({left_out[0][1]})" if left_out else ""
    return (
        f"dataset.root={root} holds no image that can be read{example}; use a folder of images or of class "
        "folders (jpg, png, tif, webp, and whatever else Pillow reads)"
    )
