"""Time one training epoch through the framework against a bare PyTorch loop on the same tensors.

    python benchmarks/epoch.py --rounds 5
    OMP_WAIT_POLICY=PASSIVE python benchmarks/epoch.py --size 8 --threads 1 2    # as in a run
    python benchmarks/epoch.py --size 224 --images 4096 --device cuda --dtype bfloat16

Both sides have the same network, augmentation, optimiser, batches and validation, and take turns. The
framework's side is all of `Cnn.fit`: Lightning, the checkpoint, the history and the report.
Target: a ratio of at most 1.10.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from experiments.backbone.cnn import Cnn
from experiments.backbone.convnet.augmentation import Augmentation
from experiments.backbone.convnet.batches import as_input
from experiments.backbone.inference.determinism import deterministic
from experiments.config.build import build
from experiments.config.compose import compose_config
from experiments.context import Context
from experiments.samples import Resize, Samples
from experiments.store.cache import Store


def framework(cnn: Cnn, samples: Samples, ctx: Context, turn: int) -> float:
    """Train one epoch with `Cnn.fit`; return the seconds it took."""
    start = time.perf_counter()
    cnn.fit(samples, ctx.with_input(f"{turn}"))
    return time.perf_counter() - start


def bare(
    cnn: Cnn, ctx: Context, pixels: Tensor, labels: Tensor, training: Tensor, validation: Tensor
) -> float:
    """Train one epoch in plain PyTorch; return the seconds it took."""
    start = time.perf_counter()
    network = cnn.network(int(labels.max()) + 1).to(ctx.device)
    augment = Augmentation(cnn.horizontal_flip, cnn.rotation, cnn.zoom, cnn.translation)
    optimizer = torch.optim.Adam(network.parameters(), cnn.learning_rate, eps=1e-7, fused=True)

    def loss(rows: Tensor, change: Augmentation | None) -> Tensor:
        images = as_input(pixels[rows].to(ctx.device))
        with torch.autocast(ctx.device, torch.bfloat16, enabled=ctx.dtype == "bfloat16"):
            scores = network(change(images) if change else images).float()
        return cross_entropy(scores, labels[rows].to(ctx.device)) + cnn.weight_decay * network.penalty()

    network.train()
    for rows in torch.split(training[torch.randperm(len(training))], cnn.batch_size):
        optimizer.zero_grad()
        torch.autograd.backward(loss(rows, augment))
        optimizer.step()
    network.eval()
    with torch.inference_mode():
        float(torch.stack([loss(rows, None) for rows in torch.split(validation, cnn.batch_size)]).mean())
    return time.perf_counter() - start


def epochs(images: int, size: int, rounds: int, ctx: Context) -> Iterator[tuple[float, float]]:
    """Yield the training images per second of both sides in each round, after one to warm up."""
    shape = ("dataset=synthetic", "dataset.width=48", f"dataset.image_size={size}", f"dataset.n={images}")
    classes = f"dataset.classes={min(102, images // 8)}"
    stages = build(compose_config([*shape, classes, "backbone.max_epochs=1"])).stages
    cnn = cast(Cnn, stages.backbone)
    samples = stages.dataset.load(ctx)
    pixels = np.array(samples.content.pixels(Resize(size), ctx))
    parts = (samples.rows("training"), samples.rows("validation"))
    tensors = [torch.from_numpy(array) for array in (pixels, np.asarray(samples.labels), *parts)]
    for turn in range(-1, rounds):  # the first imports Lightning
        seconds = framework(cnn, samples, ctx, turn)
        with deterministic(ctx):
            pair = seconds, bare(cnn, ctx, *tensors)
        if turn >= 0:
            yield len(parts[0]) / pair[0], len(parts[0]) / pair[1]


def main() -> None:
    """Measure with each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=7316)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--threads", type=int, nargs="+", default=[os.cpu_count()])
    options = parser.parse_args()
    for threads in options.threads:  # small batches are trained on one thread whatever their number
        measure(options, threads)


def measure(options: argparse.Namespace, threads: int) -> None:
    """Print every pair of rates with a number of threads, and the ratio of their medians."""
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        ctx = Context.plain(Store(Path(folder)))
        ctx = replace(ctx, threads=threads, device=options.device, dtype=options.dtype)
        for pair in epochs(options.images, options.size, options.rounds, ctx):
            pairs.append(pair)
            print(
                f"round {len(pairs)}: framework {pair[0]:.1f}, bare {pair[1]:.1f} images a second", flush=True
            )
    ours, theirs = (median(rates) for rates in zip(*pairs, strict=True))
    about = f"{options.device}, {options.dtype}, {threads} threads, medians of {options.rounds}"
    print(
        f"{options.images} images of {options.size}x{options.size}, {about}: framework {ours:.1f}, bare "
        f"{theirs:.1f} images a second, ratio of their times {theirs / ours:.3f} (target: at most 1.10)"
    )


if __name__ == "__main__":
    main()
