"""open_clip's image towers. Imports torch and timm: import this where it is used."""

from typing import Any

import open_clip
from huggingface_hub import hf_hub_url
from open_clip.model import CLIPVisionCfg, _build_vision_tower
from open_clip.pretrained import get_pretrained_cfg
from open_clip.transform import PreprocessCfg
from torch import Tensor, nn
from torch.nn.functional import normalize as to_unit_length

from experiments.backbone.pretrained.card import Card
from experiments.backbone.pretrained.names import suggested
from experiments.backbone.pretrained.state_dict import State, network_of, width_of
from experiments.samples import Resize

FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")  # where a repository names none
TOWER = "visual."
SIZE = CLIPVisionCfg.image_size  # where a config names none
PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
MODES = {"shortest": "crop", "squash": "squash"}


class Tower(nn.Module):
    """An image tower, its embeddings of length one if `unit`."""

    def __init__(self, visual: nn.Module, unit: bool) -> None:
        super().__init__()
        self.visual = visual
        self.unit = unit

    def forward(self, images: Tensor) -> Tensor:
        """Map float (n, 3, S, S) to (n, d)."""
        made = self.visual(images)
        pooled: Tensor = made[0] if isinstance(made, tuple) else made  # CoCa gives each patch's too
        return to_unit_length(pooled.float(), dim=-1) if self.unit else pooled


def card(model: str, tag: str, normalize: bool, config: dict[str, Any] | None) -> Card:
    """Return what is known of an image tower; raise ValueError if there is none of that name or tag."""
    size = int(_config(model, config)["vision_cfg"].get("image_size", SIZE))
    offered = _tagged(model, tag, config)
    wanted = PreprocessCfg(size, **{name: offered[name] for name in PREPROCESSING if name in offered})
    if wanted.resize_mode not in MODES:
        raise ValueError(
            f"backbone.tag={tag} pads images, which is not done here; use another tag of {model}"
        )
    resize = Resize(size, MODES[wanted.resize_mode], wanted.interpolation)
    architecture = {"model": model, "tag": tag, "normalize": normalize, "config": config}
    width = width_of(network_of("open_clip", architecture), size)
    return Card(width, resize, tuple(wanted.mean), tuple(wanted.std), _sources(offered))


def build(model: str, tag: str, normalize: bool, config: dict[str, Any] | None) -> nn.Module:
    """Return the image tower."""
    given = _config(model, config)
    quick = given.get("quick_gelu", False) or _tagged(model, tag, config).get("quick_gelu", False)
    vision = given["vision_cfg"] | {"timm_model_pretrained": False}
    return Tower(_build_vision_tower(given["embed_dim"], vision, quick), normalize)


def adapted(state: State, network: nn.Module, **architecture: Any) -> State:
    """Return the weights of the image tower, out of those of a whole model or of the tower alone."""
    tower = {name: value for name, value in state.items() if name.startswith(TOWER)}
    return tower or {f"{TOWER}{name}": value for name, value in state.items()}


def _config(model: str, config: dict[str, Any] | None) -> dict[str, Any]:
    if config is not None:
        return config
    known = open_clip.list_models()
    if model not in known:
        raise ValueError(f"backbone.model={model} is no model of open_clip; {suggested(model, known)}")
    return dict(open_clip.get_model_config(model))


def _tagged(model: str, tag: str, config: dict[str, Any] | None) -> dict[str, Any]:
    """Return what open_clip says of the weights of that tag; nothing where it has none at all."""
    if config is not None:
        return {}
    _config(model, config)
    tags = open_clip.list_pretrained_tags_by_model(model)
    if tags and tag not in tags:
        raise ValueError(f"backbone.tag={tag} is none of {model}'s weights; {suggested(tag, tags)}")
    return dict(get_pretrained_cfg(model, tag))


def _sources(offered: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return where the weights are, and their names here: those of a hub are named after its repository."""
    owner, _, rest = str(offered.get("hf_hub", "")).partition("/")
    name, _, file = rest.partition("/")
    files = (file,) if file else FILES
    hub = [(hf_hub_url(f"{owner}/{name}", one), f"{name}-{one}") for one in files] if name else []
    address = str(offered.get("url", ""))
    return (*hub, *([(address, address.rpartition("/")[2])] if address and not hub else []))
