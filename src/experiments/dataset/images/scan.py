"""Read every image of a folder once: its hash, and what decoding it shows."""

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import UnidentifiedImageError

from experiments.context import Context
from experiments.dataset.images import pixels
from experiments.dataset.images.content import in_chunks
from experiments.dataset.images.deep import choose_range
from experiments.dataset.images.listing import File
from experiments.dataset.images.notices import capture_notices, file_notices
from experiments.dataset.images.pixels import Facts, facts
from experiments.numerics.hashes import hash_bytes
from experiments.store.file_hashes import settled
from experiments.store.keys import cache_key
from experiments.store.values import Record

VERSION = 2
HEIC = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")  # brands of ISO media files


@dataclass(frozen=True, eq=False)
class Hashes(Record):
    """A hash of every file's bytes, "" where it could not be read; `stopped` says why they are not kept."""

    hashes: np.ndarray
    stopped: str = ""


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
        return choose_range(whole, extents[:, 0].min(), extents[:, 1].max()) if len(extents) else None


def scan_images(folder: Path, images: list[File], ctx: Context) -> Scan:
    """Decode every image once, or never again while its content and its path stay as they are."""
    paths = [file.path for file in images]
    statuses, listed = [file.status for file in images], "\0".join(paths)
    if settled(statuses):
        key = cache_key("hashes", paths=listed, statuses=repr(statuses))
        read = ctx.store.fitted(key, lambda: _hashed(folder, images, ctx))
    else:
        read = _hashed(folder, images, ctx)
    hashes = "".join(read.hashes.tolist())
    key = cache_key("scan", paths=listed, hashes=hashes, pixels=pixels.VERSION, version=VERSION)
    return ctx.store.fitted(key, lambda: _decoded(folder, paths, read.hashes, ctx))


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
    n = len(paths)
    hashes, reasons, passing = np.zeros(n, "U16"), np.zeros(n, object), np.zeros(n, bool)
    extents, whole, several = np.full((n, 2), np.nan), np.zeros(n, bool), np.zeros(n, bool)
    notices: dict[int, str] = {}

    def read(start: int, stop: int) -> None:
        for row in range(start, stop):
            with file_notices() as texts:
                seen = _read(folder / paths[row])
            if isinstance(seen, Unreadable):
                reasons[row], passing[row] = "; ".join([seen.reason, *texts]), seen.passing
            else:
                hashes[row], shown = seen
                extents[row], whole[row], several[row] = shown.extent or np.nan, shown.whole, shown.several
                if texts:
                    notices[row] = "; ".join(texts)
            passing[row] |= known[row] == "" or hashes[row] not in ("", known[row])  # changed meanwhile

    with capture_notices():
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
            return Unreadable(unsupported("HEIC"))
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


def unsupported(kind: str) -> str:
    """Return why files of a format such as HEIC are left out."""
    return f"{kind} is not read; convert it to JPEG or PNG"
