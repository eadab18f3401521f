"""Pretrained networks of libraries, and the common base of their stages. Imports no torch.

A library needs seconds to return the embedding width and preprocessing of a network. A card next to the
weights saves both, so a run with cached results imports no torch.
"""

import importlib
import json
import uuid
from abc import abstractmethod
from collections.abc import Mapping, Sequence
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
CARD_VERSION = 2  # version of the card format


@dataclass(frozen=True)
class PretrainedNetwork:
    """A network of a library, and the source of its weights.

    Parameters
    ----------
    option
        The option as typed, such as `backbone=clip`.
    architecture
        Arguments of `card` and `build` in pretrained/<library>.py.
    source, seed, folder
        Values of `backbone.weights`, `backbone.seed` and `backbone.weights_cache`.
    """

    option: str
    library: str
    architecture: Mapping[str, Any]
    source: str
    seed: int
    folder: str

    @property
    def card(self) -> Card:
        """Return the network's card; raise ValueError if its library has no network of this name."""
        return _load_card(self.library, json.dumps(self.architecture, sort_keys=True), self.folder)

    @property
    def file(self) -> Path | None:
        """Return the weight file, downloading it if necessary; None for random weights."""
        if self.source == weights.NONE:
            return None
        if weights.is_file_path(self.source):
            return Path(self.source)
        return weights.find_or_download(self.card.sources, Path(self.folder), str(self.architecture["model"]))

    @property
    def origin(self) -> list[Any]:
        """Return the part of the cache key: architecture, preprocessing, and hash or seed of the weights."""
        card, file = self.card, self.file
        weights_key = ["seed", self.seed] if file is None else ["sha256", sha256(file)]
        return [dict(self.architecture), asdict(card.resize), card.mean, card.std, weights_key]

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the samples are not images or the weights are not available."""
        samples.require("images", self.option)
        _ = self.file
        return self.card.width

    def encoder(self, key: str) -> "PretrainedEncoder":
        """Return the encoder with its weights; `key` is the encoder's cache key."""
        from experiments.backbone.pretrained.state_dict import load_weights, random_weights

        file = self.file
        state = random_weights(self.library, self.architecture, self.seed)
        if file is not None:
            state = load_weights(self.library, self.architecture, file)
        random = file is None
        return PretrainedEncoder(key, self.library, dict(self.architecture), self.card, state, random=random)


@dataclass(frozen=True, kw_only=True)
class PretrainedStage:
    """Base class of pretrained backbones; a subclass defines its `network`.

    Parameters
    ----------
    weights
        `pretrained`, `none`, or the path of a state dict or safetensors file.
    seed
        Seed of the random weights of `none`.
    weights_cache
        Folder of downloaded weights and of cards.
    """

    TRAINS: ClassVar[bool] = False
    DERIVED: ClassVar[tuple[str, ...]] = ("origin",)

    weights: str = field(compare=False, metadata={"path": weights.is_file_path})
    seed: int = field(compare=False)
    weights_cache: str = field(compare=False, metadata={"path": True})

    def __post_init__(self) -> None:
        weights.check(self.weights, self.seed)

    @property
    @abstractmethod
    def network(self) -> PretrainedNetwork:
        """Return the network of these settings."""

    def from_library(self, library: str, **architecture: Any) -> PretrainedNetwork:
        """Return a network of a library, with the weights of these settings."""
        option = f"backbone={type(self).__module__.rpartition('.')[2]}"
        return PretrainedNetwork(option, library, architecture, self.weights, self.seed, self.weights_cache)

    @property
    def origin(self) -> list[object]:
        """Return the network's part of the cache key."""
        return self.network.origin

    @property
    def resize(self) -> Resize:
        """Return the size and preprocessing of input images."""
        return self.network.card.resize

    @property
    def names_from(self) -> str:
        """Return where its encoder has names of classes from: `classes`, `text` or ""."""
        return self.network.card.names_from

    def width(self, samples: Samples) -> int:
        """Return d; raise ValueError if the samples are not images or the weights are not available."""
        return self.network.width(samples)

    def fit(self, samples: Samples, ctx: Context) -> "PretrainedEncoder":
        """Return the pretrained encoder."""
        self.width(samples)
        key = ctx.key(self)
        encoder = self.network.encoder(key)
        if ctx.key(self) != key:
            raise ValueError(
                f"backbone.weights={self.weights} changed while it was read; run the command again"
            )
        return encoder


