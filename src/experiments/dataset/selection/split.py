"""Divide samples into training, validation and test rows.

Within each class the different images are put in the order of a hash of (seed, content): the first are
validation images, the last are test images, those between are for training. So the shares are exact to one
image a class, and one more file moves at most one other image over each of the two borders, and none of a
class that does not hold it. Identical files fall on one side; what several classes hold is for training, as
no score could be fair to it.

A class's share is seldom a whole number. A hash of (seed, name of the class) rounds it, up as often as its
fraction says: many classes of one size are not all rounded the same way, so the shares of the whole come out
too. (To share out the remainders among the classes would meet them exactly, and let one more file move images
of classes that it has nothing to do with.)

A class of two or more different images, one of them its own alone, gets at least one training and one
validation image (and one test image from three on), as far as their shares are above 0. That comes first:
classes so small that this is more than their share raise the share of the whole.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.messages import few
from experiments.numerics.hashes import hash_bytes, hash_numbers
from experiments.samples import SPLITS

log = logging.getLogger(__name__)

TRAINING, VALIDATION, TEST = range(len(SPLITS))
NAMED = 5  # classes that a warning names


def split(
    hashes: np.ndarray,
    labels: np.ndarray | None,
    shares: Mapping[str, float],
    seed: int,
    class_names: Sequence[str] = (),
) -> np.ndarray:
    """Return int8 (n,), each an index into SPLITS.

    Parameters
    ----------
    hashes
        str (n,) of 16 hexadecimal digits.
    labels
        int64 (n,), or None: one class.
    shares
        Of `train`, `validation` and `test`; they sum to 1.
    class_names
        What the labels number; without them a class is called by its number.

    Raises
    ------
    ValueError
        If validation or test images are wanted and no class has two different images.
    """
    if labels is None:
        labels = np.zeros(len(hashes), np.int64)
    images, image_of_row = np.unique(hash_numbers(hashes), return_inverse=True)
    held = np.sort(labels * len(images) + image_of_row)
    held = held[np.diff(held, prepend=-1) > 0]  # each pair of a class and an image, once
    classes, members = held // len(images), held % len(images)
    own = np.bincount(members, minlength=len(images))[members] == 1
    size, alone = np.bincount(classes), np.bincount(classes[own], minlength=classes.max() + 1)
    names = class_names or [str(label) for label in range(len(size))]
    validation, test = _quota(size, alone, shares, _uniform(names, seed))
    _check_quota(size, validation, test, shares, names)

    classes, members = classes[own], members[own]
    order = np.lexsort((_mixed(images[members], seed), classes))
    classes, members = classes[order], members[order]
    rank = np.arange(len(classes)) - (np.cumsum(alone) - alone)[classes]
    part = np.full(len(images), TRAINING, np.int8)
    part[members[rank < validation[classes]]] = VALIDATION
    part[members[rank >= (alone - test)[classes]]] = TEST
    return part[image_of_row]


def split_partly(
    hashes: np.ndarray,
    labels: np.ndarray | None,
    shares: Mapping[str, float],
    seed: int,
    class_names: Sequence[str] = (),
) -> np.ndarray:
    """Return what `split` does where some labels are -1: the same for the samples that have one.

    The others are divided as one class; one whose image has a label elsewhere goes where that is.
    """
    if labels is None or (labels >= 0).all():
        return split(hashes, labels, shares, seed, class_names)
    known = labels >= 0
    part = np.full(len(hashes), TRAINING, np.int8)
    try:
        part[known] = split(hashes[known], labels[known], shares, seed, class_names)
    except ValueError:
        log.warning("no class has two different images with its label: all labelled images are for training")
    again = dict(zip(hashes[known].tolist(), part[known].tolist(), strict=True))
    rest = np.flatnonzero(~known)
    part[rest] = [again.get(name, TRAINING) for name in hashes[rest].tolist()]
    new = rest[~np.isin(hashes[rest], hashes[known])]
    if len(np.unique(hashes[new])) > 1:  # else there is nothing to divide
        part[new] = split(hashes[new], None, shares, seed)
    return part


def _quota(
    size: np.ndarray, alone: np.ndarray, shares: Mapping[str, float], chance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return how many validation and test images each class gives of its own, training keeping one.

    Where validation is rounded up, test is rounded down if it can be, so that training too is exact to one.
    """
    spare = np.minimum(np.maximum(size - 1, 0), alone)
    validation = np.floor(size * shares["validation"] + chance).astype(np.int64)
    validation = np.minimum(np.maximum(validation, shares["validation"] > 0), spare)
    test = np.floor(size * shares["test"] + (1 - chance)).astype(np.int64)
    test = np.minimum(np.maximum(test, shares["test"] > 0), spare - validation)
    return validation, test


def _check_quota(
    size: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
    shares: Mapping[str, float],
    names: Sequence[str],
) -> None:
    """Raise ValueError if no class gives a validation or test image; warn of those that give none."""
    there = size > 0
    if shares["train"] < 1 and not (validation + test).any():
        raise ValueError(
            f"dataset.split={dict(shares)} needs a class of two different samples, and none of "
            f"{there.sum()} has them; add some, or use dataset.split={{train: 1, validation: 0, test: 0}}"
        )
    for share, images_of in (("validation", validation), ("test", test)):
        without = [names[label] for label in np.flatnonzero(there & (images_of == 0)).tolist()]
        if without and shares[share] > 0:
            log.warning(
                "%d of %d classes have too few different images of their own to give one to %s: %s",
                len(without), there.sum(), share, few(without, NAMED),
            )  # fmt: skip


def _uniform(names: Sequence[str], seed: int) -> np.ndarray:
    """Return a number for each name, above 0 and below 1, coarse enough to be added to any count exactly."""
    codes = np.array([int(hash_bytes(name.encode()), 16) for name in names], np.uint64)
    return np.asarray(((_mixed(codes, seed) >> np.uint64(40)) + 0.5) * 2.0**-24)


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
