"""CIFAR-10: 60,000 photographs of 32 x 32 pixels in ten classes."""

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from experiments.context import Context
from experiments.dataset.images.content import ImageArrays
from experiments.dataset.selection.selection import Pool, Selection
from experiments.numerics.hashes import hash_rows
from experiments.samples import Samples
from experiments.store.values import SavedFields

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


@dataclass(frozen=True, eq=False)
class Archive(SavedFields):
    """All images and labels of CIFAR-10, training images first."""

    images: np.ndarray
    labels: np.ndarray
    hashes: np.ndarray
    n_train: int


@dataclass(frozen=True, kw_only=True)
class Cifar10(Selection):
    """All 60,000 images, split like any data set; ids such as train/00000 show CIFAR-10's own split.

    Parameters
    ----------
    root
        Folder of `cifar-10-python.tar.gz`, unpacked or not; downloaded into it if missing.
    """

    VERSION: ClassVar[int] = 1

    root: str = field(compare=False, metadata={"path": True})

    def count(self) -> int:
        """Return the number of samples."""
        return self.limited(60_000)

    def load(self, ctx: Context) -> Samples:
        """Return the samples, read by torchvision and then cached."""
        archive: Archive = ctx.store.fitted(f"cifar10-{self.VERSION}", self._read)
        n = len(archive.images)
        ids = [f"train/{row:05}" for row in range(archive.n_train)]
        ids += [f"test/{row:05}" for row in range(n - archive.n_train)]
        content, labels = ImageArrays.whole(archive.images, archive.hashes), np.array(archive.labels)
        return self.samples(Pool("torchvision CIFAR10", np.array(ids), content, labels, NAMES))

    def _read(self) -> Archive:
        train, test = self._part(train=True), self._part(train=False)
        images = np.concatenate([train.data, test.data])
        labels = np.array([*train.targets, *test.targets], np.int64)
        return Archive(images, labels, hash_rows(images), len(train.data))

    def _part(self, *, train: bool) -> Any:
        from torchvision.datasets import CIFAR10

        try:
            return CIFAR10(self.root, train=train, download=True)
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"dataset.root={self.root} does not contain CIFAR-10, and the download failed ({error}); put "
                "cifar-10-python.tar.gz there, unpacked or not"
            ) from error
