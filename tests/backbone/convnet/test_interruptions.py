"""An interrupted training ends like an uninterrupted one."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests import warm
from tests.messages import says

from experiments.backbone.cnn import Cnn, CnnEncoder
from experiments.backbone.convnet.training import Training
from experiments.context import Context
from experiments.samples import Samples

pytestmark = pytest.mark.slow

Make = Callable[..., Cnn]
Recorder = Callable[..., Any]


KILLED = """
import os, signal
from dataclasses import replace
from pathlib import Path
from experiments.backbone.cnn import Cnn
from experiments.store.cache import Store
from experiments.dataset.digits import Digits
from experiments.context import Context, Silent

class Killer(Silent):
    def metrics(self, step, values):
        if step == 3:
            os.kill(os.getpid(), signal.SIGKILL)

ctx = replace(Context.plain(Store(Path({cache!r}))), threads=1, report=Killer()).with_input("parts")
split = dict(train=0.8, validation=0.2, test=0.0)
about = dict(image_size=8, mirror=False, limit=200, labels=None, corrections=None, unlabelled="keep")
digits = Digits(split=split, split_seed=123, **about)
{stage!r}.fit(digits.load(ctx), ctx)
"""


def same(first: CnnEncoder, second: CnnEncoder) -> bool:
    """Return True if two trainings have bitwise equal weights and histories."""
    weights = all((first.weights[name] == second.weights[name]).all() for name in first.weights)
    return weights and first.history == second.history


def fail() -> None:
    raise RuntimeError("the tracking server is gone")


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_resumed_training_ends_bitwise_like_an_uninterrupted_one(
    epoch: int, cnn: Make, digits: Samples, ctx: Context, recorder_class: Recorder
):
    stage = cnn(lr_patience=1, patience=50)  # so that the plateau rule and Adam have a state
    whole = stage.fit(digits, ctx.with_input("whole"))
    with pytest.raises(RuntimeError, match="server is gone"):
        stage.fit(digits, replace(ctx, report=recorder_class({epoch: fail})).with_input("parts"))
    recorder = recorder_class()
    parts = stage.fit(digits, replace(ctx, report=recorder).with_input("parts"))
    assert same(whole, parts)
    assert [step for step, _ in recorder.rows] == [1, 2, 3, 4]  # the curves of the new run are complete


def test_an_interruption_within_an_epoch_costs_that_epoch_only(
    cnn: Make, digits: Samples, ctx: Context, monkeypatch: pytest.MonkeyPatch
):
    whole = cnn().fit(digits, ctx.with_input("whole"))

    def third_epoch_fails(training: Training, outputs: object, batch: object, row: int) -> None:
        if len(training.history) == 2 and row == 3:
            fail()

    monkeypatch.setattr(Training, "on_train_batch_end", third_epoch_fails)
    with pytest.raises(RuntimeError, match="server is gone"):
        cnn().fit(digits, ctx.with_input("parts"))
    monkeypatch.undo()
    assert same(whole, cnn().fit(digits, ctx.with_input("parts")))


def test_ctrl_c_reaches_the_caller_and_its_handler_is_restored(
    cnn: Make, digits: Samples, ctx: Context, recorder_class: Recorder
):
    handler = signal.getsignal(signal.SIGINT)
    ctrl_c = recorder_class({2: lambda: signal.raise_signal(signal.SIGINT)})
    with pytest.raises(KeyboardInterrupt):
        cnn().fit(digits, replace(ctx, report=ctrl_c).with_input("parts"))
    assert signal.getsignal(signal.SIGINT) is handler
    assert same(cnn().fit(digits, ctx.with_input("whole")), cnn().fit(digits, ctx.with_input("parts")))


def test_a_training_is_resumed_after_kill_9(cnn: Make, digits: Samples, ctx: Context, tmp_path: Path):
    stage = cnn(max_epochs=6)
    script = tmp_path / "killed.py"
    script.write_text(KILLED.format(stage=stage, cache=str(tmp_path / "cache")), encoding="utf-8")
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    killed = warm.popen([sys.executable, str(script)], cwd=tmp_path, env=os.environ, **pipes)
    said, _ = killed.communicate(timeout=120)
    assert killed.returncode == -signal.SIGKILL, said
    assert (ctx.with_input("parts").workdir(stage) / "checkpoint.pt").exists()
    assert same(stage.fit(digits, ctx.with_input("whole")), stage.fit(digits, ctx.with_input("parts")))


def test_a_finished_training_is_not_continued(
    cnn: Make, digits: Samples, ctx: Context, recorder_class: Recorder
):
    first = cnn(max_epochs=2).fit(digits, ctx)
    recorder = recorder_class()
    assert same(first, cnn(max_epochs=2).fit(digits, replace(ctx, report=recorder)))
    assert recorder.rows == []


def test_max_minutes_stops_after_an_epoch_and_a_larger_value_continues(
    cnn: Make, digits: Samples, ctx: Context, recorder_class: Recorder
):
    whole = cnn().fit(digits, ctx.with_input("whole"))
    short = cnn(max_minutes=1e-6)
    stopped = short.fit(digits, ctx.with_input("parts"))
    text = says(stopped.stopped, key="backbone.max_minutes=1e-06", use="a larger backbone.max_minutes")
    assert text.startswith("after epoch 1 of 4")
    assert stopped.history == whole.history[:1]

    recorder = recorder_class()
    again = short.fit(digits, replace(ctx, report=recorder).with_input("parts"))
    assert same(stopped, again)
    assert again.stopped == stopped.stopped
    assert recorder.rows == []  # at once

    longer = cnn(max_minutes=60).fit(digits, ctx.with_input("parts"))
    assert same(whole, longer)
    assert longer.stopped == ""


def test_max_minutes_includes_earlier_runs(cnn: Make, digits: Samples, ctx: Context):
    training = Training(cnn(), cnn().network(10), digits, ctx)
    training.started -= 90  # seconds
    training.close_epoch({"val_loss": 1.0})
    for limit, stops in ((1.6, False), (1.4, True)):
        resumed = Training(cnn(max_minutes=limit), cnn(max_minutes=limit).network(10), digits, ctx)
        resumed.resume()
        assert resumed.minutes == pytest.approx(1.5, abs=0.05)
        assert bool(resumed.stopped) == stops


def test_a_resumed_training_adds_to_the_minutes_used(cnn: Make, digits: Samples, ctx: Context):
    training = Training(cnn(), cnn().network(10), digits, ctx)
    training.started -= 90  # seconds
    training.close_epoch({"val_loss": 1.0})
    a_little_more = cnn(max_minutes=training.minutes + 1e-6)
    assert a_little_more.fit(digits, ctx).stopped.startswith("after epoch 2 of 4")


def test_max_minutes_does_not_change_the_cache_key(cnn: Make, ctx: Context):
    assert ctx.key(cnn()) == ctx.key(cnn(max_minutes=3))
    assert ctx.key(cnn()) != ctx.key(cnn(weight_decay=0))


def test_a_stopped_training_is_not_cached_as_finished(cnn: Make, digits: Samples, ctx: Context):
    ctx = ctx.with_input(digits.data_key)
    short, whole = cnn(max_minutes=1e-6), cnn()
    assert ctx.fitted(short, lambda: short.fit(digits, ctx)).stopped
    finished = ctx.fitted(whole, lambda: whole.fit(digits, ctx))
    assert len(finished.history) == 4
    kept = ctx.fitted(whole, fail)
    assert same(finished, kept)
    assert np.isfinite(kept.embed(digits, ctx)).all()


def test_checkpoints_are_written_atomically(
    cnn: Make, digits: Samples, ctx: Context, monkeypatch: pytest.MonkeyPatch
):
    written = []

    def write(path: Path, data: bytes) -> None:
        written.append(path.name)
        path.open("wb").write(data)

    monkeypatch.setattr(Path, "write_bytes", write)
    cnn(max_epochs=2).fit(digits, ctx)
    assert set(written) == {"checkpoint.partial"}  # which is then renamed
    assert [path.name for path in ctx.workdir(cnn(max_epochs=2)).iterdir()] == ["checkpoint.pt"]


def test_a_full_disk_raises_the_systems_error(
    cnn: Make, digits: Samples, ctx: Context, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    stage = cnn()
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        stage.fit(digits, ctx)
    assert not (ctx.workdir(stage) / "checkpoint.pt").exists()
