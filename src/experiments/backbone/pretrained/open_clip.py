"""Adapter of open_clip's image towers. Imports torch and timm: import this where it is used."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import open_clip
import torch
from huggingface_hub import hf_hub_url
from open_clip.model import (
    CLIPTextCfg,
    CLIPVisionCfg,
    _build_text_tower,
    _build_vision_tower,
    convert_to_custom_text_state_dict,
)
from open_clip.pretrained import get_pretrained_cfg
from open_clip.transform import PreprocessCfg
from torch import Tensor, nn
from torch.nn.functional import normalize as to_unit_length

from experiments.backbone.inference.determinism import deterministic
from experiments.backbone.pretrained.card import Card
from experiments.backbone.pretrained.names import suggest
from experiments.backbone.pretrained.state_dict import TEXT, State, build_network, embedding_width, names_from
from experiments.context import Context
from experiments.samples import Resize

# used if the repository names no file
DEFAULT_FILES = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin")
TOWER = "visual."
THEIR_TEXT = "text."  # prefix of the text tower in open_clip's state dicts
TEXT_BATCH = 256
OF_TRANSFORMERS = ("hf_model_name", "hf_tokenizer_name")  # towers that need this library and a download
DEFAULT_SIZE = CLIPVisionCfg.image_size  # if the config has no image size
PREPROCESSING = ("mean", "std", "interpolation", "resize_mode")
RESIZE_MODES = {"shortest": "crop", "squash": "squash"}


class Tower(nn.Module):
    """An image tower; its embeddings have unit length if `unit`."""

    def __init__(self, visual: nn.Module, unit: bool) -> None:
        super().__init__()
        self.visual = visual
        self.unit = unit

    def forward(self, images: Tensor) -> Tensor:
        """Map float (n, 3, S, S) to (n, d)."""
        output = self.visual(images)
        # CoCa also returns patch embeddings
        pooled: Tensor = output[0] if isinstance(output, tuple) else output
        return to_unit_length(pooled.float(), dim=-1) if self.unit else pooled


def card(model: str, tag: str, normalize: bool, config: dict[str, Any] | None, text: bool = False) -> Card:
    """Return the card of an image tower; raise ValueError for an unknown name or tag."""
    size = int(_config(model, config)["vision_cfg"].get("image_size", DEFAULT_SIZE))
    weights = _weights_config(model, tag, config)
    preprocessing = PreprocessCfg(size, **{name: weights[name] for name in PREPROCESSING if name in weights})
    if preprocessing.resize_mode not in RESIZE_MODES:
        raise ValueError(
            f"backbone.tag={tag} pads images, which is not supported; use another tag of {model}"
        )
    resize = Resize(size, RESIZE_MODES[preprocessing.resize_mode], preprocessing.interpolation)
    architecture = {"model": model, "tag": tag, "normalize": normalize, "config": config, "text": text}
    network = build_network("open_clip", architecture)
    width, sources = embedding_width(network, size), _weight_sources(weights)
    mean, std = tuple(preprocessing.mean), tuple(preprocessing.std)
    return Card(width, resize, mean, std, sources, names_from(network))


def build(
    model: str, tag: str, normalize: bool, config: dict[str, Any] | None, text: bool = False
) -> nn.Module:
    """Return the image tower; with `text` it has the text tower, which its output does not use."""
    settings = _config(model, config)
    quick = settings.get("quick_gelu", False) or _weights_config(model, tag, config).get("quick_gelu", False)
    vision = settings["vision_cfg"] | {"timm_model_pretrained": False}
    tower = Tower(_build_vision_tower(settings["embed_dim"], vision, quick), normalize)
    text_settings = settings.get("text_cfg") or {}
    if text and text_settings and not any(text_settings.get(name) for name in OF_TRANSFORMERS):
        tower.add_module(TEXT, _build_text_tower(settings["embed_dim"], text_settings, quick))
    return tower


def convert_state_dict(state: State, network: nn.Module, text: bool = False, **architecture: Any) -> State:
    """Return the weights of the towers from a state dict of the whole model or of the image tower."""
    tower = {name: value for name, value in state.items() if name.startswith(TOWER)}
    if not tower:
        return {f"{TOWER}{name}": value for name, value in state.items()}
    names = network.state_dict() if text else {}
    for name, value in convert_to_custom_text_state_dict(state).items():
        own = f"{TEXT}.{name.removeprefix(THEIR_TEXT)}"
        if name.startswith(THEIR_TEXT) and own in names:
            tower[own] = value
    return tower


def embed_texts(
    network: Any, architecture: Mapping[str, Any], texts: Sequence[str], ctx: Context
) -> np.ndarray:
    """Return the embeddings of texts, float32 (m, d) of length 1."""
    config = architecture["config"]
    length = None if config is None else CLIPTextCfg(**config["text_cfg"]).context_length
    tokenize = (
        open_clip.get_tokenizer(architecture["model"])
        if config is None
        else open_clip.SimpleTokenizer(context_length=length)
    )
    tower = getattr(network, TEXT).to(ctx.device).eval()
    mask, parts = tower.attn_mask, []
    is_causal = tower.pool_type == "argmax" and mask is not None and tower.cls_emb is None
    with (
        torch.inference_mode(),
        deterministic(ctx),
        ctx.report.progress("embed texts", len(texts), "texts") as advance,
    ):
        for start in range(0, len(texts), TEXT_BATCH):
            tokens = tokenize(list(texts[start : start + TEXT_BATCH])).to(ctx.device)
            if is_causal:  # the last token is the embedding, and no token attends to later ones
                end = int(tokens.argmax(dim=1).max()) + 1
                tokens, tower.attn_mask = tokens[:, :end], mask[:end, :end]
            output = tower(tokens)
            pooled = output[0] if isinstance(output, tuple) else output  # as of images
            parts.append(to_unit_length(pooled.float(), dim=-1).numpy(force=True))
            advance(len(tokens))
    return np.concatenate(parts)


def _config(model: str, config: dict[str, Any] | None) -> dict[str, Any]:
    if config is not None:
        return config
    known = open_clip.list_models()
    if model not in known:
        raise ValueError(f"backbone.model={model} is not a model of open_clip; {suggest(model, known)}")
    return dict(open_clip.get_model_config(model))


def _weights_config(model: str, tag: str, config: dict[str, Any] | None) -> dict[str, Any]:
    """Return open_clip's metadata of the weights `tag`; {} for models without weights."""
    if config is not None:
        return {}
    _config(model, config)
    tags = open_clip.list_pretrained_tags_by_model(model)
    if tags and tag not in tags:
        raise ValueError(f"backbone.tag={tag} is not a tag of {model}; {suggest(tag, tags)}")
    return dict(get_pretrained_cfg(model, tag))


def _weight_sources(weights: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return URLs and local names of weight files; names of hub files start with their repository."""
    owner, _, rest = str(weights.get("hf_hub", "")).partition("/")
    name, _, file = rest.partition("/")
    files = (file,) if file else DEFAULT_FILES
    hub = (
        [(hf_hub_url(f"{owner}/{name}", file_name), f"{name}-{file_name}") for file_name in files]
        if name
        else []
    )
    address = str(weights.get("url", ""))
    return (*hub, *([(address, address.rpartition("/")[2])] if address and not hub else []))
