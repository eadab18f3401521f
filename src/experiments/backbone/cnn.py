"""A small convolutional network trained from scratch on labels: the features of Study A."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from experiments.backbone.convnet.settings import BELOW_ONE, LARGEST, TrainingSettings, check_ranges
from experiments.context import Context
from experiments.samples import Resize, Samples
from experiments.store.short_repr import ShortRepr

if TYPE_CHECKING:
    from experiments.backbone.convnet.network import Network

RANGES = {  # lowest and highest value, and the message for all other values, nan included
    "dropout": (0, BELOW_ONE, "is not a share; use 0 up to below 1"),
    "head_dropout": (0, BELOW_ONE, "is not a share; use 0 up to below 1"),
    "dense": (1, LARGEST, "is not a width; use 1 or more"),
}
BATCH_PIXELS = {"cpu": 2**16, "cuda": 2**19}  # pixels in a batch: on a CPU 64 images of 32x32, about 40 MB


@dataclass(frozen=True, eq=False)
class CnnEncoder(ShortRepr):
    """A network with its weights and training history.

    Parameters
    ----------
    weights
        Arrays by name; loaded encoders read them from disk on first access.
    """

    image_size: int
    filters: tuple[int, ...]
    dense: int
    classes: int
    history: tuple[dict[str, float], ...]
    trained: bool
    stopped: str
    weights: Mapping[str, np.ndarray]

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return the dense layer's output after its ReLU, float32 (n, dense)."""
        from experiments.backbone.convnet.batches import as_input
        from experiments.backbone.convnet.network import Network
        from experiments.backbone.inference.embedding import embed_batches

        samples.require("images", "backbone=cnn")
        pixels = samples.content.pixels(Resize(self.image_size), ctx)
        size = max(1, BATCH_PIXELS[ctx.device] // self.image_size**2)
        network = Network(self.filters, self.dense, self.classes).load_weights(self.weights).embed
        with ctx.report.progress("embed images", len(pixels), "images") as done:
            embeddings = np.empty((len(pixels), self.dense), np.float32)
            row = 0
            for batch in embed_batches(network, as_input, pixels, size, ctx):
                embeddings[row : row + len(batch)] = batch
                row += len(batch)
                done(len(batch))
        return embeddings

    def save(self, folder: Path) -> None:
        """Write fields.json and weights.npz."""
        values = {name: value for name, value in vars(self).items() if name != "weights"}
        (folder / "fields.json").write_text(json.dumps(values), encoding="utf-8")
        np.savez(folder / "weights.npz", **self.weights)  # type: ignore[arg-type]

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load an encoder; its weights stay on disk until their first access."""
        values = json.loads((folder / "fields.json").read_text(encoding="utf-8"))
        values |= {name: tuple(values[name]) for name in ("filters", "history")}
        return cls(**values, weights=np.load(folder / "weights.npz", allow_pickle=False))


@dataclass(frozen=True, kw_only=True)
class Cnn(TrainingSettings):
    """The network and training of Study A; conf/backbone/cnn.yaml describes the fields."""

    VERSION: ClassVar[int] = 2
    TRAINS: ClassVar[bool] = True

    filters: tuple[int, ...]
    dropout: float
    dense: int
    head_dropout: float

    def __post_init__(self) -> None:
        super().__post_init__()
        check_ranges(self, RANGES)
        if not self.filters or min(self.filters) < 1:
            raise ValueError(
                f"backbone.filters={list(self.filters)} is not a list of blocks of 1 filter or more; "
                "use [32,64,128]"
            )
        smallest = 2 ** len(self.filters)
        if self.image_size < smallest:
            raise ValueError(
                f"backbone.image_size={self.image_size} is too small for {len(self.filters)} blocks that "
                f"each halve the image; use {smallest} or more"
            )

    @property
    def resize(self) -> Resize:
        """Return the size of input images."""
        return Resize(self.image_size)

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the network cannot be trained on these samples."""
        samples.require("images", "backbone=cnn")
        if self.max_epochs and samples.labels is None:
            raise ValueError(
                f"backbone=cnn needs labels, and {samples.name} has none; use backbone="
                "efficientnet_lite0 evaluator=[internal], or add labels: dataset.labels.path=labels.csv"
            )
        for share, part in (("train", "training"), ("validation", "validation")):
            if self.max_epochs and not len(samples.labelled_rows(part)):
                raise ValueError(
                    f"dataset.split.{share} gives no labelled {part} images, which backbone=cnn needs; use a "
                    "larger share, more images, or backbone=pixels"
                )
        return self.dense

    def fit(self, samples: Samples, ctx: Context) -> CnnEncoder:
        """Train on the training rows, from the checkpoint if an earlier training was interrupted."""
        self.width(samples)
        classes = max(1, len(samples.class_names))
        if self.max_epochs:
            from experiments.backbone.convnet.training import train

            weights, history, stopped = train(self, self.network(classes), samples, ctx)
        else:
            weights, history, stopped = self.network(classes).weights(), (), ""
        fields = (self.image_size, self.filters, self.dense, classes, history, bool(self.max_epochs), stopped)
        return CnnEncoder(*fields, weights)

    def network(self, classes: int) -> "Network":
        """Return the network with its initial weights."""
        from experiments.backbone.convnet.network import Network

        return Network(self.filters, self.dense, classes, self.dropout, self.head_dropout).init_weights(
            self.seed
        )
