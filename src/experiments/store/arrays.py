"""Arrays on disk: memory maps of files that are linked, not copied, and whose room is claimed first."""

import os
from contextlib import suppress
from pathlib import Path

import numpy as np


def link(array: np.ndarray, root: Path, path: Path) -> bool:
    """Link `path` to the file below `root` that a read-only memory map shows whole; False if it is none."""
    whole = array if isinstance(array, np.memmap) else array.base
    if not isinstance(whole, np.memmap) or whole.mode != "r" or not array.flags.c_contiguous:
        return False
    if whole.filename is None or root not in Path(whole.filename).parents:
        return False
    with suppress(OSError):  # some disks have no links
        os.link(whole.filename, path)
        kept = opened(path.parent)
        if kept.dtype == array.dtype and kept.shape == array.shape:
            return True
        path.unlink()
    return False


def opened(folder: Path) -> np.ndarray:
    """Return the array in a folder, as a read-only memory map."""
    return np.load(folder / "array.npy", mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]


def reserve(path: Path) -> None:
    """Claim the disk that a sparse file will need: a full one is an error here, and would be SIGBUS later."""
    if hasattr(os, "posix_fallocate"):  # not on macOS
        with path.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
