"""torchvision's classifiers. Imports torch: import this where it is used."""

import re
from typing import Any

import torchvision.models as catalogue
from torch import nn

from experiments.backbone.pretrained.card import Card
from experiments.backbone.pretrained.names import suggested
from experiments.backbone.pretrained.state_dict import State, network_of, width_of
from experiments.samples import Resize

EXTRA: dict[str, dict[str, Any]] = {  # they normalise anew inside; what they draw takes a minute
    "googlenet": {"transform_input": True, "init_weights": False, "aux_logits": False},
    "inception_v3": {"transform_input": True, "init_weights": False, "aux_logits": False},
}
AUXILIARY = ("aux1.", "aux2.", "AuxLogits.")  # heads for training alone
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)")


def card(model: str, tag: str) -> Card:
    """Return what is known of a classifier; raise ValueError if there is none of that name or tag."""
    found = _weights(model, tag)
    preset = found.transforms()
    size, scaled = preset.crop_size[0], preset.resize_size[0]
    resize = Resize(size, "crop", preset.interpolation.value, scaled if scaled != size else None)
    source = (found.url, found.url.rpartition("/")[2])
    width = width_of(network_of("torchvision", {"model": model, "tag": tag}), size)
    return Card(width, resize, tuple(preset.mean), tuple(preset.std), (source,))


def build(model: str, tag: str) -> nn.Module:
    """Return the classifier without its last layer: what that was given, a map averaged over the image."""
    size = _weights(model, tag).transforms().crop_size[0]
    fixed = {"image_size": size} if model.startswith("vit_") else {}
    network: nn.Module = catalogue.get_model(model, weights=None, **EXTRA.get(model, {}), **fixed)
    network.set_submodule(_last(network), nn.Identity())
    return network


def adapted(state: State, network: nn.Module, model: str, tag: str) -> State:
    """Return the weights of a file without those of heads, by the names of today."""
    whole: nn.Module = catalogue.get_model(model, weights=None, **EXTRA.get(model, {}))
    heads = (f"{_last(whole)}.", *AUXILIARY)
    named = {OLD_DENSENET.sub(r"\1", name): value for name, value in state.items()}
    return {name: value for name, value in named.items() if not name.startswith(heads)}


def _weights(model: str, tag: str) -> Any:
    known = catalogue.list_models(module=catalogue)
    if model not in known:
        raise ValueError(f"backbone.model={model} is no classifier of torchvision; {suggested(model, known)}")
    offered = catalogue.get_model_weights(model).__members__
    if tag not in offered:
        raise ValueError(f"backbone.tag={tag} is none of {model}'s weights; use {' or '.join(offered)}")
    return offered[tag]


def _last(network: nn.Module) -> str:
    """Name the layer that tells classes: the last one with weights of its own, dense or a convolution."""
    layers: list[str] = [
        name for name, layer in network.named_modules() if isinstance(layer, (nn.Linear, nn.Conv2d))
    ]
    return layers[-1]
