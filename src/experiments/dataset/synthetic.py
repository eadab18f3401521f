"""Synthetic images or vectors of any number, for tests of scale."""

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
TRAITS = 12  # random numbers per image, without its noise
SPREAD = (0.618034, 0.754878, 0.569840)  # steps modulo 1 of the classes' angles, stripe widths and hues
CHUNK_VALUES = 2**19  # number of values per thread at a time


@dataclass(frozen=True, kw_only=True)
class Synthetic(Selection):
    """n synthetic samples in classes of geometrically falling size, the same on every machine.

    Images show a patch of stripes: angle, stripe width and colour depend on the class; position, phase and
    contrast vary within it, so that a network separates the classes better than raw pixels do. Vectors are
    normally distributed around the centre of their class; dimension j is scaled by 1 / sqrt(1 + j), like
    principal components.

    Parameters
    ----------
    kind
        `images` or `vectors`.
    imbalance
        Size of the largest class divided by that of the smallest.
    width
        Pixels a side, or values per vector.
    noise
        Images: range of the noise, 1 from black to white. Vectors: standard deviation within a class; that of
        the centres is 1.
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
        """Check the settings."""
        super().__post_init__()
        if self.kind not in KINDS:
            raise ValueError(f"dataset.kind={self.kind} is unknown; use {' or '.join(KINDS)}")
        for name in ("n", "classes", "width"):
            if getattr(self, name) < 1:
                raise ValueError(f"dataset.{name}={getattr(self, name)} gives no samples; use 1 or more")
        if not 1 <= self.imbalance < np.inf:
            raise ValueError(
                f"dataset.imbalance={self.imbalance} is not a ratio of class sizes; use 1 or more"
            )
        if not 0 <= self.noise < np.inf:
            raise ValueError(f"dataset.noise={self.noise} is out of range; use 0 or more")
        if self.seed < 0:
            raise ValueError(f"dataset.seed={self.seed} is negative; use 0 or more")
        smallest = self._ideal_sizes()[-1]
        if smallest < 1:
            least = math.ceil(self.n / smallest)
            raise ValueError(
                f"dataset.n={self.n} leaves some of {self.classes} classes without a sample at "
                f"dataset.imbalance={self.imbalance:g}; use dataset.n={least} or more, or fewer classes"
            )

    def default_name(self) -> str:
        """Return the name of the option."""
        return "synthetic_vectors" if self.kind == "vectors" else "synthetic"

    def count(self) -> int:
        """Return the number of samples."""
        return self.limited(self.n)

    def load(self, ctx: Context) -> Samples:
        """Return the samples, generated once and then cached."""
        labels = np.repeat(np.arange(self.classes), self.sizes())
        settings = ("kind", "n", "classes", "imbalance", "width", "noise", "seed", "VERSION")
        key = cache_key("synthetic", **{name: getattr(self, name) for name in settings})
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
        """Return the sizes of the classes, int64 (c,), in descending order; they sum to n."""
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
    """Return float32 (m, width, width): stripes of the class in a patch that differs by image."""
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
    """Return random uint64 (stop - start, words) that depend only on seed, stream and row.

    `words` is a multiple of 4, the output of Philox per step of its counter.
    """
    bits = np.random.Philox(key=np.array([seed, stream], np.uint64))
    bits.advance(start * words // 4)
    return bits.random_raw((stop - start) * words).reshape(-1, words)


def _uniform(bits: np.ndarray) -> np.ndarray:
    """Return random bits as numbers in [0, 1)."""
    return np.asarray((bits >> np.uint64(11)) * 2.0**-53)


def _normals(seed: int, stream: int, start: int, stop: int, d: int) -> np.ndarray:
    """Return standard normal values (stop - start, d), two from each 64 bits (Box and Muller, 1958)."""
    bits = _raw(seed, stream, start, stop, _padded(d, 2))
    radius = np.sqrt(-2 * np.log(((bits >> np.uint64(32)) + 1) * 2.0**-32))
    angle = 2 * np.pi * (bits & np.uint64(0xFFFFFFFF)) * 2.0**-32
    return np.concatenate([radius * np.cos(angle), radius * np.sin(angle)], axis=1)[:, :d]


def _padded(values: int, per_word: int) -> int:
    """Return the number of random words for these values, rounded up to a multiple of 4."""
    return -(-values // (4 * per_word)) * 4
