"""The training of Study A: Lightning with Keras's rules. A slow import.

A checkpoint after each epoch has the whole state of the training, and the random numbers of an epoch depend
on (seed, epoch) only. So a resumed training ends with the same weights.
"""

import io
import logging
import math
import time
from typing import Any

import numpy as np
import torch
from pytorch_lightning import LightningModule
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import ReduceLROnPlateau

from experiments.backbone.convnet.augmentation import Augmentation
from experiments.backbone.convnet.batches import Batches, as_input
from experiments.backbone.convnet.lightning import quiet_lightning, quiet_trainer
from experiments.backbone.convnet.network import Network
from experiments.backbone.convnet.settings import TrainingSettings
from experiments.backbone.inference.determinism import deterministic
from experiments.context import Context
from experiments.numerics.threads import warn_if_busy
from experiments.samples import Resize, Samples

log = logging.getLogger(__name__)

History = tuple[dict[str, float], ...]
SMALL_BATCH = 2**13  # pixels, 32 images of 16x16: on smaller batches two threads are slower than one


def train(
    settings: TrainingSettings, network: Network, samples: Samples, ctx: Context
) -> tuple[dict[str, np.ndarray], History, str]:
    """Return the best weights, the metrics of each epoch, and the message of a stop (or "")."""
    training = Training(settings, network, samples, ctx)
    training.resume()
    if not training.finished and not training.stopped:
        gpus = [torch.cuda.current_device()] if ctx.device == "cuda" else []
        threads = threads_for(settings, ctx)
        with deterministic(ctx, threads=threads), torch.random.fork_rng(devices=gpus), quiet_lightning():
            if ctx.device == "cpu":
                warn_if_busy("training", threads)
            training.run()
    return {name: value.numpy() for name, value in training.best.items()}, training.history, training.stopped


def threads_for(settings: TrainingSettings, ctx: Context) -> int:
    """Return the threads of a training: one for small batches, so that all machines have the same result.

    On two cores that others used too, two threads took 2.0 and 1.6 times as long as one with 32 images of 8x8
    and of 12x12 (benchmarks/epoch.py --threads 1 2): threads that wait between operations sleep.
    """
    small = settings.batch_size * settings.image_size**2 < SMALL_BATCH
    return 1 if small and ctx.device == "cpu" else ctx.threads


