"""Divide samples into training, validation and test rows."""

import logging
from collections.abc import Mapping

import numpy as np

from experiments.types import SPLITS

log = logging.getLogger(__name__)

TRAINING, VALIDATION, TEST = range(len(SPLITS))


def split(
    hashes: np.ndarray, labels: np.ndarray | None, shares: Mapping[str, float], seed: int
) -> np.ndarray:
    """Return int8 (n,), each an index into SPLITS.

    Within each class the different images are put in the order of a hash of (seed, content): the first are
    validation images, the last are test images, those between are for training. So the shares are exact to
    one image a class, and one more file moves at most one other image over each of the two borders. Identical
    files fall on one side; what several classes hold is for training, as no score could be fair to it.

    A class of two or more different images, one of them its own alone, gets at least one training and one
    validation image (and one test image from three on), as far as their shares are above 0.

    Parameters
    ----------
    hashes
        str (n,) of 16 hexadecimal digits.
    labels
        int64 (n,), or None: one class.
    shares
        Of `train`, `validation` and `test`; they sum to 1.

    Raises
    ------
    ValueError
        If validation or test images are wanted and no class has two different images.
    """
    if labels is None:
        labels = np.zeros(len(hashes), np.int64)
    codes = np.frombuffer(bytes.fromhex("".join(hashes)), ">u8").astype(np.uint64)
    images, image_of_row = np.unique(codes, return_inverse=True)
    held = np.unique(labels * len(images) + image_of_row)  # each pair of a class and an image, once
    classes, members = held // len(images), held % len(images)
    own = np.bincount(members, minlength=len(images))[members] == 1
    size, alone = np.bincount(classes), np.bincount(classes[own], minlength=classes.max() + 1)
    validation, test = _quota(size, alone, shares)
    if shares["train"] < 1 and not (validation + test).any():
        raise ValueError(
            f"dataset.split={dict(shares)} needs a class of two different images, and none of "
            f"{(size > 0).sum()} has them; add images, or use "
            "dataset.split={train: 1, validation: 0, test: 0}"
        )
    single = int((size == 1).sum())
    if single and shares["train"] < 1:
        log.warning("%d classes of one image have it for training, and none to validate or test", single)

    classes, members = classes[own], members[own]
    order = np.lexsort((_mixed(images[members], seed), classes))
    classes, members = classes[order], members[order]
    rank = np.arange(len(classes)) - (np.cumsum(alone) - alone)[classes]
    part = np.full(len(images), TRAINING, np.int8)
    part[members[rank < validation[classes]]] = VALIDATION
    part[members[rank >= (alone - test)[classes]]] = TEST
    return part[image_of_row]


def _quota(size: np.ndarray, alone: np.ndarray, shares: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """Return how many validation and test images each class gives of its own, training keeping one."""
    spare = np.minimum(np.maximum(size - 1, 0), alone)
    validation = np.rint(size * shares["validation"]).astype(np.int64)
    validation = np.minimum(np.maximum(validation, shares["validation"] > 0), spare)
    test = np.rint(size * shares["test"]).astype(np.int64)
    test = np.minimum(np.maximum(test, shares["test"] > 0), spare - validation)
    return validation, test


def _mixed(codes: np.ndarray, seed: int) -> np.ndarray:
    """Scramble 64-bit numbers by a seed, one to one.

    Source
    ------
    Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (SplitMix64), 2014.
    """
    mask = 2**64 - 1
    mixed = codes + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 & mask)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
