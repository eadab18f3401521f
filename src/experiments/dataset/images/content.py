"""Content of image samples: image files, or arrays of pixels."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import ClassVar, NoReturn, Self, TypeVar

import numpy as np
from PIL import Image

from experiments.context import Context
from experiments.dataset.images import pixels
from experiments.dataset.images.notices import capture_notices, file_notices
from experiments.numerics.hashes import hash_bytes
from experiments.samples import Resize, ValueRange
from experiments.store.keys import cache_key
from experiments.store.short_repr import ShortRepr
from experiments.store.values import joined

CHUNK = 64  # number of images per thread at a time
NO_IMAGE = "0" * 16  # hash of a missing image, which is shown blank
BLANK = 230  # grey of a blank image
PER_IMAGE = ValueRange()  # each image deeper than 8 bits is scaled by its own range
T = TypeVar("T")


class Images(ShortRepr):
    """Base class of image contents."""

    KIND: ClassVar[str] = "images"
    VERSION: ClassVar[int] = pixels.VERSION
    has_images: ClassVar[bool] = True
    image_key: ClassVar[str] = ""
    value_range: ValueRange = PER_IMAGE

    def vectors(self) -> NoReturn:
        """Raise ValueError, because images need a backbone."""
        raise ValueError("backbone=identity needs vectors, not images; use backbone=cnn or backbone=pixels")


@dataclass(frozen=True, eq=False)
class ImageFiles(Images):
    """Readable image files below `root`; the path "" is a missing image, which is shown blank."""

    root: Path
    paths: np.ndarray
    hashes: np.ndarray
    value_range: ValueRange = PER_IMAGE

    def take(self, rows: np.ndarray) -> Self:
        """Return the content of these rows alone."""
        return replace(self, paths=self.paths[rows], hashes=self.hashes[rows])

    def pixels(self, resize: Resize, ctx: Context) -> np.ndarray:
        """Return uint8 RGB (n, size, size, 3), decoded once into a memory map."""
        load = partial(pixels.load_rgb, at_least=2 * resize.size, value_range=self.value_range)

        def decode(start: int, stop: int, out: np.ndarray) -> None:
            for row in range(start, stop):
                if self.paths[row]:
                    out[row] = np.asarray(pixels.resized(self._decoded(row, load), resize))
                else:
                    out[row] = BLANK

        return _filled(self.pixel_map(resize)[0], len(self.paths), resize, ctx, decode)

    def pixel_map(self, resize: Resize) -> tuple[str, int]:
        """Return the cache key and the size in bytes of the pixels."""
        return _pixel_map(self.hashes, resize, self.value_range)

    def dimensions(self) -> np.ndarray:
        """Return width and height of each image, from its header: int64 (n, 2), 0 for a missing image."""
        read = partial(self._read, read=pixels.dimensions)
        with capture_notices(), file_notices():
            sizes = [read(row) if path else (0, 0) for row, path in enumerate(self.paths)]
        return np.array(sizes, np.int64).reshape(-1, 2)

    def _decoded(self, row: int, load: Callable[[BytesIO], Image.Image]) -> Image.Image:
        """Decode a file; raise ValueError if its content has changed since it was hashed."""

        def read(path: Path) -> Image.Image:
            data = path.read_bytes()
            if hash_bytes(data) != self.hashes[row]:
                raise ValueError("its content has changed")
            return load(BytesIO(data))

        return self._read(row, read)

    def _read(self, row: int, read: Callable[[Path], T]) -> T:
        """Read a file; raise ValueError if that fails, because an OSError means an error of the store."""
        try:
            return read(self.root / self.paths[row])
        except MemoryError:
            raise
        except Exception as error:  # Pillow raises exceptions of any type for damaged files
            raise ValueError(
                f"dataset.root={self.root}: {self.paths[row]} has changed since it was checked "
                f"({error}); put it back, or start again to skip it"
            ) from error


@dataclass(frozen=True, eq=False)
class ImageArrays(Images):
    """Rows of an array of images.

    Parameters
    ----------
    images
        uint8 (m, height, width) or (m, height, width, 3).
    rows
        int64 (n,), ascending.
    hashes
        str (n,), of the images in `rows`.
    """

    images: np.ndarray
    rows: np.ndarray
    hashes: np.ndarray

    @classmethod
    def whole(cls, images: np.ndarray, hashes: np.ndarray) -> Self:
        """Return the content with all images of an array."""
        return cls(images, np.arange(len(images)), hashes)

    def take(self, rows: np.ndarray) -> Self:
        """Return the content of these rows alone."""
        return replace(self, rows=self.rows[rows], hashes=self.hashes[rows])

    def pixels(self, resize: Resize, ctx: Context) -> np.ndarray:
        """Return uint8 RGB (n, size, size, 3), without a copy if the images have that shape."""
        key, _ = self.pixel_map(resize)
        if not key:
            return self.images

        def resample(start: int, stop: int, out: np.ndarray) -> None:
            for row in range(start, stop):
                image = Image.fromarray(self.images[self.rows[row]]).convert("RGB")
                out[row] = np.asarray(pixels.resized(image, resize))

        return _filled(key, len(self.rows), resize, ctx, resample)

    def pixel_map(self, resize: Resize) -> tuple[str, int]:
        """Return the cache key and the size in bytes of the pixels; ("", 0) if they are not cached."""
        if self.images.shape == (len(self.rows), resize.size, resize.size, 3):
            return "", 0
        return _pixel_map(self.hashes, resize)

    def dimensions(self) -> np.ndarray:
        """Return width and height of each image: int64 (n, 2), all rows equal."""
        height, width = self.images.shape[1:3]
        return np.tile(np.array([width, height], np.int64), (len(self.rows), 1))


def in_chunks(task: str, n: int, ctx: Context, work: Callable[[int, int], None], size: int = CHUNK) -> None:
    """Call `work(start, stop)` for n images in chunks on `ctx.threads` threads, with a progress bar."""

    def run(start: int) -> int:
        stop = min(start + size, n)
        work(start, stop)
        return stop - start

    with ThreadPoolExecutor(ctx.threads) as pool, ctx.report.progress(task, n, "images") as done:
        for count in pool.map(run, range(0, n, size)):
            done(count)


def _pixel_map(hashes: np.ndarray, resize: Resize, value_range: ValueRange | None = None) -> tuple[str, int]:
    ranges = {"value_range": value_range} if value_range else {}
    key = cache_key("pixels", hashes=joined(hashes), resize=resize, version=pixels.VERSION, **ranges)
    return key, len(hashes) * resize.size * resize.size * 3


def _filled(
    key: str, n: int, resize: Resize, ctx: Context, write: Callable[[int, int, np.ndarray], None]
) -> np.ndarray:
    """Return the pixels cached as `key`; if missing, compute them by `write(start, stop, out)`."""

    def write_silently(start: int, stop: int, out: np.ndarray) -> None:
        with file_notices():  # discarded: a file's notices are logged once, when it is checked
            write(start, stop, out)

    def fill(out: np.ndarray) -> None:
        with capture_notices():
            in_chunks("decode images", n, ctx, lambda start, stop: write_silently(start, stop, out))

    return ctx.store.fill(key, (n, resize.size, resize.size, 3), "uint8", fill)