class Training(LightningModule):
    """A training with its state: weights, optimiser, plateau rule, history and minutes."""

    def __init__(self, settings: TrainingSettings, network: Network, samples: Samples, ctx: Context) -> None:
        super().__init__()
        self.settings = settings
        self.ctx = ctx
        self.pixels = samples.content.pixels(Resize(settings.image_size), ctx)
        self.labels = np.asarray(samples.labels)  # Cnn.width has checked that there are labels
        self.rows = {part: samples.labelled_rows(part) for part in ("training", "validation")}
        self.steps = math.ceil(len(self.rows["training"]) / settings.batch_size)
        self.augment = Augmentation(
            settings.horizontal_flip, settings.rotation, settings.zoom, settings.translation
        )
        self.network = network.to(ctx.device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(),
            settings.learning_rate,
            eps=1e-7,  # Keras's value; Keras adds it before the bias correction (3e-6 in the first step)
            fused=True,
        )
        self.plateau = ReduceLROnPlateau(
            self.optimizer,
            factor=settings.lr_factor,
            patience=settings.lr_patience - 1,  # Keras acts one epoch earlier than torch
            threshold=1e-4,
            threshold_mode="abs",
            min_lr=settings.min_learning_rate,
            eps=0,
        )
        self.best: dict[str, Tensor] = {}
        self.history: History = ()
        self.minutes = 0.0
        self.started = time.monotonic()
        self.checkpoint = ctx.workdir(settings) / "checkpoint.pt"

    @property
    def finished(self) -> bool:
        """True after the last epoch, or if val_loss has not decreased for `patience` epochs."""
        done = len(self.history)
        return done >= self.settings.max_epochs or done - best_epoch(self.history) >= self.settings.patience

    @property
    def stopped(self) -> str:
        """The message of a stop by `max_minutes`; empty without such a stop."""
        limit = self.settings.max_minutes
        if limit is None or self.minutes < limit or self.finished:
            return ""
        where = f"after epoch {len(self.history)} of {self.settings.max_epochs}"
        reason = f"backbone.max_minutes={limit:g} is used up; continue with a larger backbone.max_minutes"
        return f"{where}: {reason}"

    def run(self) -> None:
        """Train the remaining epochs."""
        epochs = self.settings.max_epochs - len(self.history)
        for epoch, row in enumerate(self.history, start=1):
            self.ctx.report.metrics(epoch, row)
        self.started = time.monotonic() - 60 * self.minutes
        with self.ctx.report.progress("train cnn", epochs * self.steps, "batches") as self._advance:
            quiet_trainer(epochs, self.ctx).fit(self)

    def resume(self) -> None:
        """Load the checkpoint of an interrupted training, if there is one."""
        if not self.checkpoint.exists():
            return
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.plateau.load_state_dict(state["plateau"])
        self.best, self.history, self.minutes = state["best"], state["history"], state["minutes"]
        log.info("resuming the training after epoch %d of %d", len(self.history), self.settings.max_epochs)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam; `close_epoch` steps the plateau rule."""
        return self.optimizer

    def train_dataloader(self) -> Batches:
        """Return the training rows, shuffled by (seed, epoch)."""
        rng = np.random.default_rng((self.settings.seed, len(self.history)))
        return self._batches(rng.permutation(self.rows["training"]))

    def val_dataloader(self) -> Batches:
        """Return the validation rows."""
        return self._batches(self.rows["validation"])

    def on_train_epoch_start(self) -> None:
        """Seed augmentation and dropout of this epoch with (seed, epoch)."""
        seed = int(np.random.SeedSequence((self.settings.seed, len(self.history))).generate_state(1)[0])
        torch.default_generator.manual_seed(seed)
        if self.ctx.device == "cuda":
            torch.cuda.manual_seed(seed)
        self._sums = {part: torch.zeros(2, device=self.device) for part in self.rows}

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        """Return the loss of a batch of augmented images."""
        pixels, labels = batch
        return self._loss("training", self.augment(as_input(pixels)), labels)

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        """Add up the loss of a batch of images without augmentation."""
        pixels, labels = batch
        self._loss("validation", as_input(pixels), labels)

    def on_train_batch_start(self, batch: object, row: int) -> None:
        """Set the momentum of batch norm for this step."""
        if self.settings.settle_batch_norm:
            self.network.settle_batch_norm(len(self.history) * self.steps + row)

    def on_train_batch_end(self, *_: Any) -> None:
        """Advance the progress bar."""
        self._advance(1)

    def on_train_epoch_end(self) -> None:
        """Close the epoch, and stop the training if it was the last one."""
        metrics = self._part_metrics("training", "train") | self._part_metrics("validation", "val")
        self.close_epoch(metrics | {"learning_rate": float(self.optimizer.param_groups[0]["lr"])})
        self.trainer.should_stop = self.finished or bool(self.stopped)

    def close_epoch(self, row: dict[str, float]) -> None:
        """Record an epoch's metrics, apply Keras's rules, write the checkpoint, and report the metrics."""
        self.history = (*self.history, row)
        self.minutes = (time.monotonic() - self.started) / 60
        self.plateau.step(row["val_loss"])
        if best_epoch(self.history) == len(self.history):
            self.best = {name: value.cpu().clone() for name, value in self.network.state_dict().items()}
        self._write_checkpoint()
        self.ctx.report.metrics(len(self.history), row)

    def _batches(self, rows: np.ndarray) -> Batches:
        return Batches(
            self.pixels, self.labels, rows, self.settings.batch_size, pinned=self.ctx.device == "cuda"
        )

    def _loss(self, part: str, images: Tensor, labels: Tensor) -> Tensor:
        """Return cross-entropy plus penalty, the loss that Keras reports; add it to the epoch's sums."""
        scores = self.network(images).float()
        loss = cross_entropy(scores, labels) + self.settings.weight_decay * self.network.penalty()
        correct = (scores.argmax(1) == labels).sum()
        self._sums[part] += torch.stack((loss.detach() * len(labels), correct))
        return loss

    def _part_metrics(self, part: str, name: str) -> dict[str, float]:
        loss, accuracy = (self._sums[part].double() / len(self.rows[part])).tolist()
        return {f"{name}_loss": loss, f"{name}_accuracy": accuracy}

    def _write_checkpoint(self) -> None:
        """Write the checkpoint atomically."""
        state = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "plateau": self.plateau.state_dict(),
            "best": self.best,
            "history": self.history,
            "minutes": self.minutes,
        }
        buffer = io.BytesIO()  # torch.save to a file would hide the OSError of a full disk
        torch.save(state, buffer)
        partial = self.checkpoint.with_suffix(".partial")
        partial.write_bytes(buffer.getbuffer())
        partial.replace(self.checkpoint)


def best_epoch(history: History) -> int:
    """Return the first epoch, from 1, with the lowest val_loss; 0 for an empty history."""
    losses = [math.inf if math.isnan(row["val_loss"]) else row["val_loss"] for row in history]
    return losses.index(min(losses)) + 1 if losses else 0
