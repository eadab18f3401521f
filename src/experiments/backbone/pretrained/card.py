"""What is known of a network without building it, kept as JSON beside its weights."""

import json
from dataclasses import asdict, dataclass
from typing import Self

from experiments.samples import Resize


@dataclass(frozen=True)
class Card:
    """What a network gives and wants.

    Parameters
    ----------
    width
        Values of an embedding.
    mean, std
        Of the images that its weights were trained on, per channel in [0, 1].
    sources
        (address, file name) of its weights, the best first.
    """

    width: int
    resize: Resize
    mean: tuple[float, ...]
    std: tuple[float, ...]
    sources: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `write` wrote."""
        values = json.loads(text)
        values["resize"] = Resize(**values["resize"])
        values |= {name: tuple(values[name]) for name in ("mean", "std")}
        return cls(**values | {"sources": tuple((address, name) for address, name in values["sources"])})

    def write(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self), indent=1)
