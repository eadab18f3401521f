"""Networks of a library, trained on other images than ours: what the stages for them share. Imports no torch.

What is known of a network without building it (its width, the pixels it wants) takes seconds to ask of its
library, so the answer is kept as a card beside the weights: a run that computes nothing imports no torch.
"""

import importlib
import json
import uuid
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from experiments.backbone.pretrained import weight_files as weights
from experiments.backbone.pretrained.card import Card
from experiments.context import Context
from experiments.samples import Resize, Samples
from experiments.store.file_hashes import sha256
from experiments.store.short_repr import ShortRepr
from experiments.store.values import digest

if TYPE_CHECKING:
    from torch import Tensor

DISTRIBUTIONS = {"torchvision": "torchvision", "open_clip": "open_clip_torch", "timm": "timm"}
VERSION = 1  # of the cards


@dataclass(frozen=True)
class Pretrained:
    """Which network of which library, and where its weights come from.

    Parameters
    ----------
    option
        How a person chose it, such as `backbone=clip`.
    architecture
        What its library builds it from: arguments of `card` and `build` in pretrained/<library>.py.
    source, seed, folder
        `backbone.weights`, `backbone.seed` and `backbone.weights_cache`.
    """

    option: str
    library: str
    architecture: Mapping[str, Any]
    source: str
    seed: int
    folder: str

    @property
    def card(self) -> Card:
        """Return what is known of the network; raise ValueError if its library has none of that name."""
        return _card(self.library, json.dumps(self.architecture, sort_keys=True), self.folder)

    @property
    def file(self) -> Path | None:
        """Return the file of the weights, downloaded if it has to be; None if they are drawn."""
        if self.source == weights.NONE:
            return None
        if weights.names_a_file(self.source):
            return Path(self.source)
        return weights.found(self.card.sources, Path(self.folder), str(self.architecture["model"]))

    @property
    def origin(self) -> list[Any]:
        """Return what its embeddings depend on: architecture, preprocessing, and what the weights are."""
        card, file = self.card, self.file
        drawn = ["seed", self.seed] if file is None else ["sha256", sha256(file)]
        return [dict(self.architecture), asdict(card.resize), card.mean, card.std, drawn]

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the samples are no images, or the weights cannot be had."""
        samples.require("images", self.option)
        _ = self.file
        return self.card.width

    def encoder(self, key: str) -> "PretrainedEncoder":
        """Return the network with its weights, under the name `key`."""
        from experiments.backbone.pretrained.state_dict import drawn, taken

        file = self.file
        state = drawn(self.library, self.architecture, self.seed)
        if file is not None:
            state = taken(self.library, self.architecture, file)
        return PretrainedEncoder(key, self.library, dict(self.architecture), self.card, state)


@dataclass(frozen=True, kw_only=True)
class PretrainedStage:
    """What the backbones have in common whose weights were learnt elsewhere; each adds its `network`.

    Parameters
    ----------
    weights
        `pretrained`, `none`, or the path of a state dict or safetensors file.
    seed
        Of what `none` draws.
    weights_cache
        Where downloaded weights and the cards are kept.
    """

    TRAINS: ClassVar[bool] = False
    DERIVED: ClassVar[tuple[str, ...]] = ("origin",)

    weights: str = field(compare=False, metadata={"path": weights.names_a_file})
    seed: int = field(compare=False)
    weights_cache: str = field(compare=False, metadata={"path": True})

    def __post_init__(self) -> None:
        weights.check(self.weights, self.seed)

    @property
    @abstractmethod
    def network(self) -> Pretrained:
        """Return the network that the fields describe."""

    def from_library(self, library: str, **architecture: Any) -> Pretrained:
        """Return a network of a library, with the weights chosen."""
        option = f"backbone={type(self).__module__.rpartition('.')[2]}"
        return Pretrained(option, library, architecture, self.weights, self.seed, self.weights_cache)

    @property
    def origin(self) -> list[object]:
        """Return what its embeddings depend on."""
        return self.network.origin

    @property
    def resize(self) -> Resize:
        """Return the pixels that it looks at."""
        return self.network.card.resize

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the samples hold no images, or the weights cannot be had."""
        return self.network.width(samples)

    def fit(self, samples: Samples, ctx: Context) -> "PretrainedEncoder":
        """Return the encoder: it has learnt already."""
        self.width(samples)
        key = ctx.key(self)
        encoder = self.network.encoder(key)
        if ctx.key(self) != key:
            raise ValueError(f"backbone.weights={self.weights} changed while it was read; run it again")
        return encoder


@dataclass(frozen=True, eq=False)
class PretrainedEncoder(ShortRepr):
    """A network of a library, without what it told classes or texts by.

    Parameters
    ----------
    key
        Names it, for what an interrupted embedding left.
    state
        Its weights by name, or the file that holds them; read when images are embedded.
    """

    key: str
    library: str
    architecture: dict[str, Any]
    card: Card
    state: "Mapping[str, Tensor] | Path"
    history: tuple[dict[str, float], ...] = ()
    trained: bool = False
    stopped: str = ""

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return float32 (n, d); go on where an interrupted one stopped."""
        from experiments.backbone.pretrained.embedding import embedded
        from experiments.backbone.pretrained.state_dict import restored

        samples.require("images", f"an encoder of {self.library}")
        pixels = samples.content.pixels(self.card.resize, ctx)
        network = restored(self.library, self.architecture, self.state)
        place = digest(self.key, samples.content_key, ctx.device, ctx.dtype)
        return embedded(network, pixels, self.card, f"embedding-{place}", ctx)

    def save(self, folder: Path) -> None:
        """Write fields.json and weights.safetensors."""
        from safetensors.torch import save_file

        from experiments.backbone.pretrained.state_dict import read

        state = read(self.state) if isinstance(self.state, Path) else dict(self.state)
        save_file(state, folder / "weights.safetensors")
        values = {name: value for name, value in vars(self).items() if name not in ("state", "card")}
        (folder / "fields.json").write_text(json.dumps(values), encoding="utf-8")
        (folder / "card.json").write_text(self.card.write(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the weights stay on disk until images are embedded."""
        values = json.loads((folder / "fields.json").read_text(encoding="utf-8"))
        card = Card.read((folder / "card.json").read_text(encoding="utf-8"))
        values["history"] = tuple(values["history"])
        return cls(**values, card=card, state=folder / "weights.safetensors")


@lru_cache
def _card(library: str, architecture: str, folder: str) -> Card:
    """Read the card of a network, or ask its library and keep the answer."""
    name = digest(library, version(DISTRIBUTIONS[library]), architecture, VERSION)
    path = Path(folder) / "cards" / f"{library}-{name}.json"
    if path.is_file():
        return Card.read(path.read_text(encoding="utf-8"))
    card: Card = importlib.import_module(f"{__package__}.{library}").card(**json.loads(architecture))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{uuid.uuid4().hex}.partial")
    partial.write_text(card.write(), encoding="utf-8")
    partial.replace(path)
    return card
