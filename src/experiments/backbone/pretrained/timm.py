"""Adapter of timm's networks. Imports torch: import this where it is used."""

import math
import sys
from typing import Any

import timm
from huggingface_hub import hf_hub_url
from timm.data.config import resolve_model_data_config
from torch import nn

from experiments.backbone.pretrained.card import Card
from experiments.backbone.pretrained.names import suggest
from experiments.backbone.pretrained.state_dict import (
    State,
    add_head,
    as_head,
    build_network,
    embedding_width,
    names_from,
)
from experiments.samples import Resize

DEFAULT_FILES = ("model.safetensors", "pytorch_model.bin")
LITE_STEM = "_conv_stem.weight"  # the first weight in files of efficientnet-lite, whose order is timm's


def card(model: str, image_size: int | None, head: bool = False) -> Card:
    """Return the card of a network; raise ValueError for an unknown name or an unsupported size."""
    network: Any = build_network("timm", {"model": model, "image_size": image_size, "head": head})
    data = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    size = image_size or data["input_size"][-1]
    mode = "squash" if data["crop_mode"] == "squash" else "crop"
    scaled = math.floor(size / data["crop_pct"])
    resize = Resize(size, mode, data["interpolation"], scaled if scaled != size else None)
    try:
        width = embedding_width(network, size)
    except (AssertionError, RuntimeError) as error:
        raise ValueError(
            f"backbone.image_size={size} does not fit backbone.model={model} ({error}); use null"
        ) from error
    sources = _weight_sources(network.pretrained_cfg)
    return Card(width, resize, tuple(data["mean"]), tuple(data["std"]), sources, names_from(network))


def build(model: str, image_size: int | None, head: bool = False) -> nn.Module:
    """Return the network, whose output is pooled features; its head is an unused `HEAD`, or missing."""
    known = timm.list_models()
    if model.partition(".")[0] not in known:
        raise ValueError(f"backbone.model={model} is not a model of timm; {suggest(model, known)}")
    tags = timm.list_pretrained(f"{model.partition('.')[0]}.*")
    if "." in model and model not in tags:
        raise ValueError(f"backbone.model={model} is not a tag of timm's weights; {suggest(model, tags)}")
    config = timm.get_pretrained_cfg(model)
    size: dict[str, Any] = (
        {"img_size": image_size} if image_size and config and config.fixed_input_size else {}
    )
    if not head:
        return timm.create_model(model, pretrained=False, num_classes=0, **size)
    network: Any = timm.create_model(model, pretrained=False, **size)
    last = network.get_classifier()
    network.reset_classifier(0)
    return add_head(network, last)


def convert_state_dict(state: State, network: Any, head: bool = False, **architecture: Any) -> State:
    """Return the weights, converted to timm's names if their format is known; heads only if `head`."""
    if head and LITE_STEM in state:
        return dict(zip(network.state_dict(), state.values(), strict=False))
    heads = network.pretrained_cfg.get("classifier") or ()
    prefixes = tuple(f"{name}." for name in ((heads,) if isinstance(heads, str) else heads))
    convert = vars(sys.modules[type(network).__module__]).get("checkpoint_filter_fn")
    converted = convert(state, network) if convert else state
    if head and len(prefixes) == 1:
        return as_head(converted, prefixes[0])
    return {name: value for name, value in converted.items() if not name.startswith(prefixes)}


def _weight_sources(config: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return URLs and local names of weight files; names of hub files start with their repository."""
    hub, file, url = (str(config.get(name) or "") for name in ("hf_hub_id", "hf_hub_filename", "url"))
    if hub:
        name = hub.rpartition("/")[2]
        return tuple(
            (hf_hub_url(hub, file_name), f"{name}-{file_name}")
            for file_name in ((file,) if file else DEFAULT_FILES)
        )
    return ((url, url.rpartition("/")[2]),) if url else ()
