"""The backbone cnn and its encoder: checks, embedding, saving and loading."""

import math
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.messages import says

from experiments.backbone.cnn import Cnn, CnnEncoder
from experiments.backbone.convnet.batches import as_input
from experiments.context import Context
from experiments.samples import Resize, Samples

Make = Callable[..., Cnn]


def test_no_epochs_keep_the_random_weights_and_need_no_labels(cnn: Make, digits: Samples, ctx: Context):
    stage = cnn(max_epochs=0)
    bare = replace(digits, labels=None, class_names=(), split=np.zeros_like(digits.split))
    assert stage.width(bare) == 12
    encoder = stage.fit(bare, ctx)
    assert (encoder.trained, encoder.history, encoder.stopped) == (False, (), "")
    initial = stage.network(1).weights()
    assert all((encoder.weights[name] == initial[name]).all() for name in initial)


def test_embedding_is_the_dense_layer_after_its_relu(cnn: Make, digits: Samples, ctx: Context):
    stage = cnn(max_epochs=1)
    encoder = stage.fit(digits, ctx)
    embeddings = encoder.embed(digits, ctx)
    network = stage.network(10).load_weights(encoder.weights).eval()
    with torch.inference_mode():
        images = as_input(torch.from_numpy(np.array(digits.content.pixels(Resize(8), ctx))))
        expected = network.embed(images).numpy()
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)
    assert embeddings.min() == 0
    assert embeddings.max() > 0


def test_embedding_reads_batches_and_does_not_depend_on_their_size(cnn: Make, digits: Samples, ctx: Context):
    """On a CPU a batch has 16 images of 64x64."""
    stage = cnn(max_epochs=0, image_size=64)
    large = replace(digits, content=Watched(noise(40, 64)))
    embeddings = stage.fit(large, ctx).embed(large, ctx)
    with torch.inference_mode():
        network = stage.network(10).eval()
        expected = network.embed(as_input(torch.from_numpy(large.content.images))).numpy()
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)
    assert set(large.content.read) == {16, 8}
    assert sum(large.content.read) == 40


def test_the_number_of_threads_does_not_change_the_embedding(cnn: Make, digits: Samples, ctx: Context):
    large = replace(digits, content=Watched(noise(40, 64)))
    encoder, torch_threads = cnn(max_epochs=0, image_size=64).fit(large, ctx), torch.get_num_threads()
    whole, *others = (encoder.embed(large, replace(ctx, threads=threads)) for threads in (1, 2, 5))
    assert all((whole == other).all() for other in others)
    assert torch.get_num_threads() == torch_threads


def noise(n: int, size: int) -> np.ndarray:
    """Return uint8 (n, size, size, 3)."""
    return np.random.default_rng(0).integers(0, 256, (n, size, size, 3), np.uint8)


class Watched:
    """Pixels that record the number of images of each read."""

    KIND = "images"

    def __init__(self, images: np.ndarray) -> None:
        self.images = images
        self.read: list[int] = []

    def pixels(self, resize: Resize, ctx: Context) -> "Watched":
        return self

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: slice) -> np.ndarray:
        self.read.append(len(self.images[rows]))
        return self.images[rows]


def test_embedding_reports_its_progress(
    cnn: Make, digits: Samples, ctx: Context, recorder_class: Callable[..., Any]
):
    recorder = recorder_class()
    cnn(max_epochs=0).fit(digits, ctx).embed(digits, replace(ctx, report=recorder))
    assert recorder.bars["embed images"] == (len(digits), "images")
    assert recorder.moved["embed images"] == len(digits)


def test_an_image_larger_than_the_batch_is_still_embedded(cnn: Make, digits: Samples, ctx: Context):
    few = replace(digits, content=Watched(noise(3, 257)), ids=digits.ids[:3])
    assert cnn(max_epochs=0, image_size=257).fit(few, ctx).embed(few, ctx).shape == (3, 12)
    assert few.content.read == [1, 1, 1]


