"""DINOv2, trained without labels, or any other network of timm."""

from dataclasses import dataclass, field
from typing import ClassVar

from experiments.backbone.pretrained.network import PretrainedNetwork, PretrainedStage


@dataclass(frozen=True, kw_only=True)
class Dinov2(PretrainedStage):
    """A network, whose output is the input of its head; conf/backbone/dinov2.yaml describes the fields."""

    VERSION: ClassVar[int] = 1

    model: str = field(compare=False)
    image_size: int | None = field(compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size is not None and self.image_size < 1:
            raise ValueError(f"backbone.image_size={self.image_size} is not a size; use 1 or more, or null")

    @property
    def network(self) -> PretrainedNetwork:
        """Return the network of these settings."""
        return self.from_library("timm", model=self.model, image_size=self.image_size, head=True)
