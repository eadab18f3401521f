"""Time one training epoch through the framework against a bare PyTorch loop on the same tensors.

    python benchmarks/epoch.py --rounds 5

Both sides have the same network, augmentation, optimiser, batches and validation, and take turns. The
framework's side is all of `Cnn.fit`: Lightning, the checkpoint, the history and the report.
Target: a ratio of at most 1.10.
"""

import argparse
import os
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import cast

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from experiments.backbone.cnn import Cnn
from experiments.backbone.cnn_augmentation import Augmentation
from experiments.cache import Store
from experiments.compose import compose_config
from experiments.config import build
from experiments.types import Context, Resize, Samples


def framework(cnn: Cnn, samples: Samples, ctx: Context, turn: int) -> float:
    """Train one epoch with `Cnn.fit`; return the seconds it took."""
    start = time.perf_counter()
    cnn.fit(samples, ctx.on(f"{turn}"))
    return time.perf_counter() - start


def bare(cnn: Cnn, pixels: Tensor, labels: Tensor, training: Tensor, validation: Tensor) -> float:
    """Train one epoch in plain PyTorch; return the seconds it took."""
    start = time.perf_counter()
    network = cnn.network(int(labels.max()) + 1)
    augment = Augmentation(cnn.horizontal_flip, cnn.rotation, cnn.zoom, cnn.translation)
    optimizer = torch.optim.Adam(network.parameters(), cnn.learning_rate, eps=1e-7, fused=True)

    def loss(rows: Tensor, change: Augmentation | None) -> Tensor:
        images = pixels[rows].permute(0, 3, 1, 2).float().div_(255)
        scores = network(change(images) if change else images)
        return cross_entropy(scores, labels[rows]) + cnn.weight_decay * network.penalty()

    network.train()
    for rows in torch.split(training[torch.randperm(len(training))], cnn.batch_size):
        optimizer.zero_grad()
        torch.autograd.backward(loss(rows, augment))
        optimizer.step()
    network.eval()
    with torch.inference_mode():
        float(torch.stack([loss(rows, None) for rows in torch.split(validation, cnn.batch_size)]).mean())
    return time.perf_counter() - start


def main() -> None:
    """Print every pair of times and the ratio of their medians."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--images", type=int, default=7316)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    options = parser.parse_args()

    shape = ("dataset=synthetic", "dataset.width=48", "dataset.classes=102", "backbone.max_epochs=1")
    stages = build(compose_config([*shape, f"dataset.n={options.images}"])).stages
    cnn = cast(Cnn, stages.backbone)
    torch.set_num_threads(options.threads)
    pairs = []
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder))), threads=options.threads)
        samples = stages.dataset.load(ctx)
        pixels = np.array(samples.content.pixels(Resize(48), ctx))
        parts = (samples.rows("training"), samples.rows("validation"))
        tensors = [torch.from_numpy(array) for array in (pixels, np.asarray(samples.labels), *parts)]
        for turn in range(-1, options.rounds):  # the first imports Lightning
            pairs.append((framework(cnn, samples, ctx, turn), bare(cnn, *tensors)))
            print(f"round {turn + 1}: framework {pairs[-1][0]:.2f} s, bare {pairs[-1][1]:.2f} s", flush=True)
    ours, theirs = (median(times) for times in zip(*pairs[1:], strict=True))
    print(
        f"{options.images} images of 48x48, {options.threads} threads, medians of {options.rounds}: "
        f"framework {ours:.2f} s, bare {theirs:.2f} s, ratio {ours / theirs:.3f} (target: at most 1.10)"
    )


if __name__ == "__main__":
    main()
