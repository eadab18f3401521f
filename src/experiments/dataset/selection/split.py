"""Split samples into training, validation and test rows.

Each class is split by itself. Its distinct images are sorted by a hash of (seed, content): the first are
validation images, the last test images, the others training images. So

- each class has its shares, exact to one image;
- a new file moves at most one other image of its class into or out of validation, and one into or out of
  test, and no image of another class;
- identical files are in one part.

Images in several classes are training images, because they cannot be scored.

A share of a class is seldom a whole number, such as 20 % of 7 images. It is rounded up with the probability
of its fraction, by a hash of (seed, class name). So classes of one size are not all rounded the same way, and
the shares of all samples are nearly met too. Meeting them exactly would need to distribute the remainders
among the classes; then a new file could move images of other classes.

Small classes: if a class has two or more distinct images, one of them in no other class, it gets at least one
training and one validation image, and from three images on a test image, unless that share is 0. With many
very small classes the share of validation or test rows is therefore larger than the setting.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from experiments.messages import join_few
from experiments.numerics.hashes import hash_bytes, hash_numbers
from experiments.samples import SPLITS

log = logging.getLogger(__name__)

TRAINING, VALIDATION, TEST = range(len(SPLITS))
LISTED = 5  # largest number of classes in a warning


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
        Names of the classes; empty: their numbers.

    Raises
    ------
    ValueError
        If the share of validation or test is above 0, but no class has two distinct images.
    """
    if labels is None:
        labels = np.zeros(len(hashes), np.int64)
    images, image_of_row = np.unique(hash_numbers(hashes), return_inverse=True)
    pairs = np.sort(labels * len(images) + image_of_row)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]  # distinct (class, image)
    classes, members = pairs // len(images), pairs % len(images)
    exclusive = np.bincount(members, minlength=len(images))[members] == 1  # image of one class only
    size = np.bincount(classes)
    n_exclusive = np.bincount(classes[exclusive], minlength=classes.max() + 1)
    names = class_names or [str(label) for label in range(len(size))]
    validation, test = _quota(size, n_exclusive, shares, _uniform(names, seed))
    _check_quota(size, validation, test, shares, names)

    classes, members = classes[exclusive], members[exclusive]
    order = np.lexsort((_mixed(images[members], seed), classes))
    classes, members = classes[order], members[order]
    rank = np.arange(len(classes)) - (np.cumsum(n_exclusive) - n_exclusive)[classes]
    part = np.full(len(images), TRAINING, np.int8)
    part[members[rank < validation[classes]]] = VALIDATION
    part[members[rank >= (n_exclusive - test)[classes]]] = TEST
    return part[image_of_row]


def split_partly(
    hashes: np.ndarray,
    labels: np.ndarray | None,
    shares: Mapping[str, float],
    seed: int,
    class_names: Sequence[str] = (),
) -> np.ndarray:
    """Split samples of which some are unlabelled (-1); the labelled ones as `split` does.

    Unlabelled samples are split as one class, except copies of a labelled image, which share its part.
    """
    if labels is None or (labels >= 0).all():
        return split(hashes, labels, shares, seed, class_names)
    known = labels >= 0
    part = np.full(len(hashes), TRAINING, np.int8)
    try:
        part[known] = split(hashes[known], labels[known], shares, seed, class_names)
    except ValueError:
        log.warning("no class has two distinct labelled images: all labelled images are training rows")
    part_of_hash = dict(zip(hashes[known].tolist(), part[known].tolist(), strict=True))
    rest = np.flatnonzero(~known)
    part[rest] = [part_of_hash.get(name, TRAINING) for name in hashes[rest].tolist()]
    new = rest[~np.isin(hashes[rest], hashes[known])]
    if len(np.unique(hashes[new])) > 1:  # one image cannot be split
        part[new] = split(hashes[new], None, shares, seed)
    return part


def _quota(
    size: np.ndarray, n_exclusive: np.ndarray, shares: Mapping[str, float], random: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of validation and test images of each class, leaving at least one for training.

    Test is rounded down where validation is rounded up, if possible: so training is exact to one image too.
    """
    spare = np.minimum(np.maximum(size - 1, 0), n_exclusive)
    validation = np.floor(size * shares["validation"] + random).astype(np.int64)
    validation = np.minimum(np.maximum(validation, shares["validation"] > 0), spare)
    test = np.floor(size * shares["test"] + (1 - random)).astype(np.int64)
    test = np.minimum(np.maximum(test, shares["test"] > 0), spare - validation)
    return validation, test


def _check_quota(
    size: np.ndarray,
    validation: np.ndarray,
    test: np.ndarray,
    shares: Mapping[str, float],
    names: Sequence[str],
) -> None:
    """Raise ValueError if there are no validation and test images at all; warn of classes without any."""
    present = size > 0
    if shares["train"] < 1 and not (validation + test).any():
        few = f"none of {present.sum()} classes has them" if present.sum() > 1 else "there is only one"
        raise ValueError(
            f"dataset.split={dict(shares)} needs two distinct samples of a class, but {few}; add some, or "
            "use dataset.split.train=1 dataset.split.validation=0 dataset.split.test=0"
        )
    for share, counts in (("validation", validation), ("test", test)):
        without = [names[label] for label in np.flatnonzero(present & (counts == 0)).tolist()]
        if without and shares[share] > 0:
            log.warning(
                "%d of %d classes have too few distinct images for a %s image: %s",
                len(without), present.sum(), share, join_few(without, LISTED),
            )  # fmt: skip


def _uniform(names: Sequence[str], seed: int) -> np.ndarray:
    """Return a pseudorandom number in (0, 1) per name, with few bits for exact sums with counts."""
    codes = np.array([int(hash_bytes(name.encode()), 16) for name in names], np.uint64)
    return np.asarray(((_mixed(codes, seed) >> np.uint64(40)) + 0.5) * 2.0**-24)


def _mixed(codes: np.ndarray, seed: int) -> np.ndarray:
    """Hash 64-bit numbers by a seed, without collisions.

    Source
    ------
    Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (SplitMix64), 2014.
    """
    mask = 2**64 - 1
    mixed = codes + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 & mask)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))
