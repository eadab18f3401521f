"""Stages of pretrained networks: cache keys, checks, results and imports."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.backbone.conftest import TINY
from tests.messages import says

from experiments import pipeline
from experiments.backbone.pretrained import state_dict as pretrained_weights
from experiments.backbone.pretrained.network import PretrainedEncoder
from experiments.config import compose
from experiments.config.build import build
from experiments.context import Context, Silent
from experiments.job import context
from experiments.samples import Samples

pytestmark = pytest.mark.slow

Make = Callable[..., Any]
OPTIONS = ("resnet50", "clip", "dinov2")


def state_of(encoder: PretrainedEncoder) -> dict[str, torch.Tensor]:
    assert not isinstance(encoder.state, Path)
    return dict(encoder.state)


@pytest.mark.parametrize("option", OPTIONS)
def test_random_weights_depend_on_the_seed_only(option: str, pretrained: Make, few: Samples, ctx: Context):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, same, other = (
        pretrained(option, seed=seed).fit(few, ctx).embed(few, ctx.with_input(str(number)))
        for number, seed in enumerate((1, 1, 2))
    )
    assert torch.equal(torch.get_rng_state(), before)
    assert (first == same).all()
    assert np.abs(first - other).max() > 0


def test_the_seed_of_random_weights_is_in_the_cache_key(pretrained: Make, ctx: Context):
    assert ctx.key(pretrained("clip", seed=1)) == ctx.key(pretrained("clip", seed=1))
    assert ctx.key(pretrained("clip", seed=1)) != ctx.key(pretrained("clip", seed=2))


@pytest.fixture
def weights(pretrained: Make, few: Samples, ctx: Context, tmp_path: Path) -> Path:
    """Write the weights of a small classifier."""
    path = tmp_path / "small.pth"
    torch.save(state_of(pretrained("resnet50", seed=3).fit(few, ctx)), path)
    return path


def test_the_cache_key_has_the_content_of_a_file_and_not_its_path(
    pretrained: Make, weights: Path, ctx: Context, tmp_path: Path
):
    def key(path: Path, **changes: Any) -> str:
        return ctx.key(pretrained("resnet50", weights=str(path), **changes))

    moved = tmp_path / "elsewhere" / "moved.pth"
    moved.parent.mkdir()
    shutil.copy(weights, moved)
    first = key(weights)
    assert key(moved) == first
    assert key(weights, seed=7) == first  # no random weights
    before = weights.stat()
    state = torch.load(weights, weights_only=True)
    state["features.0.bias"] += 1
    torch.save(state, weights)
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert weights.stat().st_size == before.st_size
    assert key(weights) != first
    assert key(moved) == first


def test_weights_that_change_while_they_are_read_are_refused(
    pretrained: Make, weights: Path, few: Samples, ctx: Context, monkeypatch: pytest.MonkeyPatch
):
    read = pretrained_weights.read_state_dict

    def slow(path: Path) -> Any:
        state = read(path)
        torch.save(state | {"features.0.bias": state["features.0.bias"] + 1}, path)
        return state

    monkeypatch.setattr(pretrained_weights, "read_state_dict", slow)
    stage = pretrained("resnet50", weights=str(weights))
    with pytest.raises(ValueError) as error:
        stage.fit(few, ctx)
    says(error, key=f"backbone.weights={weights}", use="run the command again")


def test_pretrained_uses_the_file_in_the_weights_folder(
    pretrained: Make, weights: Path, few: Samples, ctx: Context, tmp_path: Path
):
    stage = pretrained("resnet50", weights="pretrained", weights_cache=str(tmp_path / "cache"))
    with pytest.raises(ValueError) as error:
        stage.width(few)
    text = says(error, key="backbone.weights=pretrained", use="backbone.weights=none")
    name = next(word for word in text.split() if word.endswith(".pth")).rpartition("/")[2]
    assert name.startswith("squeezenet1_1-")
    shutil.copy(weights, tmp_path / "cache" / name)
    assert ctx.key(stage) == ctx.key(pretrained("resnet50", weights=str(weights)))
    encoder = pretrained("resnet50", seed=3).fit(few, ctx)
    assert (stage.fit(few, ctx).embed(few, ctx) == encoder.embed(few, ctx)).all()


def test_a_safetensors_file_gives_the_same_result(
    pretrained: Make, weights: Path, few: Samples, ctx: Context, tmp_path: Path
):
    from safetensors.torch import save_file

    path = tmp_path / "small.safetensors"
    save_file(torch.load(weights, weights_only=True), path)
    pth, safetensors = (pretrained("resnet50", weights=str(file)).fit(few, ctx) for file in (weights, path))
    assert (pth.embed(few, ctx.with_input("one")) == safetensors.embed(few, ctx.with_input("two"))).all()


def test_normalize_gives_unit_length(pretrained: Make, few: Samples, ctx: Context):
    unit, plain = (pretrained("clip", normalize=flag).fit(few, ctx).embed(few, ctx) for flag in (True, False))
    lengths = np.linalg.norm(plain, axis=1, keepdims=True)
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1, atol=1e-6)
    assert np.abs(lengths - 1).max() > 0.01
    np.testing.assert_allclose(unit, plain / lengths, atol=1e-6)


def test_clip_is_the_image_tower_of_the_whole_model(
    pretrained: Make, tiny_clip: Path, few: Samples, ctx: Context, tmp_path: Path
):
    import json

    import open_clip

    whole = open_clip.CLIP(**json.loads(tiny_clip.read_text(encoding="utf-8"))).eval()
    torch.save({"state_dict": {f"module.{n}": v for n, v in whole.state_dict().items()}}, tmp_path / "a.pt")
    encoder = pretrained("clip", weights=str(tmp_path / "a.pt")).fit(few, ctx)
    card = encoder.card
    pixels = torch.from_numpy(np.array(few.content.pixels(card.resize, ctx))).float() / 255
    images = ((pixels - torch.tensor(card.mean)) / torch.tensor(card.std)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = whole.encode_image(images, normalize=True).numpy()
    np.testing.assert_allclose(encoder.embed(few, ctx), expected, atol=1e-5)


def test_a_classifier_gives_the_input_of_its_last_layer(pretrained: Make, few: Samples, ctx: Context):
    import torchvision

    encoder = pretrained("resnet50", model="resnet18", seed=4).fit(few, ctx)
    whole = torchvision.models.resnet18(weights=None).eval()
    whole.load_state_dict(state_of(encoder), strict=False)
    whole.fc = torch.nn.Identity()
    pixels = torch.from_numpy(np.array(few.content.pixels(encoder.card.resize, ctx))).float() / 255
    images = ((pixels - torch.tensor(encoder.card.mean)) / torch.tensor(encoder.card.std)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        expected = whole(images).numpy()
    np.testing.assert_allclose(encoder.embed(few, ctx), expected, rtol=1e-3, atol=1e-4)


def test_a_timm_network_of_another_size_resamples_its_position_embedding(
    pretrained: Make, few: Samples, ctx: Context, tmp_path: Path
):
    import timm

    torch.save(timm.create_model("test_vit").state_dict(), tmp_path / "vit.pth")
    stage = pretrained("dinov2", image_size=96, weights=str(tmp_path / "vit.pth"))
    assert stage.resize.size == 96
    assert stage.fit(few, ctx).embed(few, ctx).shape == (len(few), 64)


@pytest.mark.parametrize(
    ("option", "change", "key", "use"),
    [
        ("resnet50", {"model": "resnet51"}, "backbone.model=resnet51", "resnet50"),
        ("resnet50", {"tag": "V1"}, "backbone.tag=V1", "IMAGENET1K_V1"),
        ("clip", {"model": "ViT-B-31"}, "backbone.model=ViT-B-31", "ViT-B-32"),
        ("clip", {"model": "ViT-B-32", "tag": "laion2b_s34b_b79"}, "backbone.tag=laion2b_s34b_b79", "b79k"),
        ("clip", {"weights": "pretrained"}, "backbone.weights=pretrained", "backbone.weights=none"),
        ("dinov2", {"model": "test_vitt"}, "backbone.model=test_vitt", "test_vit"),
        (
            "dinov2",
            {"model": "test_vit.r161_in1k"},
            "backbone.model=test_vit.r161_in1k",
            "test_vit.r160_in1k",
        ),
    ],
)
def test_unknown_names_are_refused_with_suggestions(
    option: str, change: dict[str, Any], key: str, use: str, pretrained: Make, few: Samples
):
    stage = pretrained(option, **change)
    with pytest.raises(ValueError) as error:
        stage.width(few)
    says(error, key=key, use=use)


def written(tmp_path: Path, **changes: Any) -> str:
    """Write a config of CLIP with these changes."""
    path = tmp_path / "own.json"
    path.write_text(json.dumps(TINY | changes), encoding="utf-8")
    return str(path)


def test_a_config_without_a_size_has_the_default_of_open_clip(
    pretrained: Make, few: Samples, ctx: Context, tmp_path: Path
):
    vision = {name: value for name, value in TINY["vision_cfg"].items() if name != "image_size"}
    stage = pretrained("clip", model=written(tmp_path, vision_cfg=vision | {"patch_size": 56}))
    assert stage.width(few) == 16
    assert stage.resize.size == 224
    assert stage.fit(few, ctx).embed(few, ctx).shape == (len(few), 16)


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"vision_cfg": {"image_size": [32, 48]}}, "image_size is [32, 48]"),
        ({"vision_cfg": {"image_size": "32"}}, "image_size is 32"),
        ({"vision_cfg": {"image_size": 0}}, "image_size is 0"),
        ({"vision_cfg": [1]}, "no attribute 'get'"),
        ({"embed_dim": None}, "embed_dim is None"),
        ({"model_cfg": [1]}, "list indices"),
    ],
)
def test_a_config_of_other_types_is_refused(
    pretrained: Make, tmp_path: Path, changes: dict[str, Any], fact: str
):
    path = written(tmp_path, **changes)
    with pytest.raises(ValueError) as error:
        pretrained("clip", model=path)
    assert fact in says(error, key=f"backbone.model={path}", use="ViT-B-32")


@pytest.mark.parametrize(
    ("option", "change", "key", "use"),
    [
        ("resnet50", {"weights": "/nowhere/w.pth"}, "backbone.weights=/nowhere/w.pth", "pretrained, none"),
        ("clip", {"model": "/nowhere/c.json"}, "backbone.model=/nowhere/c.json", "ViT-B-32"),
        ("dinov2", {"image_size": 0}, "backbone.image_size=0", "1 or more, or null"),
        ("dinov2", {"seed": -1}, "backbone.seed=-1", "0 or more"),
    ],
)
def test_impossible_values_are_refused_at_once(
    option: str, change: dict[str, Any], key: str, use: str, pretrained: Make
):
    with pytest.raises(ValueError) as error:
        pretrained(option, **change)
    says(error, key=key, use=use)


def test_a_path_is_made_absolute_and_a_name_is_not(weights: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(weights.parent)
    overrides = ["backbone=resnet50", "backbone.weights=small.pth"]
    backbone = build(compose.compose_config(overrides), overrides).stages.backbone
    assert backbone.weights == str(weights)  # type: ignore[attr-defined]
    default = build(compose.compose_config(["backbone=clip"])).stages.backbone
    assert (default.weights, default.model) == ("pretrained", "ViT-B-32")  # type: ignore[attr-defined]


RUN = """
import sys
from experiments import pipeline
from experiments.config.build import build
from experiments.config.compose import compose_config
from experiments.context import Silent
from experiments.job import context
typed = {typed!r}
plan = build(compose_config(typed), typed)
ctx = context.make(plan, Silent())
result = pipeline.run(plan.stages, ctx)
print(result.embeddings.shape[1], len(ctx.store.computed))
print(sorted({{"torch", "torchvision", "timm", "open_clip"}} & set(sys.modules)))
"""


def test_a_cached_run_imports_no_framework(tiny_clip: Path, tmp_path: Path):
    typed = [
        "backbone=clip",
        f"backbone.model={tiny_clip}",
        "backbone.weights=none",
        f"backbone.weights_cache={tmp_path}/weights",
        f"cache.root={tmp_path}/cache",
        "dataset.limit=60",
        "device=cpu",
        "evaluator=[external]",
        "reducer=identity",
        "cluster.k=5",
    ]
    plan = build(compose.compose_config(typed), typed)
    assert pipeline.run(plan.stages, context.make(plan, Silent())).embeddings.shape[1] == 16
    command = [sys.executable, "-c", RUN.format(typed=typed)]
    again = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, encoding="utf-8")
    assert again.stdout.splitlines() == ["16 0", "[]"]


def test_a_saved_encoder_does_not_need_the_weight_file(
    pretrained: Make, weights: Path, few: Samples, ctx: Context, tmp_path: Path
):
    encoder = pretrained("resnet50", weights=str(weights)).fit(few, ctx)
    embeddings = encoder.embed(few, ctx)
    (tmp_path / "kept").mkdir()
    encoder.save(tmp_path / "kept")
    weights.unlink()
    loaded = PretrainedEncoder.load(tmp_path / "kept")
    assert (loaded.embed(replace(few), ctx) == embeddings).all()
    (tmp_path / "again").mkdir()
    loaded.save(tmp_path / "again")
    assert (PretrainedEncoder.load(tmp_path / "again").embed(few, ctx) == embeddings).all()


@pytest.mark.parametrize(("tag", "quick"), [("openai", True), ("laion2b_s34b_b79k", False)])
def test_clip_computes_as_its_weights_were_trained(tag: str, quick: bool, pretrained: Make):
    from open_clip.model import QuickGELU

    from experiments.backbone.pretrained.state_dict import build_network

    stage = pretrained("clip", model="ViT-B-32", tag=tag)
    layers = build_network("open_clip", stage.network.architecture).modules()
    assert any(isinstance(layer, QuickGELU) for layer in layers) == quick
