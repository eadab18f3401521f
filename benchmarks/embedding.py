"""Embed images through the framework, against a bare loop of the same network on tensors in memory.

python benchmarks/embedding.py                          a minute; the ratio should be 0.9 or more
python benchmarks/embedding.py --model resnet50 --device cuda --dtype bfloat16 --n 20000
"""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import torch

from experiments.backbone.cnn_network import computing
from experiments.backbone.pretrained import PretrainedEncoder
from experiments.backbone.pretrained_embedding import BATCH_PIXELS
from experiments.backbone.pretrained_weights import restored
from experiments.backbone.resnet50 import Resnet50
from experiments.cache import Store
from experiments.dataset.synthetic import Synthetic
from experiments.types import Context, Samples


def main() -> None:
    """Print images per second of both, and their ratio: medians over rounds that alternate."""
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        ctx = replace(Context.plain(Store(Path(folder) / "cache")), device=args.device, dtype=args.dtype)
        ctx = replace(ctx, threads=args.threads)
        samples = drawn(args.n, ctx)
        place = str(Path(folder) / "weights")
        stage = Resnet50(model=args.model, tag="DEFAULT", weights="none", seed=0, weights_cache=place)
        encoder = stage.fit(samples, ctx)
        images = prepared(samples, encoder, ctx)  # decodes for both
        bare = loop(images, encoder, ctx)
        print(f"{args.n} images, {args.model}, {args.device}, {args.dtype}, {args.threads} threads")
        print(f"{'round':>6} {'framework':>12} {'bare loop':>12} {'ratio':>7}    images a second")
        rates = []
        for number in range(args.rounds):
            pair = (seconds(lambda: encoder.embed(samples, ctx)), seconds(bare))
            rates.append([args.n / spent for spent in pair])
            print(
                f"{number:>6} {rates[-1][0]:>12.1f} {rates[-1][1]:>12.1f} {rates[-1][0] / rates[-1][1]:>7.3f}"
            )
        print(f"median ratio {median(ours / theirs for ours, theirs in rates):.3f}")


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="squeezenet1_0")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--n", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def drawn(n: int, ctx: Context) -> Samples:
    """Return images of 32 x 32 pixels; what is in them does not matter here."""
    about = {"kind": "images", "classes": 10, "imbalance": 1, "width": 32, "noise": 0.2, "seed": 0}
    chosen = {"image_size": 32, "mirror": False, "limit": None, "labels": None, "corrections": None}
    split = {"train": 0.8, "validation": 0.2, "test": 0.0}
    return Synthetic(n=n, split=split, split_seed=123, **about, **chosen).load(ctx)  # type: ignore[arg-type]


def prepared(samples: Samples, encoder: PretrainedEncoder, ctx: Context) -> torch.Tensor:
    """Return every image as the network wants it: float32 (n, 3, S, S), channels last, on the device."""
    card = encoder.card
    pixels = torch.from_numpy(np.array(samples.content.pixels(card.resize, ctx))).to(ctx.device)
    images = pixels.float().div_(255).sub_(torch.tensor(card.mean, device=ctx.device))
    return images.div_(torch.tensor(card.std, device=ctx.device)).permute(0, 3, 1, 2)


def loop(images: torch.Tensor, encoder: PretrainedEncoder, ctx: Context) -> Callable[[], None]:
    """Return a loop of the network over the images, as many at a time as the framework takes."""
    network = restored(encoder.library, encoder.architecture, encoder.state)
    network = network.to(ctx.device).to(memory_format=torch.channels_last)
    size = BATCH_PIXELS[ctx.device] // encoder.card.resize.size**2

    def run() -> None:
        out = []
        with computing(ctx), torch.inference_mode():
            for batch in torch.split(images, size):
                with torch.autocast(ctx.device, torch.bfloat16, enabled=ctx.dtype == "bfloat16"):
                    out.append(network(batch).float())
            torch.cat(out).cpu()

    return run


def seconds(run: Callable[[], object]) -> float:
    """Return how long it takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


if __name__ == "__main__":
    main()
