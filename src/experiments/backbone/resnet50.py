"""ResNet-50, or any other classifier of torchvision, trained on ImageNet: what its last layer was given."""

from dataclasses import dataclass, field
from typing import ClassVar

from experiments.backbone import weights
from experiments.backbone.pretrained import Pretrained, PretrainedEncoder
from experiments.types import Context, Resize, Samples


@dataclass(frozen=True)
class Resnet50:
    """A classifier without its last layer; conf/backbone/resnet50.yaml says what each field does."""

    VERSION: ClassVar[int] = 1
    TRAINS: ClassVar[bool] = False
    DERIVED: ClassVar[tuple[str, ...]] = ("origin",)

    model: str = field(compare=False)
    tag: str = field(compare=False)
    weights: str = field(compare=False, metadata={"path": weights.names_a_file})
    seed: int = field(compare=False)
    weights_cache: str = field(compare=False, metadata={"path": True})

    def __post_init__(self) -> None:
        weights.check(self.weights, self.seed)

    @property
    def network(self) -> Pretrained:
        """Return the network that the fields describe."""
        architecture = {"model": self.model, "tag": self.tag}
        source = (self.weights, self.seed, self.weights_cache)
        return Pretrained("backbone=resnet50", "torchvision", architecture, *source)

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

    def fit(self, samples: Samples, ctx: Context) -> PretrainedEncoder:
        """Return the encoder: it has learnt already."""
        self.width(samples)
        return self.network.encoder(ctx.key(self))
