"""ResNet-50, or any other classifier of torchvision, trained on ImageNet: what its last layer was given."""

from dataclasses import dataclass, field
from typing import ClassVar

from experiments.backbone.pretrained.network import Pretrained, PretrainedStage


@dataclass(frozen=True, kw_only=True)
class Resnet50(PretrainedStage):
    """A classifier without its last layer; conf/backbone/resnet50.yaml says what each field does."""

    VERSION: ClassVar[int] = 1

    model: str = field(compare=False)
    tag: str = field(compare=False)

    @property
    def network(self) -> Pretrained:
        """Return the network that the fields describe."""
        return self.from_library("torchvision", model=self.model, tag=self.tag)
