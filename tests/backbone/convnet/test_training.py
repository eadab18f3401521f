"""The training of Study A with Keras's rules."""

import json
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from experiments.backbone.cnn import Cnn
from experiments.backbone.convnet.batches import as_input
from experiments.backbone.convnet.network import Network
from experiments.backbone.convnet.training import Training, best_epoch, threads_for
from experiments.context import Context
from experiments.samples import Resize, Samples

Make = Callable[..., Cnn]
Recorder = Callable[..., Any]


def keras(losses: list[float], cnn: Cnn) -> tuple[list[float], int, int]:
    """Return learning rates, number of epochs and restored epoch, computed like keras.callbacks."""
    rates, rate = [], cnn.learning_rate
    best_plateau, wait_plateau = math.inf, 0
    best, wait, restored = math.inf, 0, 1
    for epoch, loss in enumerate(losses, start=1):
        rates.append(rate)
        if loss < best_plateau - 1e-4:  # ReduceLROnPlateau.on_epoch_end
            best_plateau, wait_plateau = loss, 0
        else:
            wait_plateau += 1
            if wait_plateau >= cnn.lr_patience and rate > cnn.min_learning_rate:
                rate, wait_plateau = max(rate * cnn.lr_factor, cnn.min_learning_rate), 0
        wait += 1  # EarlyStopping.on_epoch_end
        if loss < best:
            best, wait, restored = loss, 0, epoch
        elif wait >= cnn.patience:
            return rates, epoch, restored
        if epoch == cnn.max_epochs:
            return rates, epoch, restored
    raise AssertionError("too few losses")


def walk(seed: int) -> list[float]:
    """Return 50 losses that fall, change by less than 1e-4, rise, and are nan once."""
    rng = np.random.default_rng(seed)
    losses = 3 + np.cumsum(rng.choice([-0.3, -5e-5, 0, 5e-5, 0.2], 50, p=[0.2, 0.3, 0.1, 0.2, 0.2]))
    losses[rng.integers(50)] = math.nan
    return losses.tolist()


@pytest.mark.parametrize("seed", range(12))
def test_rates_stop_and_best_epoch_are_kerass(seed: int, cnn: Make, digits: Samples, ctx: Context):
    stage = cnn(max_epochs=50, patience=5 + seed % 3, lr_patience=1 + seed % 3, min_learning_rate=1e-4)
    rates, epochs, restored = keras(walk(seed), stage)
    training = Training(stage, stage.network(10), digits, ctx)
    for epoch, loss in enumerate(walk(seed), start=1):
        with torch.no_grad():
            training.network.head[1].bias.fill_(epoch)
        rate = training.optimizer.param_groups[0]["lr"]
        training.close_epoch({"val_loss": loss, "learning_rate": rate})
        if training.finished:
            break
        if epoch % 3 == 0:  # the state of the rules is in the checkpoint
            training = Training(stage, stage.network(10), digits, ctx)
            training.resume()
    assert [row["learning_rate"] for row in training.history] == pytest.approx(rates)
    assert len(training.history) == epochs
    assert training.best["head.1.bias"][0] == restored


def test_an_equal_loss_is_no_progress():
    rows = [{"val_loss": loss} for loss in (2.0, 1.0, 1.0, math.nan)]
    assert best_epoch(tuple(rows)) == 2
    assert best_epoch(({"val_loss": math.nan}, {"val_loss": math.nan})) == 1
    assert best_epoch(({"val_loss": math.nan}, {"val_loss": 9.0})) == 2
    assert best_epoch(()) == 0


def test_each_epoch_is_reported_and_recorded(
    cnn: Make, digits: Samples, ctx: Context, recorder_class: Recorder
):
    recorder = recorder_class()
    encoder = cnn(max_epochs=2).fit(digits, replace(ctx, report=recorder))
    assert recorder.rows == list(enumerate(encoder.history, start=1))
    batches = 2 * math.ceil(len(digits.rows("training")) / 32)
    assert recorder.bars["train cnn"] == (batches, "batches")
    assert recorder.moved["train cnn"] == batches
    names = ["train_loss", "train_accuracy", "val_loss", "val_accuracy", "learning_rate"]
    assert [list(row) for row in encoder.history] == [names, names]
    assert encoder.trained
    assert not encoder.stopped
    assert encoder.history[0]["learning_rate"] == 5e-4


