"""Training settings of the CNN, and their ranges."""

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

LARGEST = sys.float_info.max
BELOW_ONE = math.nextafter(1, 0)
RANGES = {  # lowest and highest value, and the message for all other values, nan included
    "rotation": (0, 180, "is not an angle; use 0 to 180 degrees"),
    "zoom": (0, BELOW_ONE, "is not a share; use 0 up to below 1"),
    "translation": (0, 1, "is not a share; use 0 to 1"),
    "weight_decay": (0, LARGEST, "is not a penalty; use 0 or more"),
    "learning_rate": (sys.float_info.min, LARGEST, "is not a learning rate; use a number above 0"),
    "min_learning_rate": (0, LARGEST, "is not a learning rate; use 0 or more"),
    "lr_factor": (0, BELOW_ONE, "does not lower a learning rate; use 0 up to below 1"),
    "lr_patience": (1, LARGEST, "is not a number of epochs; use 1 or more"),
    "patience": (1, LARGEST, "is not a number of epochs; use 1 or more"),
    "batch_size": (1, LARGEST, "is not a number of images; use 1 or more"),
    "max_epochs": (0, LARGEST, "is not a number of epochs; use 0 or more"),
    "seed": (0, 2**63 - 1, "is not a seed; use 0 or more"),
}


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """Settings of a training, besides the network; conf/backbone/cnn.yaml describes them."""

    image_size: int
    horizontal_flip: bool
    rotation: float
    zoom: float
    translation: float
    settle_batch_norm: bool
    weight_decay: float
    learning_rate: float
    batch_size: int
    max_epochs: int
    patience: int
    lr_patience: int
    lr_factor: float
    min_learning_rate: float
    seed: int
    max_minutes: float | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        check_ranges(self, RANGES)
        if self.max_minutes is not None and not 0 < self.max_minutes <= LARGEST:
            raise ValueError(
                f"backbone.max_minutes={self.max_minutes} is not a time; use a number above 0, or null"
            )


def check_ranges(settings: Any, ranges: Mapping[str, tuple[float, float, str]]) -> None:
    """Raise ValueError for a setting that is nan or outside its range."""
    for name, (lowest, highest, reason) in ranges.items():
        value = getattr(settings, name)
        if not lowest <= value <= highest:
            raise ValueError(f"backbone.{name}={value} {reason}")
