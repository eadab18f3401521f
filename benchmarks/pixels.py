"""Read decoded pixels from the memory map, against decoding the JPEGs in every epoch.

python benchmarks/pixels.py    a quarter of a minute; the ratio should be 5 or more
"""

import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
from PIL import Image

from experiments.context import Context
from experiments.dataset.image_folder import ImageFolder
from experiments.dataset.images.content import ImageFiles
from experiments.dataset.images.pixels import load_rgb, resized
from experiments.samples import Resize
from experiments.store.cache import Store

PHOTOGRAPHS = Path(__file__).parents[2] / "shared" / "data" / "caltech101_128.zip"
N, BATCH, EPOCHS = 2000, 32, 5


def main() -> None:
    """Print the seconds per epoch and their ratio, for two sizes."""
    with tempfile.TemporaryDirectory() as folder:
        root = PHOTOGRAPHS if PHOTOGRAPHS.exists() else generated(Path(folder) / "images")
        ctx = Context.plain(Store(Path(folder) / "cache"))
        content = images_of(root, ctx)
        print(f"{N} images of {root.name}, shuffled batches of {BATCH}, {ctx.threads} threads")
        print(f"{'size':>5} {'decode every epoch':>20} {'memory map':>12} {'ratio':>7}")
        for size in (48, 224):
            mapped = content.pixels(Resize(size), ctx)
            with ThreadPoolExecutor(ctx.threads) as pool:
                decode = decoder(content, Resize(size), pool)
                decoding, reading = seconds(decode), seconds(mapped.__getitem__)
            print(f"{size:>5} {decoding:>18.2f} s {reading:>10.3f} s {decoding / reading:>7.1f}")


def images_of(root: Path, ctx: Context) -> ImageFiles:
    """Return the content of a folder or archive."""
    stage = ImageFolder(
        root=str(root),
        max_unreadable=0,
        class_level=1,
        value_range=None,
        image_size=48,
        mirror=True,
        limit=N,
        labels=None,
        corrections=None,
        unlabelled="keep",
        split={"train": 1.0},
        split_seed=123,
    )
    content = stage.load(ctx).content
    if not isinstance(content, ImageFiles):
        raise TypeError(f"{root} gave no files")
    return content


def decoder(
    content: ImageFiles, resize: Resize, pool: ThreadPoolExecutor
) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that decodes a batch like the memory map."""

    def one(row: int) -> np.ndarray:
        image = load_rgb(content.root / content.paths[row], at_least=2 * resize.size)
        return np.asarray(resized(image, resize))

    return lambda rows: np.stack(list(pool.map(one, rows)))


def seconds(read: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the median seconds of a pass over the data."""
    times = []
    for epoch in range(EPOCHS):
        order = np.random.default_rng(epoch).permutation(N)
        start = perf_counter()
        for batch in np.split(order, range(BATCH, N, BATCH)):
            read(batch)
        times.append(perf_counter() - start)
    return median(times)


def generated(folder: Path) -> Path:
    """Write JPEGs of smooth noise, of the size of the missing photographs."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    for number in range(N):
        small = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        small.resize((128, 96), Image.Resampling.BICUBIC).save(folder / f"{number:04}.jpg")
    return folder


if __name__ == "__main__":
    main()
