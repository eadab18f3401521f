"""timm's networks. Imports torch: import this where it is used."""

import math
import sys
from typing import Any

import timm
from huggingface_hub import hf_hub_url
from timm.data.config import resolve_model_data_config
from torch import nn

from experiments.backbone.pretrained.card import Card
from experiments.backbone.pretrained.names import suggested
from experiments.backbone.pretrained.state_dict import State, network_of, width_of
from experiments.samples import Resize

FILES = ("model.safetensors", "pytorch_model.bin")


def card(model: str, image_size: int | None) -> Card:
    """Return what is known of a network; raise ValueError if there is none of that name or size."""
    network: Any = network_of("timm", {"model": model, "image_size": image_size})
    data = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    size = image_size or data["input_size"][-1]
    mode = "squash" if data["crop_mode"] == "squash" else "crop"
    scaled = math.floor(size / data["crop_pct"])
    resize = Resize(size, mode, data["interpolation"], scaled if scaled != size else None)
    try:
        width = width_of(network, size)
    except (AssertionError, RuntimeError) as error:
        raise ValueError(
            f"backbone.image_size={size} does not suit backbone.model={model} ({error}); use null"
        ) from error
    return Card(width, resize, tuple(data["mean"]), tuple(data["std"]), _sources(network.pretrained_cfg))


def build(model: str, image_size: int | None) -> nn.Module:
    """Return the network without its head: its pooled features."""
    known = timm.list_models()
    if model.partition(".")[0] not in known:
        raise ValueError(f"backbone.model={model} is no model of timm; {suggested(model, known)}")
    tags = timm.list_pretrained(f"{model.partition('.')[0]}.*")
    if "." in model and model not in tags:
        raise ValueError(f"backbone.model={model} is none of timm's weights; {suggested(model, tags)}")
    about = timm.get_pretrained_cfg(model)
    size: dict[str, Any] = {"img_size": image_size} if image_size and about and about.fixed_input_size else {}
    return timm.create_model(model, pretrained=False, num_classes=0, **size)


def adapted(state: State, network: Any, **architecture: Any) -> State:
    """Return the weights of a file without those of heads, by timm's names where it knows the format."""
    heads = network.pretrained_cfg.get("classifier") or ()
    prefixes = tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))
    convert = vars(sys.modules[type(network).__module__]).get("checkpoint_filter_fn")
    converted = convert(state, network) if convert else state
    return {name: value for name, value in converted.items() if not name.startswith(prefixes)}


def _sources(about: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return where the weights are, and their names here: those of a hub are named after its repository."""
    hub, file, address = (str(about.get(name) or "") for name in ("hf_hub_id", "hf_hub_filename", "url"))
    if hub:
        name = hub.rpartition("/")[2]
        return tuple((hf_hub_url(hub, one), f"{name}-{one}") for one in ((file,) if file else FILES))
    return ((address, address.rpartition("/")[2]),) if address else ()
