"""A folder, zip or tar of images, with or without class folders."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from experiments.context import Context
from experiments.dataset.images.archive import KEY as ROOT
from experiments.dataset.images.class_folders import KEY, class_labels, log_classes
from experiments.dataset.images.folder import list_images, read_folder, value_range_of
from experiments.dataset.selection.naming import name_of_folder
from experiments.dataset.selection.selection import Pool, Selection
from experiments.samples import Samples


@dataclass(frozen=True, kw_only=True)
class ImageFolder(Selection):
    """Images in a folder or archive, labelled by their folders if there are two or more.

    Formats are all of Pillow's (JPEG, PNG, WebP, TIFF, AVIF, ...), and two that need a plugin, which
    `make setup` installs: HEIC (`pip install pillow-heif`) and JPEG XL (`pip install pillow-jxl-plugin`).
    Photographs are turned upright by their EXIF data. Colours are converted to sRGB if the file has an ICC
    profile.

    Parameters
    ----------
    root
        The folder, or a .zip or .tar of it, which is unpacked into the store.
    max_unreadable
        Share of the images that may be unreadable; five are always allowed.
    class_level
        Depth of the class folders. 1: directly below the common folder of all images; 2: one level deeper,
        with classes such as `alphabet/character`; -1: the folder of each image, by its name alone, so
        `train/cat` and `test/cat` are one class; -2: the parent of that folder; None: no labels.
    value_range
        [black, white] of images deeper than 8 bits, such as [0, 4095]; None: from the metadata of the files,
        else the range over all images.
    """

    VERSION: ClassVar[int] = 3

    root: str = field(metadata={"path": True})
    max_unreadable: float = field(compare=False)
    class_level: int | None
    value_range: tuple[float, ...] | None

    def __post_init__(self) -> None:
        """Check the settings."""
        super().__post_init__()
        if not 0 <= self.max_unreadable <= 1:
            raise ValueError(f"dataset.max_unreadable={self.max_unreadable} is not a share; use 0 to 1")
        if self.class_level == 0:
            raise ValueError(
                f"{KEY}=0 is not a level; use 1 for the first folders below the root, -1 for the images' own "
                "folders, or null for no labels"
            )
        if self.value_range is not None and not _is_range(self.value_range):
            raise ValueError(
                f"dataset.value_range={list(self.value_range)} is not a black value and a larger white "
                "value; use two numbers, such as dataset.value_range=[0,4095], or null"
            )

    def default_name(self) -> str:
        """Return the name of the folder or archive."""
        return name_of_folder(self.root)

    def count(self) -> int:
        """Return the approximate number of images, without decoding them."""
        return self.limited(len(list_images(self.root, ROOT, self.class_level).images))

    def load(self, ctx: Context) -> Samples:
        """Return the readable images; raise ValueError if too many are unreadable."""
        folder = read_folder(self.root, ROOT, ctx, self.class_level, self.max_unreadable)
        labels = class_labels(folder.listing, folder.rows, self.class_level)
        log_classes(folder.listing, labels, self.class_level)
        content = folder.content(value_range_of(folder.scan, self.value_range))
        names, skipped = folder.listing.class_names, tuple(folder.left_out)
        return self.samples(Pool(self.root, folder.ids, content, labels, names, skipped))


def _is_range(values: tuple[float, ...]) -> bool:
    return len(values) == 2 and bool(np.isfinite(values).all()) and values[0] < values[1]
