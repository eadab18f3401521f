"""Check every image of a folder once by hashing and decoding it."""

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import UnidentifiedImageError

from experiments.context import Context
from experiments.dataset.images import pixels, plugins
from experiments.dataset.images.content import in_chunks
from experiments.dataset.images.deep import choose_range
from experiments.dataset.images.listing import File
from experiments.dataset.images.notices import capture_notices, file_notices
from experiments.dataset.images.pixels import Facts, facts
from experiments.numerics.hashes import hash_bytes
from experiments.store.file_hashes import are_reliable
from experiments.store.keys import cache_key
from experiments.store.values import SavedFields

VERSION = 2


@dataclass(frozen=True, eq=False)
class Hashes(SavedFields):
    """A hash of each file's bytes, "" if unreadable; `stopped` is the reason not to cache them, or ""."""

    hashes: np.ndarray
    stopped: str = ""


@dataclass(frozen=True, eq=False)
class Scan(SavedFields):
    """The checked files: hashes ("" for unreadable files), and reasons for unreadable files.

    Parameters
    ----------
    extents
        float64 (n, 2): smallest and largest value of images deeper than 8 bits, nan for others.
    whole
        bool (n,): True if these values are whole numbers.
    several
        bool (n,): True if the file has several images.
    notices
        (row, text) of the warnings of Pillow and libtiff about readable files.
    stopped
        The reason not to cache the scan: temporarily unreadable files; "" for none.
    """

    hashes: np.ndarray
    reasons: tuple[str, ...]
    extents: np.ndarray
    whole: np.ndarray
    several: np.ndarray
    notices: tuple[tuple[int, str], ...] = ()
    stopped: str = ""

    def value_range(self, whole: bool) -> tuple[float, float] | None:
        """Return black and white of images of whole numbers, or of floats; None if there are none."""
        extents = self.extents[(self.whole == whole) & np.isfinite(self.extents[:, 0])]
        return choose_range(whole, extents[:, 0].min(), extents[:, 1].max()) if len(extents) else None


def scan_images(folder: Path, images: list[File], ctx: Context) -> Scan:
    """Check every image; cached by paths and contents."""
    paths = [file.path for file in images]
    statuses, listed = [file.status for file in images], "\0".join(paths)
    if are_reliable(statuses):
        key = cache_key("hashes", paths=listed, statuses=repr(statuses))
        read = ctx.store.fitted(key, lambda: _hashed(folder, images, ctx))
    else:
        read = _hashed(folder, images, ctx)
    hashes = "".join(read.hashes.tolist())
    versions = {"pixels": pixels.VERSION, "version": VERSION, "plugins": sorted(plugins.installed())}
    key = cache_key("scan", paths=listed, hashes=hashes, **versions)
    return ctx.store.fitted(key, lambda: _decoded(folder, paths, read.hashes, ctx))


def _hashed(folder: Path, images: list[File], ctx: Context) -> Hashes:
    """Hash every file, which is fast compared to decoding it."""
    hashes = np.zeros(len(images), "U16")

    def read(start: int, stop: int) -> None:
        for row in range(start, stop):
            with suppress(OSError, MemoryError):  # decoding reports the reason
                hashes[row] = hash_bytes((folder / images[row].path).read_bytes())

    in_chunks("read images", len(images), ctx, read)
    return Hashes(hashes, "some files could not be read" * bool((hashes == "").any()))


def _decoded(folder: Path, paths: list[str], known: np.ndarray, ctx: Context) -> Scan:
    n = len(paths)
    hashes, reasons, temporary = np.zeros(n, "U16"), np.zeros(n, object), np.zeros(n, bool)
    extents, whole, several = np.full((n, 2), np.nan), np.zeros(n, bool), np.zeros(n, bool)
    notices: dict[int, str] = {}

    def read(start: int, stop: int) -> None:
        for row in range(start, stop):
            with file_notices() as texts:
                result = _read(folder / paths[row])
            if isinstance(result, Unreadable):
                reasons[row], temporary[row] = "; ".join([result.reason, *texts]), result.temporary
            else:
                hashes[row], image = result
                extents[row], whole[row], several[row] = image.extent or np.nan, image.whole, image.several
                if texts:
                    notices[row] = "; ".join(texts)
            temporary[row] |= known[row] == "" or hashes[row] not in ("", known[row])  # changed meanwhile

    with capture_notices():
        in_chunks("check images", n, ctx, read)
    stopped = f"{temporary.sum()} files may be readable later" if temporary.any() else ""
    by_row = tuple(sorted(notices.items()))
    return Scan(hashes, tuple(reasons[hashes == ""]), extents, whole, several, by_row, stopped)


@dataclass(frozen=True)
class Unreadable:
    """The reason why a file is unreadable; `temporary` if the file itself may be intact."""

    reason: str
    temporary: bool = False


def _read(path: Path) -> tuple[str, Facts] | Unreadable:
    """Return an image's hash and properties, or the reason why it is unreadable."""
    try:
        data = path.read_bytes()
        if not data:
            return Unreadable("empty file")
        return hash_bytes(data), facts(BytesIO(data))
    except MemoryError:
        return Unreadable("cannot be opened: not enough memory", temporary=True)
    except Exception as error:  # Pillow raises exceptions of any type for damaged files
        if isinstance(error, OSError) and error.errno:  # a system error; errors of Pillow have no errno
            return Unreadable(f"cannot be opened: {error.strerror}", temporary=True)
        if plugins.missing_packages([extension := plugins.extension_by_content(data)]):
            return Unreadable(plugins.unsupported(extension))
        text = str(error).partition(" <_io")[0] or type(error).__name__
        if isinstance(error, UnidentifiedImageError) and data.startswith((b"II", b"MM")):
            text += "; if it is a complete TIFF, save it with 8 or 16 bits a channel"
        return Unreadable(f"cannot be decoded: {text}")
