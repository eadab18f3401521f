"""The contract of all backbones."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.messages import says
from tests.options import option

from experiments.backbone.identity import Identity
from experiments.backbone.pixels import Pixels
from experiments.config import compose
from experiments.context import Context
from experiments.samples import Resize, Samples
from experiments.store.cache import Store

NAMES = [*compose.options("backbone"), "cnn_untrained"]


@dataclass(frozen=True, eq=False)
class Case:
    """A backbone, samples that it can embed, and their embeddings."""

    stage: Any
    samples: Samples
    encoder: Any
    embeddings: np.ndarray


@pytest.fixture(params=NAMES, scope="module")
def case(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    cnn: Callable[..., Any],
    pretrained: Callable[..., Any],
    digits: Samples,
    few: Samples,
    vectors: Samples,
) -> Case:
    """Fit each backbone once; new options of conf/backbone are found by themselves."""
    if request.param.startswith("cnn"):
        stage, samples = cnn(max_epochs=int(request.param == "cnn")), digits
    elif hasattr(stage := option("backbone", request.param), "weights"):
        stage, samples = pretrained(request.param), few
    else:
        samples = digits if stage.resize else vectors
    ctx = replace(Context.plain(Store(tmp_path_factory.mktemp("cache"))), threads=1)
    encoder = stage.fit(samples, ctx)
    return Case(stage, samples, encoder, encoder.embed(samples, ctx))


def test_embeddings_have_the_declared_width(case: Case):
    assert case.embeddings.shape == (len(case.samples), case.stage.width(case.samples))
    assert case.embeddings.dtype == np.float32
    assert np.isfinite(case.embeddings).all()
    assert case.embeddings.std(axis=0).max() > 0


def test_equal_stages_give_equal_embeddings(case: Case, ctx: Context):
    again = case.stage.fit(case.samples, ctx).embed(case.samples, ctx)
    assert (again == case.embeddings).all()


def test_a_saved_encoder_embeds_the_same(case: Case, ctx: Context, tmp_path: Path):
    case.encoder.save(tmp_path)
    loaded = type(case.encoder).load(tmp_path)
    assert (loaded.embed(case.samples, ctx) == case.embeddings).all()
    for name in ("history", "trained", "stopped"):
        assert getattr(loaded, name) == getattr(case.encoder, name)


def test_encoders_have_a_training_history(case: Case):
    assert case.encoder.trained == bool(case.encoder.history)
    assert case.encoder.stopped == ""
    assert case.stage.TRAINS or not case.encoder.trained
    assert isinstance(case.stage.VERSION, int)
    json.dumps(case.encoder.history)


def test_the_wrong_kind_of_samples_is_refused(case: Case, ctx: Context, digits: Samples, vectors: Samples):
    stage, samples = case.stage, case.samples
    wrong = vectors if samples.content.KIND == "images" else digits
    for verb in (stage.width, lambda samples: stage.fit(samples, ctx)):
        with pytest.raises(ValueError) as error:
            verb(wrong)
        name = type(stage).__module__.rpartition(".")[2]
        use = "backbone=identity" if samples.content.KIND == "images" else "backbone=cnn"
        assert "digits" in says(error, key=f"backbone={name}", use=use)


def test_pixels_are_the_flattened_images(digits: Samples, ctx: Context):
    embeddings = Pixels(image_size=8).fit(digits, ctx).embed(digits, ctx)
    pixels = digits.content.pixels(Resize(8), ctx)
    np.testing.assert_array_equal(np.rint(embeddings * 255).astype(np.uint8), pixels.reshape(len(digits), -1))
    assert embeddings.max() == 1


def test_pixels_of_another_size_are_resized(digits: Samples, ctx: Context):
    assert Pixels(image_size=4).fit(digits, ctx).embed(digits, ctx).shape == (len(digits), 48)


def test_pixels_need_a_size():
    with pytest.raises(ValueError) as error:
        Pixels(image_size=0)
    says(error, key="backbone.image_size=0", use="1 or more")


def test_identity_returns_the_vectors(vectors: Samples, ctx: Context):
    embeddings = Identity().fit(vectors, ctx).embed(vectors, ctx)
    np.testing.assert_array_equal(embeddings, vectors.content.vectors().astype(np.float32))