def val_loss(stage: Cnn, weights: Mapping[str, np.ndarray], digits: Samples, ctx: Context) -> float:
    """Return cross-entropy plus penalty of all validation rows in one batch."""
    network = stage.network(10).load_weights(weights).eval()
    rows = digits.rows("validation")
    images = as_input(torch.from_numpy(digits.content.pixels(Resize(8), ctx)[rows]))
    with torch.inference_mode():
        entropy = cross_entropy(network(images), torch.from_numpy(digits.labels[rows]))
        return (entropy + stage.weight_decay * network.penalty()).item()


def test_the_best_weights_are_restored(cnn: Make, digits: Samples, ctx: Context):
    stage = cnn(max_epochs=4, learning_rate=0.1)
    encoder = stage.fit(digits, ctx)
    losses = [row["val_loss"] for row in encoder.history]
    assert min(losses) < losses[-1]
    assert val_loss(stage, encoder.weights, digits, ctx) == pytest.approx(min(losses), rel=1e-5)


def test_val_loss_includes_the_penalty_as_in_keras(cnn: Make, digits: Samples, ctx: Context):
    stage = cnn(max_epochs=1, weight_decay=0.01)
    encoder = stage.fit(digits, ctx)
    expected = val_loss(stage, encoder.weights, digits, ctx)
    assert 0.01 * stage.network(10).penalty() > 0.1  # so that a missing penalty would show
    assert encoder.history[0]["val_loss"] == pytest.approx(expected, rel=1e-5)


def test_an_epochs_metrics_are_those_of_its_augmented_batches(cnn: Make, digits: Samples, ctx: Context):
    moving = cnn(max_epochs=1, learning_rate=1e-30, dropout=0, head_dropout=0, batch_size=1000)
    still = replace(moving, rotation=0, zoom=0, translation=0)
    network = moving.network(10)  # in training mode, like in the only batch of the epoch
    rows = digits.rows("training")
    images = as_input(torch.from_numpy(digits.content.pixels(Resize(8), ctx)[rows]))
    loss = cross_entropy(network(images), torch.from_numpy(digits.labels[rows])) + 1e-4 * network.penalty()
    seen = network.embed[0][:4](images).mean((0, 2, 3)).detach()

    encoder = still.fit(digits, ctx)
    assert encoder.history[0]["train_loss"] == pytest.approx(loss.item(), rel=1e-4)
    np.testing.assert_allclose(encoder.weights["embed.0.4.running_mean"], seen, atol=1e-5)
    assert abs(moving.fit(digits, ctx).history[0]["train_loss"] - loss.item()) > 1e-3


def test_batch_norm_counts_batches_through_all_epochs(
    cnn: Make, digits: Samples, ctx: Context, monkeypatch: pytest.MonkeyPatch
):
    steps: list[int] = []
    monkeypatch.setattr(Network, "settle_batch_norm", lambda network, step: steps.append(step))
    cnn(max_epochs=3, batch_size=64).fit(digits, ctx)
    assert steps == list(range(3 * math.ceil(len(digits.rows("training")) / 64)))
    steps.clear()
    cnn(max_epochs=1, batch_size=64, settle_batch_norm=False).fit(digits, ctx)
    assert steps == []


def test_order_and_augmentation_change_with_seed_and_epoch(cnn: Make, digits: Samples, ctx: Context):
    def seen(seed: int, epoch: int) -> tuple[bytes, bytes]:
        training = Training(cnn(seed=seed), cnn(seed=seed).network(10), digits, ctx)
        training.history = ({"val_loss": 1.0},) * epoch
        order = np.concatenate([labels.numpy() for _, labels in training.train_dataloader()])
        training.on_train_epoch_start()
        return order.tobytes(), training.augment.draw(8).numpy().tobytes()

    assert seen(0, 3) == seen(0, 3)
    for other in (seen(0, 4), seen(1, 3)):
        assert all(a != b for a, b in zip(seen(0, 3), other, strict=True))


