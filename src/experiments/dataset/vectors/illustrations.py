"""Which image shows which row: by its path, its file name, or that without its ending."""

import logging
from collections import defaultdict
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from experiments.context import Context
from experiments.dataset.images.content import NO_IMAGE, ImageFiles
from experiments.dataset.images.folder import read_folder, value_range_of
from experiments.dataset.labels.rows import match_key
from experiments.dataset.tables.matching import nfc
from experiments.messages import few

log = logging.getLogger(__name__)

KEY = "dataset.images"
NAMED = 5  # rows without an image that the log names


def match_images(ids: np.ndarray, root: str, ctx: Context) -> ImageFiles:
    """Return an image for each id, blank for those that have none.

    An id is the path of its image below the folder, else its file name, else that without its ending, in
    either form of Unicode. Where both have folders, those must agree as far as both go.

    Raises
    ------
    ValueError
        If no id has an image, or if one could have two.
    """
    folder = read_folder(root, KEY, ctx)
    content, known = folder.content(value_range_of(folder.scan, None)), folder.ids.tolist()
    found = _matched([str(name) for name in ids], known, root)
    rows = np.array([found.get(str(name), -1) for name in ids])
    if (rows < 0).all():
        raise ValueError(
            f"{KEY}={root} has no image of any of the {len(ids)} rows: they have ids such as {ids[0]!r}, and "
            f"the images {known[0]!r}; use the folder that the ids are about, or {KEY}=null"
        )
    without = [str(name) for name in ids[rows < 0]]
    if without:
        log.warning(
            "%d of %d rows have no image in %s, and are shown blank: %s",
            len(without), len(ids), Path(root).name, few(without, NAMED),
        )  # fmt: skip
    spare = len(known) - len(set(rows[rows >= 0].tolist()))
    if spare:
        log.info("%d of %d images in %s belong to no row", spare, len(known), Path(root).name)
    paths = np.where(rows < 0, "", content.paths[rows])
    hashes = np.where(rows < 0, NO_IMAGE, content.hashes[rows])
    return replace(content, paths=paths, hashes=hashes)


def _matched(ids: list[str], known: list[str], root: str) -> dict[str, int]:
    """Return the image of each id that has one."""
    found: dict[str, int] = {}
    for part in (_path, _composed, _name, _stem):
        rows: dict[str, list[int]] = defaultdict(list)
        for row, name in enumerate(known):
            rows[part(name)].append(row)
        taken = set(found.values())  # what is more alike is right
        for name in ids:
            held = rows.get(part(name), []) if name not in found else []
            held = [row for row in held if _agree(name, known[row])]
            if len(held) > 1:
                raise ValueError(
                    f"{KEY}={root} has two images that could be of {name!r}: {known[held[0]]} and "
                    f"{known[held[1]]}; make the ids paths below that folder, or use a smaller folder"
                )
            if held and held[0] not in taken:
                found[name] = held[0]
    _check_single(found, known, root)
    return found


def _check_single(found: dict[str, int], known: list[str], root: str) -> None:
    """Raise ValueError if two ids share an image, as the names in two folders do."""
    owner: dict[int, str] = {}
    for name, row in found.items():
        other = owner.setdefault(row, name)
        if other != name:
            raise ValueError(
                f"{KEY}={root} has one image, {known[row]}, that could be of two rows: {other!r} and "
                f"{name!r}; make the ids paths below that folder"
            )


def _agree(name: str, other: str) -> bool:
    """Tell whether the folders of one path are the last of the other's, as none are of any."""
    one, two = (PurePosixPath(_composed(path)).parts[-2::-1] for path in (name, other))
    return all(a == b for a, b in zip(one, two, strict=False))


def _path(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/")))


def _composed(name: str) -> str:
    return nfc(_path(name))


def _name(name: str) -> str:
    return match_key(_composed(name), "name")


def _stem(name: str) -> str:
    return match_key(_composed(name), "stem")