def test_a_saved_encoder_is_loaded_completely(cnn: Make, digits: Samples, ctx: Context, tmp_path: Path):
    encoder = cnn(max_epochs=1).fit(digits, ctx)
    encoder.save(tmp_path)
    loaded = CnnEncoder.load(tmp_path)
    for name in ("image_size", "filters", "dense", "classes", "history", "trained", "stopped"):
        assert getattr(loaded, name) == getattr(encoder, name)
    assert (loaded.embed(digits, ctx) == encoder.embed(digits, ctx)).all()


def test_a_saved_encoder_is_loaded_without_torch(cnn: Make, digits: Samples, ctx: Context, tmp_path: Path):
    cnn(max_epochs=0).fit(digits, ctx).save(tmp_path)
    script = (
        "import sys; from pathlib import Path; from experiments.backbone.cnn import CnnEncoder;"
        f"CnnEncoder.load(Path({str(tmp_path)!r})).history;"
        "print({'torch', 'pytorch_lightning', 'omegaconf', 'mlflow'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, encoding="utf-8")
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("change", "key", "use"),
    [
        ({"image_size": 7, "filters": (8, 8, 8)}, "backbone.image_size=7", "8 or more"),
        ({"rotation": 181.0}, "backbone.rotation=181.0", "0 to 180"),
        ({"zoom": 1.0}, "backbone.zoom=1.0", "0 up to below 1"),
        ({"translation": -0.1}, "backbone.translation=-0.1", "0 to 1"),
        ({"filters": ()}, "backbone.filters=[]", "[32,64,128]"),
        ({"filters": (8, 0)}, "backbone.filters=[8, 0]", "[32,64,128]"),
        ({"dropout": 1.5}, "backbone.dropout=1.5", "0 up to below 1"),
        ({"head_dropout": math.nan}, "backbone.head_dropout=nan", "0 up to below 1"),
        ({"dense": 0}, "backbone.dense=0", "1 or more"),
        ({"weight_decay": math.inf}, "backbone.weight_decay=inf", "0 or more"),
        ({"learning_rate": 0.0}, "backbone.learning_rate=0.0", "a number above 0"),
        ({"min_learning_rate": -1.0}, "backbone.min_learning_rate=-1.0", "0 or more"),
        ({"lr_factor": 1.0}, "backbone.lr_factor=1.0", "below 1"),
        ({"lr_patience": 0}, "backbone.lr_patience=0", "1 or more"),
        ({"patience": 0}, "backbone.patience=0", "1 or more"),
        ({"batch_size": 0}, "backbone.batch_size=0", "1 or more"),
        ({"max_epochs": -1}, "backbone.max_epochs=-1", "0 or more"),
        ({"seed": -1}, "backbone.seed=-1", "0 or more"),
        ({"max_minutes": 0.0}, "backbone.max_minutes=0.0", "a number above 0, or null"),
        ({"max_minutes": math.nan}, "backbone.max_minutes=nan", "a number above 0, or null"),
    ],
)
def test_impossible_values_are_refused(change: dict[str, Any], key: str, use: str, cnn: Make):
    with pytest.raises(ValueError) as error:
        cnn(**change)
    says(error, key=key, use=use)


@pytest.mark.parametrize("verb", ["width", "fit"])
def test_samples_without_labels_are_refused_with_alternatives(
    verb: str, cnn: Make, digits: Samples, ctx: Context
):
    bare = replace(digits, labels=None, class_names=())
    arguments = (bare,) if verb == "width" else (bare, ctx)
    with pytest.raises(ValueError) as error:
        getattr(cnn(), verb)(*arguments)
    text = says(error, key="digits", use="backbone=efficientnet_lite0 evaluator=[internal]")
    says(text, key="backbone=cnn", use="dataset.labels.path=")


@pytest.mark.parametrize(("part", "key"), [(0, "dataset.split.train"), (1, "dataset.split.validation")])
def test_an_empty_part_of_the_split_is_refused(part: int, key: str, cnn: Make, digits: Samples):
    lopsided = replace(digits, split=np.full_like(digits.split, 1 - part))
    with pytest.raises(ValueError) as error:
        cnn().width(lopsided)
    says(error, key=key, use="backbone=pixels")
