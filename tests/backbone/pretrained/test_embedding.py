"""Embedding with a pretrained network: preprocessing, interruptions, batches, precision."""

import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from tests.backbone.conftest import TINY
from tests.messages import says

from experiments.backbone.inference.embedding import _embed_in_halves
from experiments.backbone.pretrained.embedding import BATCH_PIXELS
from experiments.context import Context, Silent
from experiments.dataset.images.pixels import resized
from experiments.samples import Resize, Samples

pytestmark = pytest.mark.slow

Make = Callable[..., Any]
OPTIONS = ("resnet50", "clip", "dinov2")


class Interrupting(Silent):
    """A report that records batches and raises KeyboardInterrupt after `after` of them."""

    def __init__(self, after: int | None = None) -> None:
        self.after = after
        self.total = 0
        self.batches: list[int] = []

    def progress(self, task: str, total: int, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        if task == "embed images":
            self.total = total
            return nullcontext(self.advance)
        return nullcontext(lambda done: None)

    def advance(self, done: int) -> None:
        self.batches.append(done)
        if len(self.batches) == self.after:
            raise KeyboardInterrupt


@pytest.fixture
def encoder(pretrained: Make, few: Samples, ctx: Context, tmp_path: Path) -> Any:
    """Return an encoder of large images, of which a CPU embeds three at a time."""
    path = tmp_path / "large.json"
    vision = TINY["vision_cfg"] | {"image_size": 512, "patch_size": 128, "layers": 1}
    path.write_text(json.dumps(TINY | {"vision_cfg": vision}), encoding="utf-8")
    assert BATCH_PIXELS["cpu"] // 512**2 == 3
    return pretrained("clip", model=str(path)).fit(few, ctx)


@pytest.mark.parametrize("torn", [b"", b"half a row"])
def test_an_interrupted_embedding_is_resumed(torn: bytes, encoder: Any, few: Samples, ctx: Context):
    whole = encoder.embed(few, ctx)
    stopped, resumed = Interrupting(after=2), Interrupting()
    with pytest.raises(KeyboardInterrupt):
        encoder.embed(few, replace(ctx, report=stopped))
    [partial_file] = (ctx.store.root / ".work").glob("*/*.float32")  # type: ignore[attr-defined]
    with partial_file.open("ab") as file:
        file.write(torn)  # as after a kill
    again = encoder.embed(few, replace(ctx, report=resumed))
    assert (again == whole).all()
    assert (stopped.batches, stopped.total) == ([3, 3], 10)
    assert (resumed.batches, resumed.total) == ([3, 1], 4)
    assert not partial_file.parent.exists()


def test_a_complete_embedding_that_was_not_cached_is_read(encoder: Any, few: Samples, ctx: Context):
    whole, last, none = encoder.embed(few, ctx), Interrupting(after=4), Interrupting()
    with pytest.raises(KeyboardInterrupt):
        encoder.embed(few, replace(ctx, report=last))
    assert (encoder.embed(few, replace(ctx, report=none)) == whole).all()
    assert none.batches == []


def test_other_images_are_not_resumed(encoder: Any, few: Samples, ctx: Context):
    with pytest.raises(KeyboardInterrupt):
        encoder.embed(few, replace(ctx, report=Interrupting(after=2)))
    others = replace(few, content=few.content.take(np.arange(10)[::-1]))
    seen = Interrupting()
    encoder.embed(others, replace(ctx, report=seen))
    assert seen.batches == [3, 3, 3, 1]


def test_embedding_logs_its_speed(encoder: Any, few: Samples, ctx: Context, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.INFO)
    encoder.embed(few, ctx)
    says(caplog.text, key="10 images", use="a second")


@pytest.mark.parametrize("option", OPTIONS)
def test_embeddings_do_not_depend_on_the_batch(option: str, pretrained: Make, few: Samples, ctx: Context):
    encoder = pretrained(option).fit(few, ctx)
    whole = encoder.embed(few, ctx)
    single = [
        encoder.embed(replace(few, content=few.content.take(np.array([row]))), ctx) for row in range(10)
    ]
    np.testing.assert_allclose(np.concatenate(single), whole, atol=1e-5 * np.abs(whole).max())


def test_half_precision_is_close(pretrained: Make, few: Samples, ctx: Context):
    encoder = pretrained("clip").fit(few, ctx)
    exact, rough = encoder.embed(few, ctx), encoder.embed(few, replace(ctx, dtype="bfloat16"))
    assert rough.dtype == np.float32
    assert 0 < np.abs(exact - rough).max() < 0.05


def test_a_batch_that_exceeds_memory_is_halved():
    sizes: list[int] = []

    def forward(batch: torch.Tensor) -> torch.Tensor:
        sizes.append(len(batch))
        if len(batch) > 3:
            raise torch.OutOfMemoryError
        return batch * 2

    batch = torch.arange(10.0)
    assert torch.equal(_embed_in_halves(forward, batch), 2 * batch)
    assert sizes == [10, 5, 3, 2, 5, 3, 2]
    with pytest.raises(torch.OutOfMemoryError):
        _embed_in_halves(lambda batch: forward(torch.arange(9.0)), batch)


def photographs() -> list[Image.Image]:
    from sklearn.datasets import load_sample_images

    china, flower = (Image.fromarray(image) for image in load_sample_images().images)
    return [
        china,
        flower.transpose(Image.Transpose.ROTATE_90),
        flower.resize((301, 173)),
        china.resize((96, 97)),
    ]


def library_transform(option: str, model: str) -> Callable[[Image.Image], torch.Tensor]:
    """Return the library's own preprocessing of an image."""
    if option == "resnet50":
        import torchvision

        return torchvision.models.get_model_weights(model).DEFAULT.transforms()  # type: ignore[no-any-return]
    if option == "clip":
        import open_clip
        from open_clip.pretrained import get_pretrained_cfg
        from open_clip.transform import PreprocessCfg, image_transform_v2

        tag = open_clip.list_pretrained_tags_by_model(model)[0]
        config = get_pretrained_cfg(model, tag)
        names = ("mean", "std", "interpolation", "resize_mode")
        size = open_clip.get_model_config(model)["vision_cfg"]["image_size"]
        preprocessing = PreprocessCfg(size, **{name: config[name] for name in names})
        return image_transform_v2(preprocessing, is_train=False)  # type: ignore[no-any-return]
    import timm

    network = timm.create_model(model)
    return timm.data.create_transform(**timm.data.resolve_model_data_config(network))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("option", "model", "changes"),
    [
        ("resnet50", "resnet50", {}),
        ("resnet50", "efficientnet_b0", {}),
        ("clip", "ViT-B-32", {"tag": "openai"}),
        ("clip", "ViT-B-16-SigLIP", {"tag": "webli"}),
        ("dinov2", "test_vit.r160_in1k", {}),
    ],
)
def test_preprocessing_equals_the_librarys(
    option: str, model: str, changes: dict[str, Any], pretrained: Make
):
    card = pretrained(option, model=model, **changes).network.card
    theirs = library_transform(option, model)
    for image in photographs():
        pixels = np.asarray(resized(image, card.resize), np.float32) / 255
        ours = ((pixels - np.array(card.mean)) / np.array(card.std)).transpose(2, 0, 1)
        difference = np.abs(ours - theirs(image).numpy())
        assert difference.max() < 1e-5  # the same pixels, up to rounding


def test_a_long_image_is_cropped_before_it_is_resized():
    long = Image.new("RGB", (60_000, 2), "red")
    assert np.asarray(resized(long, Resize(32, "crop", scaled=40))).shape == (32, 32, 3)


@pytest.mark.gpu
@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_gpu_embeds_about_the_same(dtype: str, option: str, pretrained: Make, few: Samples, ctx: Context):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    encoder = pretrained(option).fit(few, ctx)
    on_cpu, gpu = encoder.embed(few, ctx), replace(ctx, device="cuda", dtype=dtype)
    on_gpu, again = encoder.embed(few, gpu), encoder.embed(few, gpu)
    close = {"float32": 1e-3, "bfloat16": 5e-2}[dtype]
    np.testing.assert_allclose(on_gpu, on_cpu, atol=close * np.abs(on_cpu).max())
    assert (on_gpu == again).all()
