"""Class heads and text towers: encoders keep them, and compute what their library computes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import timm
import torch
import torchvision
from tests.backbone.conftest import TINY
from tests.messages import says

from experiments.backbone.pretrained.network import PretrainedEncoder
from experiments.context import Context
from experiments.samples import Samples

pytestmark = pytest.mark.slow

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("option", "model", "whole"),
    [
        ("resnet50", "shufflenet_v2_x0_5", lambda: torchvision.models.shufflenet_v2_x0_5(weights=None)),
        ("dinov2", "test_vit.r160_in1k", lambda: timm.create_model("test_vit")),
    ],
)
def test_the_head_gives_the_classes_of_the_whole_network(
    option: str,
    model: str,
    whole: Callable[[], Any],
    pretrained: Make,
    few: Samples,
    ctx: Context,
    tmp_path: Path,
) -> None:
    network = whole().eval()
    torch.save(network.state_dict(), tmp_path / "w.pth")
    stage = pretrained(option, model=model, weights=str(tmp_path / "w.pth"))
    assert stage.names_from == "classes"
    encoder = stage.fit(few, ctx)
    card = encoder.card
    pixels = torch.from_numpy(np.array(few.content.pixels(card.resize, ctx))).float() / 255
    images = ((pixels - torch.tensor(card.mean)) / torch.tensor(card.std)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = network(images).numpy()
    encoder.save(tmp_path)
    loaded = PretrainedEncoder.load(tmp_path)
    weights, bias = loaded.class_head()
    np.testing.assert_allclose(loaded.embed(few, ctx) @ weights.T + bias, expected, rtol=1e-3, atol=1e-4)
    assert not loaded.random


@pytest.mark.parametrize("classes", [7, 0])
def test_a_head_of_other_classes_is_ignored(
    classes: int, pretrained: Make, few: Samples, ctx: Context, tmp_path: Path
) -> None:
    state = dict(torchvision.models.shufflenet_v2_x0_5(weights=None).state_dict())
    state |= {"fc.weight": torch.zeros(classes, 1024), "fc.bias": torch.zeros(classes)}
    torch.save(state if classes else {k: v for k, v in state.items() if "fc." not in k}, tmp_path / "w.pth")
    encoder = pretrained("resnet50", model="shufflenet_v2_x0_5", weights=str(tmp_path / "w.pth")).fit(
        few, ctx
    )
    assert encoder.class_head() is None
    assert encoder.embed(few, ctx).shape == (10, 1024)


def test_a_network_whose_last_layer_is_a_convolution_has_no_head(pretrained: Make) -> None:
    assert pretrained("resnet50", model="squeezenet1_1").names_from == ""


@pytest.fixture
def talking(tmp_path: Path) -> Path:
    """Write the config of a small CLIP that knows all tokens."""
    path = tmp_path / "talking.json"
    path.write_text(
        json.dumps(TINY | {"text_cfg": TINY["text_cfg"] | {"vocab_size": 49408}}), encoding="utf-8"
    )
    return path


def test_texts_are_embedded_as_by_the_whole_model(
    talking: Path, pretrained: Make, few: Samples, ctx: Context, tmp_path: Path
) -> None:
    whole = open_clip.CLIP(**json.loads(talking.read_text(encoding="utf-8"))).eval()
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    stage = pretrained("clip", model=str(talking), weights=str(tmp_path / "w.pth"))
    assert stage.names_from == "text"
    encoder = stage.fit(few, ctx)
    assert encoder.class_head() is None
    texts = ["a photo of a teapot.", "an ant"]
    with torch.inference_mode():
        tokens = open_clip.SimpleTokenizer(context_length=8)(texts)
        expected = whole.encode_text(tokens, normalize=True).numpy()
        images = whole.encode_image(torch.zeros(1, 3, 32, 32), normalize=True)
    np.testing.assert_allclose(encoder.embed_texts(texts, ctx), expected, atol=1e-5)
    np.testing.assert_allclose(encoder.embed_texts(texts[1:], ctx), expected[1:], atol=1e-5)
    assert encoder.embed(few, ctx).shape == (10, images.shape[1])


def test_weights_without_a_text_tower_embed_images_only(
    talking: Path, pretrained: Make, few: Samples, ctx: Context, tmp_path: Path
) -> None:
    whole = open_clip.CLIP(**json.loads(talking.read_text(encoding="utf-8")))
    torch.save(whole.visual.state_dict(), tmp_path / "w.pth")
    encoder = pretrained("clip", model=str(talking), weights=str(tmp_path / "w.pth")).fit(few, ctx)
    assert encoder.embed(few, ctx).shape == (10, 16)
    with pytest.raises(ValueError) as error:
        encoder.embed_texts(["an ant"], ctx)
    says(error, key="backbone.weights", use="backbone=efficientnet_lite0")


def test_a_text_tower_of_transformers_gives_no_names(pretrained: Make) -> None:
    assert pretrained("clip", model="ViT-B-16-SigLIP", tag="webli").names_from == ""
