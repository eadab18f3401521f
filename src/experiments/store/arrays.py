"""Arrays on disk as memory maps: hard-linked instead of copied, their disk space reserved before writing."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np


def link(array: np.ndarray, root: Path, path: Path) -> bool:
    """Hard-link `path` to an array's file; False unless it is a read-only map of a file below `root`."""
    whole = array if isinstance(array, np.memmap) else array.base
    if not isinstance(whole, np.memmap) or whole.mode != "r" or not array.flags.c_contiguous:
        return False
    if whole.filename is None or root not in Path(whole.filename).parents:
        return False
    with suppress(OSError):  # some file systems have no hard links
        os.link(whole.filename, path)
        linked = open_array(path.parent)
        if linked.dtype == array.dtype and linked.shape == array.shape:
            return True
        path.unlink()
    return False


def open_array(folder: Path) -> np.ndarray:
    """Return the array in a folder, as a read-only memory map."""
    return np.load(folder / "array.npy", mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def reserve(path: Path) -> None:
    """Reserve a sparse file's disk space: a full disk is an error now instead of SIGBUS later."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
