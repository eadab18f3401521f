"""Lightning without its habits: it talks to nobody, writes no file, lets Ctrl-C through. A slow import."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from pytorch_lightning import Trainer

from experiments.context import Context

for name in ("pytorch_lightning", "lightning_fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)  # it advertises and explains itself at every start


def quiet_trainer(epochs: int, ctx: Context) -> Trainer:
    """Return a trainer for one device of this process."""
    return Trainer(
        accelerator="gpu" if ctx.device == "cuda" else "cpu",
        devices=1,
        precision="bf16-mixed" if ctx.dtype == "bfloat16" else "32-true",
        max_epochs=epochs,
        reload_dataloaders_every_n_epochs=1,  # every epoch has its own order
        barebones=True,  # no logger, bar, summary, sanity check or checkpoints of Lightning's own
        plugins=[LightningEnvironment()],  # one process, also where SLURM started it
    )


@contextmanager
def well_behaved() -> Iterator[None]:
    """Keep Lightning's warnings from the terminal, and let Ctrl-C reach the caller as KeyboardInterrupt."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="pytorch_lightning|lightning_fabric")
            yield
    except SystemExit as error:  # Lightning exits on a KeyboardInterrupt, from 2.2 on
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise
