"""CLIP's image tower, of OpenAI or any other of open_clip: features learnt from captions."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from experiments.backbone.pretrained.network import Pretrained, PretrainedStage

CONFIG = ".json"


def names_a_config(model: str) -> bool:
    """Tell whether `backbone.model` is the path of a config of one's own."""
    return model.endswith(CONFIG)


@dataclass(frozen=True, kw_only=True)
class Clip(PretrainedStage):
    """An image tower; conf/backbone/clip.yaml says what each field does."""

    VERSION: ClassVar[int] = 1

    model: str = field(compare=False, metadata={"path": names_a_config})
    tag: str = field(compare=False)
    normalize: bool = field(compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._config()

    @property
    def network(self) -> Pretrained:
        """Return the network that the fields describe."""
        config = self._config()
        name = Path(self.model).stem if config else self.model
        tag = "" if config else self.tag
        return self.from_library("open_clip", model=name, tag=tag, normalize=self.normalize, config=config)

    def _config(self) -> dict[str, Any] | None:
        """Read the config of one's own, as open_clip writes them; None if a name was given."""
        if not names_a_config(self.model):
            return None
        try:
            held = json.loads(Path(self.model).read_text(encoding="utf-8"))
            found = held.get("model_cfg", held)
            for name, value in (
                ("embed_dim", found["embed_dim"]),
                ("image_size", found["vision_cfg"].get("image_size", 1)),  # open_clip has one of its own
            ):
                if type(value) is not int or value < 1:
                    raise ValueError(f"{name} is {value}, not one whole number")
            return {name: found[name] for name in ("embed_dim", "vision_cfg")} | {
                "quick_gelu": found.get("quick_gelu", False)
            }
        except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
            raise ValueError(
                f"backbone.model={self.model} is no config of open_clip ({error}); it needs embed_dim and "
                "vision_cfg, or use a name such as ViT-B-32"
            ) from error
