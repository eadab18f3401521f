"""Embed images through the framework, against a bare loop of the same network on tensors in memory.

python benchmarks/embedding.py                          a minute; the ratio should be 0.9 or more
python benchmarks/embedding.py --model resnet50 --device cuda --dtype bfloat16 --n 20000
python benchmarks/embedding.py --backbone clip --model ViT-B-32
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import cast

import numpy as np
import torch

from experiments.backbone.inference.determinism import deterministic
from experiments.backbone.pretrained.embedding import BATCH_PIXELS
from experiments.backbone.pretrained.network import PretrainedEncoder
from experiments.backbone.pretrained.state_dict import rebuild
from experiments.config.build import build
from experiments.config.compose import compose_config
from experiments.context import Context
from experiments.samples import Samples
from experiments.store.cache import Store


def main() -> None:
    """Print images per second of both, and their ratio: medians over rounds that alternate."""
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder) / "cache")), device=args.device, dtype=args.dtype)
        ctx = replace(ctx, threads=args.threads)
        print(f"{args.n} images, {args.model}, {args.device}, {args.dtype}, {args.threads} threads")
        print(f"{'round':>6} {'framework':>12} {'bare loop':>12} {'ratio':>7}    images a second")
        ratios: list[float] = []
        for ours, theirs in rates(args.backbone, args.model, args.n, args.rounds, ctx):
            print(f"{len(ratios):>6} {ours:>12.1f} {theirs:>12.1f} {ours / theirs:>7.3f}", flush=True)
            ratios.append(ours / theirs)
        print(f"median ratio {median(ratios):.3f}")


def rates(backbone: str, model: str, n: int, rounds: int, ctx: Context) -> Iterator[tuple[float, float]]:
    """Yield the images per second of the framework and of the loop in each round; weights are random."""
    chosen = [f"backbone={backbone}", f"backbone.model={model}", "backbone.weights=none"]
    cards = f"backbone.weights_cache={ctx.store.workdir('cards')}"
    drawn = ["dataset=synthetic", f"dataset.n={n}", f"dataset.classes={max(1, min(10, n // 8))}"]
    stages = build(compose_config([*drawn, *chosen, cards])).stages
    samples = stages.dataset.load(ctx)
    encoder = cast(PretrainedEncoder, stages.backbone.fit(samples, ctx))
    images = prepared(samples, encoder, ctx)  # decodes for both
    bare = loop(images, encoder, ctx)
    for _ in range(rounds):
        yield n / seconds(lambda: encoder.embed(samples, ctx)), n / seconds(bare)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backbone", default="resnet50", help="torchvision's; clip: open_clip's")
    parser.add_argument("--model", default="squeezenet1_0")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--n", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def prepared(samples: Samples, encoder: PretrainedEncoder, ctx: Context) -> torch.Tensor:
    """Return all images as input of the network: float32 (n, 3, S, S), channels last, on the device."""
    card = encoder.card
    pixels = torch.from_numpy(np.array(samples.content.pixels(card.resize, ctx))).to(ctx.device)
    images = pixels.float().div_(255).sub_(torch.tensor(card.mean, device=ctx.device))
    return images.div_(torch.tensor(card.std, device=ctx.device)).permute(0, 3, 1, 2)


def loop(images: torch.Tensor, encoder: PretrainedEncoder, ctx: Context) -> Callable[[], None]:
    """Return a loop of the network over the images, as many at a time as the framework takes."""
    network = rebuild(encoder.library, encoder.architecture, encoder.state)
    network = network.to(ctx.device).to(memory_format=torch.channels_last)
    size = BATCH_PIXELS[ctx.device] // encoder.card.resize.size**2

    def run() -> None:
        out = []
        with deterministic(ctx), torch.inference_mode():
            for batch in torch.split(images, size):
                with torch.autocast(ctx.device, torch.bfloat16, enabled=ctx.dtype == "bfloat16"):
                    out.append(network(batch).float())
            torch.cat(out).cpu()

    return run


def seconds(run: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = perf_counter()
    run()
    return perf_counter() - start


if __name__ == "__main__":
    main()