def test_an_epoch_has_each_training_row_once(cnn: Make, digits: Samples, ctx: Context):
    training = Training(cnn(batch_size=32), cnn(batch_size=32).network(10), digits, ctx)
    batches = list(training.train_dataloader())
    assert [len(labels) for _, labels in batches[:-1]] == [32] * (len(batches) - 1)
    seen = torch.cat([pixels for pixels, _ in batches]).flatten(1).numpy()
    expected = training.pixels[digits.rows("training")].reshape(len(seen), -1)
    assert sorted(map(bytes, seen)) == sorted(map(bytes, expected))


def test_global_random_states_and_threads_do_not_change(cnn: Make, digits: Samples, ctx: Context):
    torch.set_num_threads(2)
    torch.manual_seed(5)
    np.random.seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    cnn(max_epochs=1).fit(digits, ctx)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert (np.random.get_state()[1] == before[1]).all()
    assert torch.get_num_threads() == 2


def test_lightning_prints_and_writes_nothing(
    cnn: Make,
    digits: Samples,
    ctx: Context,
    capfd: pytest.CaptureFixture[str],
    recwarn: pytest.WarningsRecorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.INFO)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    cnn(max_epochs=1).fit(digits, ctx)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []
    assert [str(warning.message) for warning in recwarn] == []
    assert not list(Path.cwd().iterdir())


def test_digits_are_learnt(cnn: Make, digits: Samples, ctx: Context):
    stage = cnn(filters=(32, 64), dense=64, max_epochs=30, patience=30, learning_rate=2e-3)
    history = stage.fit(digits, ctx).history
    assert history[-1]["train_loss"] < 0.5 * history[0]["train_loss"]
    assert max(row["val_accuracy"] for row in history) > 0.6  # chance: .1
    json.dumps(history)  # plain numbers


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_gpu_trains_embeds_and_resumes_bitwise(
    dtype: str, cnn: Make, digits: Samples, ctx: Context, recorder_class: Recorder
):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    gpu = replace(ctx, device="cuda", dtype=dtype)

    def interrupt() -> None:
        raise InterruptedError

    whole = cnn().fit(digits, gpu.with_input("whole"))
    with pytest.raises(InterruptedError):
        cnn().fit(digits, replace(gpu, report=recorder_class({2: interrupt})).with_input("parts"))
    parts = cnn().fit(digits, gpu.with_input("parts"))
    assert whole.history == parts.history
    assert all((whole.weights[name] == parts.weights[name]).all() for name in whole.weights)
    close = {"float32": 1e-3, "bfloat16": 5e-2}[dtype]
    on_cpu, on_gpu = whole.embed(digits, ctx), whole.embed(digits, gpu)
    np.testing.assert_allclose(on_gpu, on_cpu, atol=close * np.abs(on_cpu).max())


def test_unlabelled_samples_are_embedded_and_change_no_weight(cnn: Make, digits: Samples, ctx: Context):
    labels = np.where(np.arange(len(digits)) % 3 == 0, -1, digits.labels)
    partly = replace(digits, labels=labels)
    labelled_only, all_samples = (
        cnn(max_epochs=1).fit(samples, ctx) for samples in (partly.take(partly.labelled), partly)
    )
    for name, values in labelled_only.weights.items():
        np.testing.assert_array_equal(all_samples.weights[name], values)
    assert len(all_samples.embed(partly, ctx)) == len(digits)


@pytest.mark.parametrize(("size", "device", "threads"), [(8, "cpu", 1), (16, "cpu", 3), (8, "cuda", 3)])
def test_small_batches_train_on_one_thread(
    cnn: Make, ctx: Context, size: int, device: str, threads: int
) -> None:
    assert threads_for(cnn(image_size=size, batch_size=32), replace(ctx, device=device, threads=3)) == threads


def test_digits_train_alike_on_any_number_of_threads(cnn: Make, digits: Samples, ctx: Context) -> None:
    first, second = (
        cnn(max_epochs=2).fit(digits, replace(ctx, threads=threads).with_input(f"{threads}"))
        for threads in (1, 2)
    )
    assert first.history == second.history
    assert all((first.weights[name] == second.weights[name]).all() for name in first.weights)