@dataclass(frozen=True, eq=False)
class PretrainedEncoder(ShortRepr):
    """A pretrained network; its class head or text tower, if it has one, is not part of its output.

    Parameters
    ----------
    key
        The encoder's cache key, for resuming an interrupted embedding.
    state
        Weights by name, or the path of their file, which is read when images are embedded.
    random
        True if the weights are random (`backbone.weights=none`).
    """

    key: str
    library: str
    architecture: dict[str, Any]
    card: Card
    state: "Mapping[str, Tensor] | Path"
    history: tuple[dict[str, float], ...] = ()
    trained: bool = False
    stopped: str = ""
    random: bool = False

    def embed(self, samples: Samples, ctx: Context) -> np.ndarray:
        """Return float32 (n, d); resume an interrupted embedding."""
        from experiments.backbone.pretrained.embedding import embed_resumably
        from experiments.backbone.pretrained.state_dict import rebuild

        samples.require("images", f"an encoder of {self.library}")
        pixels = samples.content.pixels(self.card.resize, ctx)
        network = rebuild(self.library, self.architecture, self.state)
        key = digest(self.key, samples.content_key, ctx.device, ctx.dtype)
        return embed_resumably(network, pixels, self.card, f"embedding-{key}", ctx)

    def class_head(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return weights, float32 (c, d), and bias, (c,), of the head: `embeddings @ weights.T + bias`.

        The softmax of that has the probabilities of the c classes that the network was trained on. None
        without a head.
        """
        from experiments.backbone.pretrained.state_dict import HEAD

        state = self._weights()
        if f"{HEAD}.weight" not in state:
            return None
        weight = state[f"{HEAD}.weight"].numpy()
        bias = state.get(f"{HEAD}.bias")
        return weight, np.zeros(len(weight), np.float32) if bias is None else bias.numpy()

    def embed_texts(self, texts: Sequence[str], ctx: Context) -> np.ndarray:
        """Return the embeddings of texts by the text tower, float32 (m, d) of length 1.

        Raises
        ------
        ValueError
            The network has no text tower.
        """
        from experiments.backbone.pretrained.state_dict import TEXT, rebuild

        network = rebuild(self.library, self.architecture, self.state)
        if not hasattr(network, TEXT):
            raise ValueError(
                f"backbone.weights of {self.architecture['model']} have neither a head with classes nor a "
                "text tower; use the weights of the whole network, or backbone=efficientnet_lite0"
            )
        from experiments.backbone.pretrained.open_clip import embed_texts

        return embed_texts(network, self.architecture, texts, ctx)

    def _weights(self) -> "Mapping[str, Tensor]":
        from experiments.backbone.pretrained.state_dict import read_state_dict

        return read_state_dict(self.state) if isinstance(self.state, Path) else self.state

    def save(self, folder: Path) -> None:
        """Write fields.json and weights.safetensors."""
        from safetensors.torch import save_file

        save_file(dict(self._weights()), folder / "weights.safetensors")
        values = {name: value for name, value in vars(self).items() if name not in ("state", "card")}
        (folder / "fields.json").write_text(json.dumps(values), encoding="utf-8")
        (folder / "card.json").write_text(self.card.write(), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load an encoder; its weights stay on disk until images are embedded."""
        values = json.loads((folder / "fields.json").read_text(encoding="utf-8"))
        card = Card.read((folder / "card.json").read_text(encoding="utf-8"))
        values["history"] = tuple(values["history"])
        return cls(**values, card=card, state=folder / "weights.safetensors")


@lru_cache
def _load_card(library: str, architecture: str, folder: str) -> Card:
    """Return the saved card of a network; if missing, ask the library for it and save it."""
    name = digest(library, version(DISTRIBUTIONS[library]), architecture, CARD_VERSION)
    path = Path(folder) / "cards" / f"{library}-{name}.json"
    if path.is_file():
        return Card.read(path.read_text(encoding="utf-8"))
    card: Card = importlib.import_module(f"{__package__}.{library}").card(**json.loads(architecture))
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{uuid.uuid4().hex}.partial")
    partial.write_text(card.write(), encoding="utf-8")
    partial.replace(path)
    return card
