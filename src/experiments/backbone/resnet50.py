"""ResNet-50, or any other classifier of torchvision, without its last layer."""

from dataclasses import dataclass, field
from typing import ClassVar

from experiments.backbone.pretrained.network import PretrainedNetwork, PretrainedStage


@dataclass(frozen=True, kw_only=True)
class Resnet50(PretrainedStage):
    """A classifier without its last layer; conf/backbone/resnet50.yaml describes the fields."""

    VERSION: ClassVar[int] = 1

    model: str = field(compare=False)
    tag: str = field(compare=False)

    @property
    def network(self) -> PretrainedNetwork:
        """Return the network of these settings."""
        return self.from_library("torchvision", model=self.model, tag=self.tag, head=True)
