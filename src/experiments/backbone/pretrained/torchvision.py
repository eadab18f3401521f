"""Adapter of torchvision's classifiers. Imports torch: import this where it is used."""

import re
from typing import Any

import torchvision.models as catalogue
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

EXTRA_ARGUMENTS: dict[str, dict[str, Any]] = {  # these normalise inputs again, and initialise slowly
    "googlenet": {"transform_input": True, "init_weights": False, "aux_logits": False},
    "inception_v3": {"transform_input": True, "init_weights": False, "aux_logits": False},
}
AUXILIARY_HEADS = ("aux1.", "aux2.", "AuxLogits.")  # heads used only in training
OLD_DENSENET = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.(?=[12]\.)")


def card(model: str, tag: str, head: bool = False) -> Card:
    """Return the card of a classifier; raise ValueError for an unknown name or tag."""
    weights = _weights(model, tag)
    preset = weights.transforms()
    size, scaled = preset.crop_size[0], preset.resize_size[0]
    resize = Resize(size, "crop", preset.interpolation.value, scaled if scaled != size else None)
    source = (weights.url, weights.url.rpartition("/")[2])
    network = build_network("torchvision", {"model": model, "tag": tag, "head": head})
    width, mean, std = embedding_width(network, size), tuple(preset.mean), tuple(preset.std)
    return Card(width, resize, mean, std, (source,), names_from(network))


def build(model: str, tag: str, head: bool = False) -> nn.Module:
    """Return the classifier; its output is the input of its last layer, an unused `HEAD`, or missing."""
    size = _weights(model, tag).transforms().crop_size[0]
    fixed = {"image_size": size} if model.startswith("vit_") else {}
    network: nn.Module = catalogue.get_model(model, weights=None, **EXTRA_ARGUMENTS.get(model, {}), **fixed)
    name = _last_layer(network)
    last = network.get_submodule(name)
    network.set_submodule(name, nn.Identity())
    return add_head(network, last) if head else network


def convert_state_dict(state: State, network: nn.Module, model: str, tag: str, head: bool = False) -> State:
    """Return the weights with old names replaced; heads only if `head`."""
    whole: nn.Module = catalogue.get_model(model, weights=None, **EXTRA_ARGUMENTS.get(model, {}))
    last = f"{_last_layer(whole)}."
    if head:
        state = as_head(state, last)
    heads = (last, *AUXILIARY_HEADS)
    renamed = {OLD_DENSENET.sub(r"\1", name): value for name, value in state.items()}
    return {name: value for name, value in renamed.items() if not name.startswith(heads)}


def _weights(model: str, tag: str) -> Any:
    known = catalogue.list_models(module=catalogue)
    if model not in known:
        raise ValueError(
            f"backbone.model={model} is not a classifier of torchvision; {suggest(model, known)}"
        )
    weights = catalogue.get_model_weights(model).__members__
    if tag not in weights:
        raise ValueError(f"backbone.tag={tag} is not a tag of {model}; use {' or '.join(weights)}")
    return weights[tag]


def _last_layer(network: nn.Module) -> str:
    """Return the name of the classification layer: the last dense or convolutional layer."""
    layers: list[str] = [
        name for name, layer in network.named_modules() if isinstance(layer, (nn.Linear, nn.Conv2d))
    ]
    return layers[-1]
