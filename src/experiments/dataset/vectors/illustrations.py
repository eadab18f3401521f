"""Match images to the rows of a table of vectors by path, file name, or stem."""

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
from experiments.messages import DataError, join_few

log = logging.getLogger(__name__)

KEY = "dataset.images"
LISTED = 5  # largest number of rows without an image in the log


def match_images(ids: np.ndarray, root: str, ctx: Context) -> ImageFiles:
    """Return an image for each id, blank for ids without an image.

    An id is the path of its image below the folder, else its file name, else its stem, in any Unicode form.
    If both paths have folders, the folders of one must be a suffix of the other's.

    Raises
    ------
    ValueError
        If no id matches an image, or an id matches two.
    """
    folder = read_folder(root, KEY, ctx)
    content, known = folder.content(value_range_of(folder.scan, None)), folder.ids.tolist()
    image_of_id = _match([str(name) for name in ids], known, root)
    rows = np.array([image_of_id.get(str(name), -1) for name in ids])
    if (rows < 0).all():
        raise DataError(
            KEY,
            root,
            (
                f" has no image for any of the {len(ids)} rows: their ids are like {ids[0]!r}, the images'"
                f" paths like {known[0]!r}"
            ),
            f"use the folder of these ids, or {KEY}=null",
        )
    without = [str(name) for name in ids[rows < 0]]
    if without:
        log.warning(
            "%d of %d rows have no image in %s and are shown blank: %s",
            len(without), len(ids), Path(root).name, join_few(without, LISTED),
        )  # fmt: skip
    spare = len(known) - len(set(rows[rows >= 0].tolist()))
    if spare:
        log.info("%d of %d images in %s match no row", spare, len(known), Path(root).name)
    paths = np.where(rows < 0, "", content.paths[rows])
    hashes = np.where(rows < 0, NO_IMAGE, content.hashes[rows])
    return replace(content, paths=paths, hashes=hashes)


def _match(ids: list[str], known: list[str], root: str) -> dict[str, int]:
    """Return the image of each matching id, as an index into `known`."""
    image_of_id: dict[str, int] = {}
    for part in (_path, _nfc_path, _name, _stem):
        rows: dict[str, list[int]] = defaultdict(list)
        for row, name in enumerate(known):
            rows[part(name)].append(row)
        used = set(image_of_id.values())  # matched by a stricter rule
        for name in ids:
            images = rows.get(part(name), []) if name not in image_of_id else []
            images = [row for row in images if _same_folders(name, known[row])]
            if len(images) > 1:
                raise DataError(
                    KEY,
                    root,
                    f" has two images for the id {name!r}: {known[images[0]]} and {known[images[1]]}",
                    "make the ids paths below that folder, or use a smaller folder",
                )
            if images and images[0] not in used:
                image_of_id[name] = images[0]
    _check_single(image_of_id, known, root)
    return image_of_id


def _check_single(image_of_id: dict[str, int], known: list[str], root: str) -> None:
    """Raise ValueError if two ids match the same image, such as equal names in two folders."""
    id_of_image: dict[int, str] = {}
    for name, row in image_of_id.items():
        other = id_of_image.setdefault(row, name)
        if other != name:
            raise DataError(
                KEY,
                root,
                f" has one image, {known[row]}, for two rows: {other!r} and {name!r}",
                "make the ids paths below that folder",
            )


def _same_folders(name: str, other: str) -> bool:
    """Return True if one path's folders are a suffix of the other's; a path without folders matches any."""
    folders, others = (PurePosixPath(_nfc_path(path)).parts[-2::-1] for path in (name, other))
    return all(a == b for a, b in zip(folders, others, strict=False))


def _path(name: str) -> str:
    return str(PurePosixPath(name.replace("\\", "/")))


def _nfc_path(name: str) -> str:
    return nfc(_path(name))


def _name(name: str) -> str:
    return match_key(_nfc_path(name), "name")


def _stem(name: str) -> str:
    return match_key(_nfc_path(name), "stem")
