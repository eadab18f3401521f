"""Images or vectors made by a formula, any number of them, for tests of scale."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.dataset.images.content import ImageArrays, in_chunks
from experiments.dataset.selection.selection import Pool, Selection
from experiments.dataset.vectors.content import Vectors
from experiments.numerics.hashes import hash_rows
from experiments.samples import Samples
from experiments.store.keys import cache_key

KINDS = ("images", "vectors")
ROWS, CENTRES = 0, 1  # streams of random numbers
TRAITS = 12  # random numbers that describe an image, besides its noise
SPREAD = (0.618034, 0.754878, 0.569840)  # multiples of these fall far apart: angles, widths, hues of classes
CHUNK_VALUES = 2**19  # values that one thread makes at a time


@dataclass(frozen=True, kw_only=True)
class Synthetic(Selection):
    """n samples of classes whose sizes fall geometrically, the same on every machine and in any chunks.

    Images show a patch of stripes: angle, width and colour belong to the class; place, phase and contrast are
    the image's own, so that a network can learn what raw pixels tell only partly. Vectors lie around their
    class's centre; dimension j is scaled by 1 / sqrt(1 + j), as principal components fall.

    Parameters
    ----------
    kind
        `images` or `vectors`.
    imbalance
        Size of the largest class by that of the smallest.
    width
        Pixels a side, or values a vector.
    noise
        Of images: range of the noise, 1 from black to white. Of vectors: standard deviation within a class,
        where that of the centres is 1.
    """

    VERSION: ClassVar[int] = 1

    kind: str
    n: int
    classes: int
    imbalance: float
    width: int
    noise: float
    seed: int

    def __post_init__(self) -> None:
        """Check every range."""
        super().__post_init__()
        if self.kind not in KINDS:
            raise ValueError(f"dataset.kind={self.kind} is no kind of sample; use {' or '.join(KINDS)}")
        for name in ("n", "classes", "width"):
            if getattr(self, name) < 1:
                raise ValueError(f"dataset.{name}={getattr(self, name)} makes no samples; use 1 or more")
        if not 1 <= self.imbalance < np.inf:
            raise ValueError(f"dataset.imbalance={self.imbalance} is no ratio of class sizes; use 1 or more")
        if not 0 <= self.noise < np.inf:
            raise ValueError(f"dataset.noise={self.noise} is no amount; use 0 or more")
        if self.seed < 0:
            raise ValueError(f"dataset.seed={self.seed} is negative; use 0 or more")
        smallest = self._ideal_sizes()[-1]
        if smallest < 1:
            least = math.ceil(self.n / smallest)
            raise ValueError(
                f"dataset.n={self.n} leaves some of {self.classes} classes without a sample at "
                f"dataset.imbalance={self.imbalance:g}; use dataset.n={least} or more, or fewer classes"
            )

    def count(self) -> int:
        """Return how many samples `load` will give."""
        return self.limited(self.n)

    def load(self, ctx: Context) -> Samples:
        """Return the samples; they are made once, then read from the store."""
        labels = np.repeat(np.arange(self.classes), self.sizes())
        made_of = ("kind", "n", "classes", "imbalance", "width", "noise", "seed", "VERSION")
        key = cache_key("synthetic", **{name: getattr(self, name) for name in made_of})
        images = self.kind == "images"
        shape = (self.n, self.width, self.width, 3) if images else (self.n, self.width)
        size = max(1, CHUNK_VALUES // int(np.prod(shape[1:])))
        make = self._images if images else self._vectors

        def write(out: np.ndarray) -> None:
            def chunk(start: int, stop: int) -> None:
                out[start:stop] = make(labels[start:stop], start)

            in_chunks(f"make {self.kind}", self.n, ctx, chunk, size)

        values = ctx.store.fill(key, shape, "uint8" if images else "float32", write)
        hashes = ctx.store.array(cache_key("synthetic_hashes", values=key), lambda: hash_rows(values))
        content = ImageArrays.whole(values, hashes) if images else Vectors(values, hashes)
        ids = np.char.zfill(np.arange(self.n).astype(str), len(str(self.n - 1)))
        digits = len(str(self.classes - 1))
        names = tuple(f"class{label:0{digits}}" for label in range(self.classes))
        source = f"{self.kind} by formula, seed {self.seed}"
        return self.samples(Pool(source, ids, content, labels, names))

    def sizes(self) -> np.ndarray:
        """Return the images of each class, int64 (c,), falling; they sum to n."""
        ideal = self._ideal_sizes()
        sizes: np.ndarray = np.floor(ideal).astype(np.int64)
        short = self.n - sizes.sum()
        sizes[np.argsort(sizes - ideal, kind="stable")[:short]] += 1
        return sizes

    def _ideal_sizes(self) -> np.ndarray:
        weights = self.imbalance ** -np.linspace(0, 1, self.classes)
        return np.asarray(self.n * weights / weights.sum())

    def _vectors(self, labels: np.ndarray, start: int) -> np.ndarray:
        centres = _normals(self.seed, CENTRES, 0, self.classes, self.width)
        own = _normals(self.seed, ROWS, start, start + len(labels), self.width)
        return np.asarray((centres[labels] + self.noise * own) / np.sqrt(1 + np.arange(self.width)))

    def _images(self, labels: np.ndarray, start: int) -> np.ndarray:
        """Draw one patch of stripes for each label: uint8 (m, width, width, 3)."""
        shape = (len(labels), self.width, self.width, 3)
        grains = self.width**2 * 3
        bits = _raw(self.seed, ROWS, start, start + len(labels), TRAITS + _padded(grains, 8))
        grain = bits[:, TRAITS:].copy().view(np.uint8)[:, :grains].reshape(shape)
        own = _uniform(bits[:, :TRAITS])
        turn, stripes, hue = np.mod(np.outer(SPREAD, labels), 1)
        colour = 0.5 + 0.5 * np.cos(2 * np.pi * (hue[:, None] + 0.1 * own[:, :1] + np.arange(3) / 3))
        ground = 0.5 + 0.2 * (colour - 0.5) + 0.3 * (own[:, 1:4] - 0.5) - self.noise / 2
        picture = _stripes(turn, stripes, own[:, 4:], self.width)[..., None] * _pixelwise(colour)
        picture += _pixelwise(ground)
        picture += grain * np.float32(self.noise / 255)
        picture *= 255
        return np.asarray(np.clip(picture, 0, 255, out=picture).astype(np.uint8))


def _stripes(turn: np.ndarray, stripes: np.ndarray, own: np.ndarray, width: int) -> np.ndarray:
    """Return float32 (m, width, width): a class's waves in a patch of the image's own."""
    angle = np.pi * (turn + 0.03 * own[:, 0])
    frequency = 2 * np.pi * (1.5 + (min(width / 5, 8) - 1.5) * stripes)
    left, top, phase, spread, contrast = own[:, 1:6].T
    across = (np.arange(width) + 0.5) / width - 0.25
    x, y = across - 0.5 * left[:, None], across - 0.5 * top[:, None]
    spread = 0.15 + 0.2 * spread[:, None]
    along_x = (frequency * np.cos(angle))[:, None] * x + 2 * np.pi * phase[:, None]
    along_y = (frequency * np.sin(angle))[:, None] * y
    wave = np.cos((along_y[:, :, None] + along_x[:, None, :]).astype(np.float32))
    wave *= np.exp(-((y / spread) ** 2)).astype(np.float32)[:, :, None]
    wave *= ((0.25 + 0.25 * contrast)[:, None] * np.exp(-((x / spread) ** 2))).astype(np.float32)[:, None, :]
    return np.asarray(wave)


def _pixelwise(colour: np.ndarray) -> np.ndarray:
    return colour.astype(np.float32)[:, None, None, :]


def _raw(seed: int, stream: int, start: int, stop: int, words: int) -> np.ndarray:
    """Return uint64 (stop - start, words): row by row what a counter gives, wherever one starts.

    `words` is a multiple of 4, which is what Philox gives for one count.
    """
    bits = np.random.Philox(key=np.array([seed, stream], np.uint64))
    bits.advance(start * words // 4)
    return bits.random_raw((stop - start) * words).reshape(-1, words)


def _uniform(bits: np.ndarray) -> np.ndarray:
    """Return numbers in [0, 1)."""
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53)


def _normals(seed: int, stream: int, start: int, stop: int, d: int) -> np.ndarray:
    """Return standard normal values (stop - start, d), two of each 64 bits (Box and Muller, 1958)."""
    bits = _raw(seed, stream, start, stop, _padded(d, 2))
    radius = np.sqrt(-2 * np.log(((bits >> np.uint64(32)) + 1) * 2.0**-32))
    angle = 2 * np.pi * (bits & np.uint64(0xFFFFFFFF)) * 2.0**-32
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)[:, :d]


def _padded(values: int, per_word: int) -> int:
    """Return the words that hold so many values, a multiple of 4."""
    return -(-values // (4 * per_word)) * 4
