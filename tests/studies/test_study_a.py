"""conf/backbone/cnn.yaml has the values of Study A's network and training."""

from dataclasses import asdict

import torch

from experiments.backbone.cnn import Cnn
from experiments.config import compose
from experiments.config.build import build

STUDY_A = {
    "image_size": 224,
    "horizontal_flip": True,
    "rotation": 8.6,  # .15 rad, as the study's text says
    "zoom": 0.15,
    "translation": 0.10,
    "filters": (32, 64, 128),
    "dropout": 0.25,
    "dense": 256,
    "head_dropout": 0.5,
    "weight_decay": 1e-4,
    "learning_rate": 5e-4,
    "batch_size": 32,
    "max_epochs": 50,
    "patience": 5,
    "lr_patience": 3,
    "lr_factor": 0.5,
    "min_learning_rate": 1e-7,
}


def configured() -> Cnn:
    backbone = build(compose.compose_config(["dataset=patternmind"])).stages.backbone
    assert isinstance(backbone, Cnn)
    return backbone


def test_the_preset_is_study_a() -> None:
    values = asdict(configured())
    assert {name: values[name] for name in STUDY_A} == STUDY_A


def test_the_split_is_study_a() -> None:
    dataset = build(compose.compose_config(["dataset=patternmind"])).stages.dataset
    assert dataset.split == {"train": 0.8, "validation": 0.2, "test": 0}  # type: ignore[attr-defined]
    assert dataset.split_seed == 123  # type: ignore[attr-defined]


def test_the_optimiser_is_keras_adam(tmp_path) -> None:
    from experiments.backbone.convnet.training import Training
    from experiments.context import Context
    from experiments.store.cache import Store

    ctx = Context.plain(Store(tmp_path))
    stages = build(compose.compose_config(["dataset=digits"])).stages
    optimizer = Training(
        stages.backbone, stages.backbone.network(10), stages.dataset.load(ctx), ctx
    ).optimizer
    assert type(optimizer) is torch.optim.Adam
    group = optimizer.param_groups[0]
    assert (group["lr"], group["betas"], group["eps"], group["weight_decay"]) == (5e-4, (0.9, 0.999), 1e-7, 0)
