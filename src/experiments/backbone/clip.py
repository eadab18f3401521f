"""Image towers of open_clip's models, such as OpenAI's CLIP: features trained on captions."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from experiments.backbone.pretrained.network import PretrainedNetwork, PretrainedStage

CONFIG = ".json"


def is_config_path(model: str) -> bool:
    """Return True if `backbone.model` is the path of a config file."""
    return model.endswith(CONFIG)


@dataclass(frozen=True, kw_only=True)
class Clip(PretrainedStage):
    """An image tower; conf/backbone/clip.yaml describes the fields."""

    VERSION: ClassVar[int] = 1

    model: str = field(compare=False, metadata={"path": is_config_path})
    tag: str = field(compare=False)
    normalize: bool = field(compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._config()

    @property
    def network(self) -> PretrainedNetwork:
        """Return the network of these settings."""
        config = self._config()
        name = Path(self.model).stem if config else self.model
        tag = "" if config else self.tag
        architecture = {"model": name, "tag": tag, "normalize": self.normalize, "config": config}
        return self.from_library("open_clip", **architecture, text=True)

    def _config(self) -> dict[str, Any] | None:
        """Return the config in the file `model`, in open_clip's format; None if `model` is a name."""
        if not is_config_path(self.model):
            return None
        try:
            content = json.loads(Path(self.model).read_text(encoding="utf-8"))
            config = content.get("model_cfg", content)
            for name, value in (
                ("embed_dim", config["embed_dim"]),
                ("image_size", config["vision_cfg"].get("image_size", 1)),  # open_clip has a default
            ):
                if type(value) is not int or value < 1:
                    raise ValueError(f"{name} is {value}, not a positive integer")
            names = [name for name in ("embed_dim", "vision_cfg", "text_cfg") if name in config]
            return {name: config[name] for name in names} | {"quick_gelu": config.get("quick_gelu", False)}
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ValueError(
                f"backbone.model={self.model} is not a config of open_clip ({error}); use a file with "
                "embed_dim and vision_cfg, or a name such as ViT-B-32"
            ) from error
