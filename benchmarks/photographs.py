"""Photographs of 12 megapixels as phones make them: images a second on one thread, in JPEG, HEIC and AVIF.

python benchmarks/photographs.py    one to four minutes; "check" is how a data set first reads a file
"""

from collections.abc import Callable
from io import BytesIO
from time import perf_counter
from typing import Any

import numpy as np
from PIL import Image

from experiments.dataset.images.formats import readable
from experiments.dataset.images.pixels import facts, load_rgb, resized
from experiments.samples import Resize

SIZE, THUMBNAIL, N, SECONDS = (4032, 3024), 320, 3, 4.0  # of the photographs; their number; of a measurement
KINDS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90},
    "HEIF": {"quality": 60, "thumbnails": [THUMBNAIL]},
    "AVIF": {"quality": 70, "speed": 9},
}


def main() -> None:
    """Print images a second by format and by what is asked for."""
    readable()  # registers the plugins
    photographs = [photograph(seed) for seed in range(N)]
    print("images a second on one thread")
    print(f"{'':>6} {'MB':>5} {'check':>7} {'48':>7} {'128':>7} {'224':>7} {'whole':>7}")
    for kind, options in KINDS.items():
        files = [encoded(image, kind, options) for image in photographs]
        tasks: list[Callable[[BytesIO], object]] = [facts, at(48), at(128), at(224), whole]
        rates = " ".join(f"{rate(task, files):>7.1f}" for task in tasks)
        print(f"{kind:>6} {np.mean([len(file) for file in files]) / 1e6:>5.1f} {rates}", flush=True)


def photograph(seed: int) -> Image.Image:
    """Return a smooth image with texture and noise."""
    rng = np.random.default_rng(seed)
    image = np.zeros((SIZE[1], SIZE[0], 3), np.float32)
    for cells, strength in ((6, 90), (60, 30), (600, 12)):
        grid = rng.normal(0, strength, (cells * 3 // 4, cells, 3)).clip(-127, 127) + 128
        layer = Image.fromarray(grid.astype(np.uint8)).resize(SIZE, Image.Resampling.BICUBIC)
        image += np.asarray(layer, np.float32) - 128
    image += rng.normal(0, 3, image.shape).astype(np.float32)
    return Image.fromarray((image + 128).clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str, options: dict[str, Any]) -> bytes:
    """Return the bytes of a file."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def at(side: int) -> Callable[[BytesIO], object]:
    """Return the task of a data set: decode, and resize to `side`."""
    return lambda file: resized(load_rgb(file, at_least=2 * side), Resize(side))


def whole(file: BytesIO) -> object:
    """Decode all pixels."""
    return load_rgb(file, at_least=max(SIZE))


def rate(task: Callable[[BytesIO], object], files: list[bytes]) -> float:
    """Return how often a task is done in a second, files in turn."""
    count, start = 0, perf_counter()
    while count < N or perf_counter() - start < SECONDS:
        task(BytesIO(files[count % N]))
        count += 1
    return count / (perf_counter() - start)


if __name__ == "__main__":
    main()
