"""What samples of images hold: image files, or images in memory."""

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

CHUNK = 64  # images that one thread takes at a time
NO_IMAGE = "0" * 16  # the hash of a blank, where there is no image to look at
BLANK = 230  # its grey
ALONE = ValueRange()  # images deeper than 8 bits are read each by itself
T = TypeVar("T")


class Images(ShortRepr):
    """What all images have in common, wherever they are."""

    KIND: ClassVar[str] = "images"
    VERSION: ClassVar[int] = pixels.VERSION
    pictured: ClassVar[bool] = True
    looks: ClassVar[str] = ""
    value_range: ValueRange = ALONE

    def vectors(self) -> NoReturn:
        """Raise ValueError: images have to be embedded first."""
        raise ValueError("backbone=identity needs vectors, and these are images; use backbone=cnn or pixels")


@dataclass(frozen=True, eq=False)
class ImageFiles(Images):
    """Image files below `root`, each already known to be readable; "" is none, and looks blank."""

    root: Path
    paths: np.ndarray
    hashes: np.ndarray
    value_range: ValueRange = ALONE

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
        """Return the key and the bytes of what `pixels` keeps."""
        return _pixel_map(self.hashes, resize, self.value_range)

    def dimensions(self) -> np.ndarray:
        """Return width and height of each image, from its header: int64 (n, 2), 0 where there is none."""
        read = partial(self._read, read=pixels.dimensions)
        with capture_notices(), file_notices():
            sizes = [read(row) if path else (0, 0) for row, path in enumerate(self.paths)]
        return np.array(sizes, np.int64).reshape(-1, 2)

    def _decoded(self, row: int, load: Callable[[BytesIO], Image.Image]) -> Image.Image:
        """Decode one file, if it still holds what its hash is of, as pixels are kept under that."""

        def read(path: Path) -> Image.Image:
            data = path.read_bytes()
            if hash_bytes(data) != self.hashes[row]:
                raise ValueError("its content is another now")
            return load(BytesIO(data))

        return self._read(row, read)

    def _read(self, row: int, read: Callable[[Path], T]) -> T:
        """Read one file; raise ValueError if that is no longer possible, as OSErrors are the store's own."""
        try:
            return read(self.root / self.paths[row])
        except MemoryError:
            raise
        except Exception as error:  # on damaged files Pillow's readers raise whatever the damage leads to
            raise ValueError(
                f"dataset.root={self.root} holds {self.paths[row]}, which could be read at first and now "
                f"cannot ({error}); put it back, or start again: what cannot be read is left out then"
            ) from error


@dataclass(frozen=True, eq=False)
class ImageArrays(Images):
    """The `rows` of images that are in memory or in a memory map.

    Parameters
    ----------
    images
        uint8 (m, height, width) or (m, height, width, 3).
    rows
        int64 (n,), ascending.
    hashes
        str (n,), those of `rows`.
    """

    images: np.ndarray
    rows: np.ndarray
    hashes: np.ndarray

    @classmethod
    def whole(cls, images: np.ndarray, hashes: np.ndarray) -> Self:
        """Hold every image."""
        return cls(images, np.arange(len(images)), hashes)

    def take(self, rows: np.ndarray) -> Self:
        """Return the content of these rows alone."""
        return replace(self, rows=self.rows[rows], hashes=self.hashes[rows])

    def pixels(self, resize: Resize, ctx: Context) -> np.ndarray:
        """Return uint8 RGB (n, size, size, 3): the images themselves where they already are that."""
        key, _ = self.pixel_map(resize)
        if not key:
            return self.images

        def resample(start: int, stop: int, out: np.ndarray) -> None:
            for row in range(start, stop):
                image = Image.fromarray(self.images[self.rows[row]]).convert("RGB")
                out[row] = np.asarray(pixels.resized(image, resize))

        return _filled(key, len(self.rows), resize, ctx, resample)

    def pixel_map(self, resize: Resize) -> tuple[str, int]:
        """Return the key and the bytes of what `pixels` keeps; ("", 0) where it keeps nothing."""
        if self.images.shape == (len(self.rows), resize.size, resize.size, 3):
            return "", 0
        return _pixel_map(self.hashes, resize)

    def dimensions(self) -> np.ndarray:
        """Return width and height of each image: int64 (n, 2), all the same."""
        height, width = self.images.shape[1:3]
        return np.tile(np.array([width, height], np.int64), (len(self.rows), 1))


def in_chunks(task: str, n: int, ctx: Context, work: Callable[[int, int], None], size: int = CHUNK) -> None:
    """Call `work(start, stop)` for all of n images on `ctx.threads` threads, and show how far it is."""

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
    """Return the pixels kept under `key`, or let `write(start, stop, out)` make them."""

    def write_silently(start: int, stop: int, out: np.ndarray) -> None:
        with file_notices():  # what is said of a file is said once, when it is checked
            write(start, stop, out)

    def fill(out: np.ndarray) -> None:
        with capture_notices():
            in_chunks("decode images", n, ctx, lambda start, stop: write_silently(start, stop, out))

    return ctx.store.fill(key, (n, resize.size, resize.size, 3), "uint8", fill)
