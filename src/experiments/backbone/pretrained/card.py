"""Metadata of a pretrained network, saved as JSON next to its weights to avoid building it."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from experiments.samples import Resize


@dataclass(frozen=True)
class Card:
    """Metadata of a network: embedding width, preprocessing and weight files.

    Parameters
    ----------
    width
        Width of an embedding.
    mean, std
        Mean and standard deviation of the training images, per channel, in [0, 1].
    sources
        (URL, file name) of its weights, the preferred one first.
    names_from
        `classes` if it has a head that maps an embedding to classes, `text` if it has a text tower, else "".
    """

    width: int
    resize: Resize
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sources: tuple[tuple[str, str], ...]
    names_from: str = ""

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse a card from the JSON of `write`."""
        values = json.loads(text)
        values["resize"] = Resize(**values["resize"])
        values |= {name: tuple(values[name]) for name in ("mean", "std")}
        return cls(**values | {"sources": tuple((address, name) for address, name in values["sources"])})

    def write(self) -> str:
        """Return the card as JSON."""
        return json.dumps(asdict(self), indent=1)
