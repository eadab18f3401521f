"""Labels from class folders: checks and log messages."""

import logging
from collections import defaultdict
from collections.abc import Collection, Sequence

import numpy as np

from experiments.dataset.images.listing import Listing, class_of
from experiments.messages import counted

log = logging.getLogger(__name__)

KEY = "dataset.class_level"
PARTS = {"train", "training", "val", "valid", "validation", "test", "testing"}


def check_level(listing: Listing, level: int | None, root: str) -> None:
    """Raise ValueError if some images are not nested deeply enough for `dataset.class_level`.

    Images next to the class folders have no class, so they are not in the listing.
    """
    if level is None or abs(level) == 1:
        return
    folders = [listing.folder_of(file) for file in listing.images]
    depths = np.array([bool(folder) + folder.count("/") for folder in folders], np.int64)
    shallow = np.flatnonzero(depths < abs(level))
    if not len(shallow):
        return
    possible = min(depths[depths > 0], default=0) * (1 if level > 0 else -1)
    choices = dict.fromkeys((possible, -1)) if possible else ["null"]
    use = " or ".join(f"{KEY}={choice}" for choice in choices)
    where = f" below {listing.base}, the folder of all images" if listing.base else ""
    first = listing.images[shallow[0]].path
    raise ValueError(
        f"{KEY}={level} needs images in {abs(level)} nested folders{where}, but {len(shallow)} of "
        f"{len(depths)} in dataset.root={root} are in fewer folders, such as {first}; use {use}"
    )


def class_labels(listing: Listing, rows: np.ndarray, level: int | None) -> np.ndarray | None:
    """Return the labels of the images in these rows of the listing, int64 (n,); None without classes."""
    if not listing.class_names:
        return None
    number = {name: label for label, name in enumerate(listing.class_names)}
    folders = [listing.folder_of(listing.images[row]) for row in rows]
    label = {folder: number[class_of(folder, level)] for folder in set(folders)}
    return np.array([label[folder] for folder in folders], np.int64)


def log_classes(listing: Listing, labels: np.ndarray | None, level: int | None) -> None:
    """Log the class folders in cases that a user may not expect.

    Parameters
    ----------
    labels
        Labels of the readable images.
    """
    if level is None:
        return
    folders = {listing.folder_of(file) for file in listing.images} - {""}
    names = listing.class_names
    if labels is None:
        if folders:
            log.info("no folder is a class: there are images next to %s, such as %s",
                     counted(len(folders), "folder"), min(folders))  # fmt: skip
        return
    if PARTS.issuperset(map(str.lower, names)):
        inner = any("/" in folder for folder in folders)
        log.warning("folders %s look like a split, but are used as classes%s", ", ".join(names),
                    f"; to use the images' own folders: {KEY}=-1" * inner)  # fmt: skip
    else:
        _log_inner(folders, names, level)
    images = np.bincount(labels, minlength=len(names))
    empty = [name for name, count in zip(names, images, strict=True) if not count]
    if empty:
        log.warning("classes without a readable image are skipped: %s", ", ".join(empty))


def _log_inner(folders: Collection[str], names: Sequence[str], level: int) -> None:
    """Log if a class consists of several folders."""
    of_class = defaultdict(list)
    for path in sorted(folders):
        of_class[class_of(path, level)].append(path)
    several = {name: paths for name, paths in of_class.items() if len(paths) > 1}
    if not several:
        return
    name, paths = next(iter(several.items()))
    if level < 0:
        log.info("%d classes, of which %d are in several folders, such as %s in %s",
                 len(names), len(several), name, " and ".join(paths[:2]))  # fmt: skip
        return
    inner = [path for paths in several.values() for path in paths if path.count("/") >= level]
    least = min(path.count("/") + 1 for path in folders)
    log.info(
        "%d classes, such as %s; %s inside them, such as %s, ignored; to use these as classes: %s=%d",
        len(names), name, counted(len(inner), "folder"), inner[0], KEY, level + 1 if least > level else -1,
    )  # fmt: skip
