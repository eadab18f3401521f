"""DINOv2, or any other network of timm: features learnt without labels, or whatever it was trained for."""

from dataclasses import dataclass, field
from typing import ClassVar

from experiments.backbone import weights
from experiments.backbone.pretrained import Pretrained, PretrainedEncoder
from experiments.types import Context, Resize, Samples


@dataclass(frozen=True)
class Dinov2:
    """A network without its head; conf/backbone/dinov2.yaml says what each field does."""

    VERSION: ClassVar[int] = 1
    TRAINS: ClassVar[bool] = False
    DERIVED: ClassVar[tuple[str, ...]] = ("origin",)

    model: str = field(compare=False)
    image_size: int | None = field(compare=False)
    weights: str = field(compare=False, metadata={"path": weights.names_a_file})
    seed: int = field(compare=False)
    weights_cache: str = field(compare=False, metadata={"path": True})

    def __post_init__(self) -> None:
        weights.check(self.weights, self.seed)
        if self.image_size is not None and self.image_size < 1:
            raise ValueError(f"backbone.image_size={self.image_size} is not a size; use 1 or more, or null")

    @property
    def network(self) -> Pretrained:
        """Return the network that the fields describe."""
        architecture = {"model": self.model, "image_size": self.image_size}
        source = (self.weights, self.seed, self.weights_cache)
        return Pretrained("backbone=dinov2", "timm", architecture, *source)

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
