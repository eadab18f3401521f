"""Measure anonymous memory above the imports: embed and cluster synthetic 32x32 images by an untrained CNN.

python benchmarks/memory.py [--images 100000]    prints the peak for a quarter of the images and for all
"""

import argparse
import importlib
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

IMPORTS = ("torch", "faiss", "pandas", "sklearn.cluster", "sklearn.decomposition", "sklearn.metrics")
GIB = 2**30


def anonymous() -> int:
    """Return this process's anonymous resident bytes (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))


class Peak(threading.Thread):
    """Peak of anonymous memory, sampled every 10 ms."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.base = self.highest = anonymous()
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until done."""
        while not self.done.wait(0.01):
            self.highest = max(self.highest, anonymous())


def measure(images: int) -> None:
    """Run the pipeline once in this process; print the peak above the imports."""
    for name in IMPORTS:
        importlib.import_module(name)
    from experiments import pipeline
    from experiments.config import compose
    from experiments.config.build import build
    from experiments.context import Context
    from experiments.store.cache import Store

    overrides = [
        "dataset=synthetic",
        f"dataset.n={images}",
        "dataset.image_size=32",
        "dataset.width=32",
        "backbone.max_epochs=0",
    ]
    plan = build(compose.compose_config(overrides))
    with tempfile.TemporaryDirectory() as folder:
        peak = Peak()
        peak.start()
        result = pipeline.run(plan.stages, Context.plain(Store(Path(folder))))
        peak.done.set()
        embedding = result.embeddings.nbytes
    above = peak.highest - peak.base
    print(
        f"{images:>8,} images: {above / GIB:.2f} GiB above the imports; without the embedding itself "
        f"({embedding / GIB:.2f} GiB) {(above - embedding) / GIB:.2f} GiB"
    )


def main() -> None:
    """Measure a quarter and all of the images, each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--alone", action="store_true", help="measure in this process")
    args = parser.parse_args()
    if args.alone:
        measure(args.images)
        return
    for images in (args.images // 4, args.images):
        subprocess.run([sys.executable, __file__, "--alone", "--images", str(images)], check=True)


if __name__ == "__main__":
    main()
