"""A Lightning trainer that writes no output or files, and stops at Ctrl-C. A slow import."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Trainer

from experiments.context import Context

for name in ("pytorch_lightning", "lightning_fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)  # suppress tips and hardware messages


def quiet_trainer(epochs: int, ctx: Context) -> Trainer:
    """Return a trainer for one device, without output and files."""
    return Trainer(
        accelerator="gpu" if ctx.device == "cuda" else "cpu",
        devices=1,
        precision="bf16-mixed" if ctx.dtype == "bfloat16" else "32-true",
        max_epochs=epochs,
        reload_dataloaders_every_n_epochs=1,  # a new order for each epoch
        barebones=True,  # no logger, bar, summary, sanity check or checkpoints by Lightning
        plugins=[LightningEnvironment()],  # one process, also under SLURM
    )


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Suppress Lightning's warnings, and raise KeyboardInterrupt for Ctrl-C."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
            yield
    except SystemExit as error:  # since 2.2 Lightning exits on a KeyboardInterrupt
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
