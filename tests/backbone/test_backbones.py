"""What every backbone promises."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.options import option

from experiments.backbone.identity import Identity
from experiments.backbone.pixels import Pixels
from experiments.config import compose
from experiments.context import Context
from experiments.samples import Resize, Samples

NAMES = [*compose.options("backbone"), "cnn_untrained"]


@pytest.fixture(params=NAMES)
def case(
    request: pytest.FixtureRequest,
    cnn: Callable[..., Any],
    pretrained: Callable[..., Any],
    digits: Samples,
    few: Samples,
    vectors: Samples,
) -> tuple:
    """Return a backbone, and samples that it can embed: a new option of conf/backbone needs no line here."""
    if request.param.startswith("cnn"):
        return cnn(max_epochs=int(request.param == "cnn")), digits
    stage = option("backbone", request.param)
    if hasattr(stage, "weights"):
        return pretrained(request.param), few
    return stage, digits if stage.resize else vectors


def test_embeddings_have_the_width_announced(case: tuple, ctx: Context):
    stage, samples = case
    embeddings = stage.fit(samples, ctx).embed(samples, ctx)
    assert embeddings.shape == (len(samples), stage.width(samples))
    assert embeddings.dtype == np.float32
    assert np.isfinite(embeddings).all()
    assert embeddings.std(axis=0).max() > 0


def test_equal_stages_give_equal_embeddings(case: tuple, ctx: Context):
    stage, samples = case
    one, other = (stage.fit(samples, ctx.on(name)).embed(samples, ctx) for name in ("one", "other"))
    assert (one == other).all()


def test_a_saved_encoder_embeds_the_same(case: tuple, ctx: Context, tmp_path: Path):
    stage, samples = case
    encoder = stage.fit(samples, ctx)
    (tmp_path / "kept").mkdir()
    encoder.save(tmp_path / "kept")
    loaded = type(encoder).load(tmp_path / "kept")
    assert (loaded.embed(samples, ctx) == encoder.embed(samples, ctx)).all()
    assert (loaded.history, loaded.trained, loaded.stopped) == (
        encoder.history, encoder.trained, encoder.stopped
    )  # fmt: skip


def test_encoders_say_how_they_came_about(case: tuple, ctx: Context):
    stage, samples = case
    encoder = stage.fit(samples, ctx)
    assert encoder.trained == bool(encoder.history)
    assert encoder.stopped == ""
    assert stage.TRAINS or not encoder.trained
    assert isinstance(stage.VERSION, int)
    json.dumps(encoder.history)


def test_the_wrong_kind_of_samples_is_refused(case: tuple, ctx: Context, digits: Samples, vectors: Samples):
    stage, samples = case
    wrong = vectors if samples.content.KIND == "images" else digits
    for verb in (stage.width, lambda samples: stage.fit(samples, ctx)):
        with pytest.raises(ValueError, match=r"backbone=.* needs (images|vectors), and digits holds"):
            verb(wrong)


def test_pixels_are_the_images_own_values(digits: Samples, ctx: Context):
    embeddings = Pixels(image_size=8).fit(digits, ctx).embed(digits, ctx)
    pixels = digits.content.pixels(Resize(8), ctx)
    np.testing.assert_array_equal(np.rint(embeddings * 255).astype(np.uint8), pixels.reshape(len(digits), -1))
    assert embeddings.max() == 1


def test_pixels_of_another_size_are_resized(digits: Samples, ctx: Context):
    assert Pixels(image_size=4).fit(digits, ctx).embed(digits, ctx).shape == (len(digits), 48)


def test_pixels_need_a_size():
    with pytest.raises(ValueError, match=r"backbone.image_size=0 is not a size; use 1 or more"):
        Pixels(image_size=0)


def test_identity_hands_the_vectors_on(vectors: Samples, ctx: Context):
    embeddings = Identity().fit(vectors, ctx).embed(vectors, ctx)
    np.testing.assert_array_equal(embeddings, vectors.content.vectors().astype(np.float32))
